"""Path patterns as Pulumi's `command` and `archive` packages take them."""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable
from pathlib import Path

_PARTS = re.compile(r"\*\*/|\*\*|\*|\?|\[[^\]]*\]|\{[^}]*\}|.", re.DOTALL)


@functools.lru_cache(maxsize=256)
def pattern(glob: str) -> re.Pattern[str]:
    """`*` is anything but `/`, `**` anything, `**/` any folders or none, `{a,b}` either, `[abc]` one of them."""
    return re.compile("".join(_expression(part) for part in _PARTS.findall(glob)))


def _expression(part: str) -> str:
    fixed = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    if part in fixed:
        return fixed[part]
    if part.startswith("{") and part.endswith("}"):
        return "(?:" + "|".join(map(re.escape, part[1:-1].split(","))) + ")"
    if part.startswith("[") and part.endswith("]"):
        return part.replace("[!", "[^", 1)
    return re.escape(part)


def files_below(folder: Path) -> list[str]:
    """The files below `folder`, as paths relative to it with `/`, sorted."""
    return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file())


def selected(folder: Path, globs: Iterable[str]) -> list[str]:
    """The files below `folder` that the patterns choose in their order; one that begins with `!` takes away."""
    every, chosen = files_below(folder), set[str]()
    for glob in globs:
        wanted = pattern(glob.removeprefix("!").removeprefix("./"))
        found = {path for path in every if wanted.fullmatch(path)}
        chosen = chosen - found if glob.startswith("!") else chosen | found
    return sorted(chosen)
