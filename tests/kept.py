"""What `make zoo`, `steady`, `mutate` and `privilege` keep, so that an interrupted one goes on where it stopped."""

import json
import subprocess
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]


def answers(path: Path) -> list[Any]:
    """What was kept in a file, the oldest first; nothing where there is none."""
    return [json.loads(line) for line in path.read_text().splitlines()] if path.exists() else []


def keep(path: Path, answer: Any) -> None:
    """Add an answer, a line of JSON, at once."""
    path.parent.mkdir(exist_ok=True)
    with path.open("a") as file:
        file.write(f"{json.dumps(answer)}\n")


def commit() -> str:
    """What is checked out, and whether anything in it was changed."""
    command = ["git", "describe", "--always", "--dirty", "--abbrev=12"]
    told = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    return told.stdout.strip() or "unknown"
