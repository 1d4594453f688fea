"""A new project around a Pulumi program of the user's own: config, a first scenario, load and drill."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from string import Template

from harness.config import FILE_NAME
from harness.errors import UsageError
from harness.files import write_atomically

_CONFIG = {FILE_NAME: "harness/starter/blackstart.toml"}
_WITH_A_URL = {
    "scenarios/test_stack.py": "harness/starter/test_stack.py.tmpl",
    "scenarios/load/locustfile.py": "harness/starter/locustfile.py.tmpl",
    "drills/zone-loss.toml": "harness/starter/zone-loss.toml",
    "experiments/zone-loss.json": "chaos/experiments/zone-loss.json",
}
_WITHOUT = {"scenarios/test_stack.py": "harness/starter/test_outputs.py.tmpl"}
_BEST = ("api_url", "apiurl", "api-url", "url", "endpoint")


@dataclass(frozen=True, slots=True, kw_only=True)
class Scaffold:
    """What was written, and the output of the program that it asks; '' when no export looks like a URL."""

    written: tuple[Path, ...]
    url: str


def scaffold(folder: Path) -> Scaffold:
    """Write the files of a new project into `folder`. Nothing of the user's is overwritten.

    Raises:
        UsageError: one of the files exists already, or there is no program; then nothing is written.
    """
    programs = [
        path.parent for path in (folder / "Pulumi.yaml", *sorted(folder.glob("*/Pulumi.yaml"))) if path.is_file()
    ]
    if not programs:
        raise UsageError(
            "no Pulumi program: neither here nor in a folder of it is a Pulumi.yaml",
            where=str(folder),
            hint="nothing was written; give the folder that has the program: blackstart init FOLDER",
        )
    program = programs[0]
    url = url_of(sorted(exports_of(program)))
    named = {"program": str(program.relative_to(folder)), "url": url}
    texts = {**_CONFIG, **(_WITH_A_URL if url else _WITHOUT)}
    for path in texts:
        if (folder / path).exists():
            raise UsageError(
                "exists already", where=str(folder / path), hint="nothing was written; move it away first"
            )
    for path, name in texts.items():
        write_atomically(folder / path, _text(name, named))
    (folder / "drills").mkdir(exist_ok=True)
    return Scaffold(written=tuple(folder / path for path in texts), url=url)


def _text(name: str, named: Mapping[str, str]) -> str:
    package, _, path = name.partition("/")
    text = files(package).joinpath(path).read_text("utf-8")
    return text if name.endswith(".json") else Template(text).substitute(named)


def exports_of(program: Path) -> Iterator[str]:
    """The names that a program exports by `pulumi.export("name", …)`, without running it."""
    for path in sorted(program.glob("*.py")):
        try:
            tree = ast.parse(path.read_text("utf-8"))
        except (SyntaxError, ValueError):
            continue  # a deployment says where and why
        for node in ast.walk(tree):
            match node:
                case ast.Call(
                    func=ast.Attribute(attr="export") | ast.Name(id="export"),
                    args=[ast.Constant(value=str(name)), *_],
                ):
                    yield name


def url_of(exports: list[str]) -> str:
    """The export that is most likely the API's URL, or ''.

    >>> url_of(["bucket", "site_endpoint", "ApiUrl"]), url_of(["bucket"])
    ('ApiUrl', '')
    """
    likely = [name for name in exports if "url" in name.lower() or "endpoint" in name.lower()]
    rank = {name: index for index, name in enumerate(_BEST)}
    return min(likely, key=lambda name: rank.get(name.lower(), len(_BEST)), default="")
