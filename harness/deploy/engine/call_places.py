"""Where a program asks for data: of resources the SDK tells which line made them, of data sources it does not.

So the program's own files are searched for the function that belongs to the token.
"""

from __future__ import annotations

import re
from pathlib import Path

_FILES = 200
_SKIPPED = ("venv", "node_modules", "site-packages", "__pycache__")
_FEW = 3
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def call_places(folder: Path, token: str) -> str:
    """The lines of the program that call the data source `token`, `__main__.py:4`; '' when none is found.

    >>> call_places(Path("/nowhere"), "aws:ec2/getAmi:getAmi")
    ''
    """
    name = _HUMP.sub("_", token.rpartition(":")[2]).lower()
    call = re.compile(rf"\b{re.escape(name)}(?:_output)?\s*\(")
    found = [
        f"{path.relative_to(folder)}:{number}"
        for path in _own_files(folder)
        for number, line in enumerate(path.read_text(encoding="utf-8", errors="replace").splitlines(), 1)
        if call.search(line) and not line.lstrip().startswith(("#", "def "))
    ]
    more = f" and {len(found) - _FEW} more" if len(found) > _FEW else ""
    return ", ".join(found[:_FEW]) + more


def _own_files(folder: Path) -> list[Path]:
    files = (
        path
        for path in folder.rglob("*.py")
        if not any(part in _SKIPPED or part.startswith(".") for part in path.relative_to(folder).parts)
    )
    return sorted(files)[:_FILES]
