"""What Aurora's shared storage keeps: the base and every WAL record of a cluster, apart from its instances.

On Aurora the storage is one volume, replicated over three zones; instances come and go, and a commit is acknowledged
once the volume has it. Here the volume is a folder with a base (a stopped data folder) and all WAL since. The writer
ships each finished segment to it; when a writer is gone, what it had not shipped is taken from its data folder before
anybody is promoted, as its host's death does not take the storage along. So whoever is promoted replays
everything that was committed, whichever reader it is and however far it was behind.
"""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from harness.cloud.databases.programs import owner, postgres_program
from harness.cloud.databases.template import link_data, own_folder

_WAL = re.compile(r"^([0-9A-F]{24}|[0-9A-F]{8}\.history)$")
_SEGMENT = re.compile(r"^[0-9A-F]{24}$")
_POSITION = re.compile(r"\blsn: ([0-9A-F]+/[0-9A-F]+),")
_SEGMENT_BYTES = 1 << 20  # as the template is made


@dataclass(frozen=True, slots=True)
class Volume:
    """The storage of one cluster below `folder`."""

    folder: Path

    @property
    def base(self) -> Path:
        """The stopped data folder that all WAL starts from; nobody writes to it."""
        return self.folder / "base"

    @property
    def wal(self) -> Path:
        """Every WAL segment and history file."""
        return self.folder / "wal"

    def create(self, base: Path) -> None:
        """Begin with the stopped data folder `base` and no WAL; what was there is gone."""
        link_data(base, self.base)
        own_folder(self.wal)

    def copy_of(self, source: Volume) -> None:
        """Become what `source` is now; both may go their own ways afterwards."""
        self.create(source.base)
        for path in source.wal.iterdir():
            if _WAL.match(path.name):
                os.link(path, self.wal / path.name)

    @property
    def used(self) -> bool:
        """True when there is WAL to replay beyond the base."""
        return any(_WAL.match(path.name) for path in self.wal.iterdir())

    def last_record(self) -> str:
        """The position of the last whole WAL record; '' when there is none."""
        segments = sorted(path.name for path in self.wal.iterdir() if _SEGMENT.match(path.name))
        for name in reversed(segments):  # one that holds but the middle of a record tells nothing
            argv = [str(postgres_program("pg_waldump")), "--path", str(self.wal), name, name]
            shown = subprocess.run(argv, capture_output=True, text=True, check=False).stdout
            if found := _POSITION.findall(shown):
                return str(found[-1])
        return ""

    def delete(self) -> None:
        """Delete it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def adopt(self, data: Path, *, before: str = "") -> int:
        """Take the WAL of a dead or stopped writer's data folder that is still missing; returns how many files.

        Of a running one, only segments `before` the one it writes to: an unfinished segment here would be preferred
        to the finished one that a standby has.
        """
        taken = 0
        for path in sorted((data / "pg_wal").iterdir()):
            wanted = _WAL.match(path.name) and not (before and _SEGMENT.match(path.name) and path.name >= before)
            if wanted and _is_written(path) and not self._has(path):
                self._take(path)
                taken += 1
        return taken

    def _has(self, path: Path) -> bool:
        """True when the archiver has shipped this file as it is now."""
        return (self.wal / path.name).exists() and (path.parent / "archive_status" / f"{path.name}.done").exists()

    def _take(self, path: Path) -> None:
        # Renamed into place, never overwritten: copies of this volume share the old file.
        taking = self.wal / f"{path.name}.taking"
        shutil.copyfile(path, taking)
        shutil.chown(taking, *owner())
        taking.replace(self.wal / path.name)

    @property
    def archive_command(self) -> str:
        """Ships one finished segment, whole or not at all."""
        target = _for_shell(self.wal / "%f")
        return f'cp "%p" {target}.part.$$ && mv {target}.part.$$ {target}'

    @property
    def restore_command(self) -> str:
        """Fetches one segment."""
        return f'cp {_for_shell(self.wal / "%f")} "%p" 2>/dev/null'


def _is_written(path: Path) -> bool:
    """True unless it is a segment made ahead or left over: those have no first page of their own address.

    Source: XLogPageHeaderData in PostgreSQL's access/xlog_internal.h (magic, info, timeline, address).
    """
    if not _SEGMENT.match(path.name):
        return True
    with path.open("rb") as file:
        address = int.from_bytes(file.read(16)[8:], sys.byteorder)
    high, low = int(path.name[8:16], 16), int(path.name[16:], 16)
    return address == (high << 32) + low * _SEGMENT_BYTES


def _for_shell(path: Path) -> str:
    """Quoted for the shell, with PostgreSQL's own `%` escapes doubled in the folder."""
    return shlex.quote(f"{str(path.parent).replace('%', '%%')}/{path.name}")
