"""The table of actions in docs/fis.md: `python -m chaos.fis.actions.table` writes it anew, a test holds it."""

from __future__ import annotations

import sys
from pathlib import Path

from chaos.fis.actions import ACTIONS, ELSEWHERE

DOCUMENT = Path(__file__).parents[3] / "docs" / "fis.md"
BEGIN, END = "<!-- actions: begin -->\n", "<!-- actions: end -->\n"


def table() -> str:
    """Each action, whether it works here, and how it differs from AWS."""
    rows = ["| action | here | embedded against AWS |", "|---|---|---|"]
    every = {**ACTIONS, **ELSEWHERE}
    rows += [f"| `{name}` | {one.parity} | {one.difference} |" for name, one in sorted(every.items())]
    return "\n".join(rows) + "\n"


def renewed(text: str) -> str:
    """The document with its table as it should be."""
    before, _, rest = text.partition(BEGIN)
    return before + BEGIN + table() + END + rest.partition(END)[2]


if __name__ == "__main__":
    DOCUMENT.write_text(renewed(DOCUMENT.read_text()))
    sys.exit(0)
