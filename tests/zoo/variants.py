"""The animals of animals.toml: one realistic mistake each, as a patch of the orders stack."""

import shutil
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ORDERS = Path(__file__).parents[2] / "pulumi_stack"
PROGRAMS = {"orders": ORDERS, **{p.name: p for p in (Path(__file__).parent / "programs").iterdir() if p.is_dir()}}
"""The healthy stacks by their names: the orders service, and small ones for what it does not have."""


@dataclass(frozen=True, kw_only=True)
class Variant:
    """`patches` have `file`, `replace` and `with`; `breaks` is the objective that `drill` must find missed.

    One that breaks nothing is healthy in another way, and must stay green.
    """

    mistake: str
    drill: str
    breaks: str
    patches: tuple[dict[str, str], ...] = ()
    config: dict[str, str] | None = None


def _variant(told: dict[str, Any]) -> Variant:
    return Variant(**{**told, "patches": tuple(told.get("patches", ()))})


VARIANTS = {
    name: _variant(told)
    for name, told in tomllib.loads(Path(__file__).with_name("animals.toml").read_text(encoding="utf-8")).items()
}


def release(variant: Variant | None, program: Path, stack: str = "orders") -> None:
    """Write a stack's program, healthy for None, with the variant's mistake otherwise.

    Raises:
        ValueError: a patch does not fit the stack any more.
    """
    shutil.copytree(
        PROGRAMS[stack], program, dirs_exist_ok=True, ignore=shutil.ignore_patterns("__pycache__", ".venv")
    )
    for patch in variant.patches if variant is not None else ():
        path = program / patch["file"]
        source = path.read_text()
        times = source.count(patch["replace"])
        if times != 1:
            raise ValueError(f"{path.name} has the text of the patch {times} times: {patch['replace'][:60]!r}")
        path.write_text(source.replace(patch["replace"], patch["with"]))
