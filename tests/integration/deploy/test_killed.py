"""A deployment that is killed with SIGKILL at any moment, and what the next one finds. No orphan, no duplicate."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

DRIVER = Path(__file__).with_name("killed.py")
TWENTY = {f"thing-{number}": {"size": 1} for number in range(20)}
EIGHT = {f"thing-{number}": {"size": 1} for number in range(8)}
CHANGED = {  # two kept, two updated, two replaced, two gone, one new
    **{f"thing-{number}": {"size": 1} for number in range(2)},
    **{f"thing-{number}": {"size": 1, "tag": "x"} for number in range(2, 4)},
    **{f"thing-{number}": {"size": 2} for number in range(4, 6)},
    "new": {"size": 1},
}


def killed_everywhere(root: Path, *plans: dict[str, Any]) -> list[Path]:
    """Deploy the first plan, then the second, killed at every moment in turn, then the third; returns the folders."""
    command = [sys.executable, str(DRIVER), str(root), *map(json.dumps, plans)]
    done = subprocess.run(command, capture_output=True, text=True, timeout=900, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return sorted(root.iterdir())


def there(folder: Path) -> dict[str, dict[str, Any]]:
    """What exists in the cloud, by program name; two of the same name would be a duplicate."""
    found = [json.loads(path.read_text()) for path in (folder / "cloud").iterdir()]
    by_name = {thing["name"].rpartition("-")[0]: thing for thing in found}
    assert len(by_name) == len(found), f"duplicates: {sorted(thing['name'] for thing in found)}"
    return by_name


def known(folder: Path) -> dict[str, str]:
    """Name → id in the checkpoint, which nothing pending and nothing condemned is left in."""
    deployment = json.loads((folder / "state" / "dev.json").read_text())["deployment"]
    assert "pending_operations" not in deployment
    entries = [r for r in deployment["resources"] if r["type"] == "aws:sqs/queue:Queue"]
    assert not any(entry.get("delete") for entry in entries)
    assert not (folder / "state" / "dev.journal").exists()
    return {entry["urn"].split("::")[3]: entry["id"] for entry in entries}


def check(folder: Path, plan: dict[str, Any]) -> None:
    """Cloud, checkpoint and plan agree."""
    found, ids = there(folder), known(folder)
    assert {name: {k: v for k, v in thing.items() if k != "name"} for name, thing in found.items()} == plan
    assert sorted(ids.values()) == sorted(path.name for path in (folder / "cloud").iterdir())


@pytest.mark.parametrize(
    ("before", "plan", "after", "moments"),
    [
        ({}, TWENTY, TWENTY, 120),
        ({}, EIGHT, {}, 50),
        (EIGHT, CHANGED, CHANGED, 50),
        (EIGHT, CHANGED, EIGHT, 50),
        (EIGHT, {}, {}, 35),
    ],
    ids=["creations", "creations, then given up", "changes", "changes, then taken back", "deletions"],
)
def test_killed_at_every_moment(tmp_path: Path, before: Any, plan: Any, after: Any, moments: int) -> None:
    folders = killed_everywhere(tmp_path, before, plan, after)
    assert len(folders) > moments
    for folder in folders:
        check(folder, after)
