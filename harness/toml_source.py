"""TOML with line numbers: which line of the file a key stands on, so that errors can say file:line.

`tomllib` gives values without positions; this finds a key's line again by reading the table headers.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from harness.errors import ConfigError

_HEADER = re.compile(r"^\s*\[{1,2}([^\]]+)\]{1,2}")
_KEY = re.compile(r"^\s*([A-Za-z0-9_.\-]+|\"[^\"]*\"|'[^']*')\s*=")


def read_toml(path: Path) -> tuple[dict[str, Any], str]:
    """The file's data and its text.

    Raises:
        ConfigError: the file is missing, cannot be read, or is not TOML (with the line).
    """
    try:
        text = path.read_text(encoding="utf-8")
        return tomllib.loads(text), text
    except FileNotFoundError as error:
        raise ConfigError("no such file", where=str(path)) from error
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"cannot be read: {error}", where=str(path)) from error
    except tomllib.TOMLDecodeError as error:
        line = re.search(r"at line (\d+)", str(error))
        where = f"{path}:{line[1]}" if line else str(path)
        raise ConfigError(f"not TOML: {error}", where=where) from error


def line_of(text: str, keys: Sequence[str | int]) -> int:
    """The 1-based line of the key path `keys` (integers count array tables); the nearest parent's line if unseen.

    For example 2 for `["embedded", "port"]` in a file that starts with `[embedded]` and has `port` below it.
    """
    wanted = list(keys)
    best_line, best_depth = 1, 0
    seen: dict[tuple[str, ...], int] = {}
    table: list[str | int] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := _HEADER.match(line):
            names = _split(header[1])
            table = list(names)
            if line.lstrip().startswith("[["):
                index = seen.get(names, -1) + 1
                seen[names] = index
                table.append(index)
            here = table
        elif key := _KEY.match(line):
            here = [*table, *_split(key[1])]
        else:
            continue
        depth = _shared(here, wanted)
        if depth > best_depth and depth == len(here):
            best_line, best_depth = number, depth
        if depth == len(wanted):
            return number
    return best_line


def _split(dotted: str) -> tuple[str, ...]:
    return tuple(part.strip().strip("\"'") for part in re.findall(r"\"[^\"]*\"|'[^']*'|[^.]+", dotted.strip()))


def _shared(here: Sequence[str | int], wanted: Sequence[str | int]) -> int:
    count = 0
    for left, right in zip(here, wanted, strict=False):
        if left != right:
            break
        count += 1
    return count
