"""Unpacked code and layers, kept by their content, so that a second environment starts without unzipping."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import shutil
import tempfile
import threading
import zipfile
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(slots=True)
class CodeStore:
    """A folder of unpacked archives. Safe from any thread."""

    folder: Path
    _unpacked: dict[str, Path] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def unpack(self, archive: bytes) -> Path:
        """The folder with the archive's files.

        Raises:
            zipfile.BadZipFile: the bytes are no zip.
            ValueError: an entry would land outside the folder.
        """
        digest = hashlib.sha256(archive).hexdigest()
        with self._lock:
            known = self._unpacked.get(digest)
            if known is None:
                known = self._unpacked[digest] = self._extract(archive, self.folder / digest)
        return known

    def _extract(self, archive: bytes, target: Path) -> Path:
        if target.is_dir():
            return target
        self.folder.mkdir(parents=True, exist_ok=True)
        building = Path(tempfile.mkdtemp(dir=self.folder, prefix=".unpacking-"))
        try:
            with zipfile.ZipFile(io.BytesIO(archive)) as opened:
                for entry in opened.infolist():
                    _extract_entry(opened, entry, building)
            building.chmod(0o755)
            with contextlib.suppress(OSError):
                os.replace(building, target)  # noqa: PTH105 - atomic; fails when another process was faster
        finally:
            shutil.rmtree(building, ignore_errors=True)
        return target


def _extract_entry(opened: zipfile.ZipFile, entry: zipfile.ZipInfo, folder: Path) -> None:
    """One file with its permission bits, which `ZipFile.extract` drops."""
    path = (folder / entry.filename).resolve()
    if not path.is_relative_to(folder.resolve()):
        raise ValueError(f"{entry.filename} would be unpacked outside its folder")
    opened.extract(entry, folder)
    mode = (entry.external_attr >> 16) & 0o777
    if mode and not entry.is_dir():
        path.chmod(mode | 0o444)
