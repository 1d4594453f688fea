"""Files that survive a crash: written to a temporary name, synced, then renamed into place."""

from __future__ import annotations

import os
import tempfile
from pathlib import Path

from harness.errors import NotReadyError


def write_atomically(path: Path, data: bytes | str, *, mode: int = 0o644, durable: bool = True) -> None:
    """Replace `path` with `data`; a reader sees the old content or the new, never a part.

    `durable` also waits until the disk has it, which costs milliseconds.

    Raises:
        NotReadyError: the file system refuses (full disk, read-only); the old file is untouched.
    """
    content = data.encode() if isinstance(data, str) else data
    temporary = ""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, temporary = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            if durable:
                os.fsync(file.fileno())
        Path(temporary).chmod(mode)
        Path(temporary).replace(path)
    except OSError as error:
        if temporary:
            Path(temporary).unlink(missing_ok=True)
        raise NotReadyError(
            f"cannot write the file: {error.strerror}",
            where=str(path),
            hint="free some space or choose a writable folder; the previous file is unchanged",
        ) from error
