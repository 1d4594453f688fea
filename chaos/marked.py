"""What one run of a drill makes for itself in a target: its experiment template, and the table it restores.

Both carry the run's mark, the one as a tag and the other as its name. A note of it lies beside the journal while they
may be there, so that the next command can take them away when the drill is killed.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

from harness.files import write_atomically
from harness.target import Target

TAG = "blackstart:run"
_NOTE = ".marked.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Marked:
    """The mark, the region of the template, and that of the table where one is restored; '' is the stack's own."""

    mark: str
    region: str = ""
    table_region: str | None = None

    @contextmanager
    def noted(self, journal: Path) -> Iterator[None]:
        """While open, a kill of this process leaves a note."""
        note = journal.with_suffix(_NOTE)
        write_atomically(note, json.dumps(asdict(self)))
        try:
            yield
        finally:
            note.unlink(missing_ok=True)

    def take_away(self, target: Target) -> list[str]:
        """Delete both where they are; returns what was there.

        Raises:
            ClientError: AWS refused.
        """
        fis = target.client("fis", region=self.region or None)
        pages = fis.get_paginator("list_experiment_templates").paginate()
        ours = [
            one["id"]
            for page in pages
            for one in page["experimentTemplates"]
            if one.get("tags", {}).get(TAG) == self.mark
        ]
        for template in ours:
            fis.delete_experiment_template(id=template)
        return [f"experiment template {template}" for template in ours] + self._table_away(target)

    def _table_away(self, target: Target) -> list[str]:
        if self.table_region is None:
            return []
        tables = target.client("dynamodb", region=self.table_region or None)
        try:
            tables.describe_table(TableName=self.mark)
        except tables.exceptions.ResourceNotFoundException:
            return []
        tables.get_waiter("table_exists").wait(TableName=self.mark, WaiterConfig={"Delay": 1, "MaxAttempts": 900})
        tables.delete_table(TableName=self.mark)
        return [f"restored table {self.mark}"]


def left_in(folder: Path) -> list[Path]:
    """Notes that killed drills of the run in `folder` left."""
    return sorted(folder.glob(f"*/*{_NOTE}"))


def read(note: Path) -> Marked:
    """What `noted` wrote."""
    return Marked(**json.loads(note.read_text()))
