"""Assets and archives: their content, a hash of it, and zips that are the same bytes for the same content."""

from __future__ import annotations

import hashlib
import io
import os
import zipfile
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from harness.deploy.engine.values import Archive, Asset, Value, transform
from harness.errors import ProgramError

_EPOCH = (1980, 1, 1, 0, 0, 0)  # the earliest time a zip can hold
_FILE_MODE = 0o755 << 16
_SKIPPED_FOLDERS = frozenset({"__pycache__"})  # compiled files differ at each run and are of no use in a zip


def asset_bytes(asset: Asset, folder: Path) -> bytes:
    """The content of an asset; relative paths start at the program's `folder`.

    Raises:
        ProgramError: the file is missing, or the asset is remote.
    """
    if asset.kind == "text":
        return asset.value.encode()
    if asset.kind == "path" or asset.value.startswith("file://"):
        return _read(folder / asset.value.removeprefix("file://"))
    raise ProgramError(f"remote asset {asset.value} needs the internet", hint="download it beside the program")


def _read(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise ProgramError(
            f"asset cannot be read: {error.strerror}",
            where=str(path),
            hint="paths start at the program's folder; is it built before?",
        ) from error


def archive_files(archive: Asset | Archive, folder: Path, prefix: str = "") -> dict[str, bytes]:
    """Every file of an archive: its name inside, and its content.

    Raises:
        ProgramError: a file is missing or no zip, or the archive is remote.
    """
    if isinstance(archive, Asset):
        return {prefix.rstrip("/"): asset_bytes(archive, folder)}
    if isinstance(archive.value, Mapping):
        found: dict[str, bytes] = {}
        for name, inner in archive.value.items():
            found |= archive_files(inner, folder, f"{prefix}{name}" + ("/" if isinstance(inner, Archive) else ""))
        return found
    if archive.kind == "uri" and not archive.value.startswith("file://"):
        raise ProgramError(
            f"remote archive {archive.value} needs the internet", hint="download it beside the program"
        )
    path = folder / archive.value.removeprefix("file://")
    return _folder_files(path, prefix) if path.is_dir() else _zip_files(path, prefix)


def _folder_files(root: Path, prefix: str) -> dict[str, bytes]:
    found = {}
    for parent, folders, files in os.walk(root):
        folders[:] = sorted(name for name in folders if name not in _SKIPPED_FOLDERS)
        for name in sorted(files):
            path = Path(parent, name)
            found[prefix + path.relative_to(root).as_posix()] = _read(path)
    return found


def _zip_files(path: Path, prefix: str) -> dict[str, bytes]:
    try:
        with zipfile.ZipFile(io.BytesIO(_read(path))) as archive:
            return {prefix + n: archive.read(n) for n in archive.namelist() if not n.endswith("/")}
    except zipfile.BadZipFile as error:
        raise ProgramError(
            f"not a zip archive: {error}",
            where=str(path),
            hint="paths start at the program's folder; is it built before?",
        ) from error


def archive_zip(archive: Archive, folder: Path) -> bytes:
    """The archive as zip bytes; a zip on disk is passed on as it is.

    Raises:
        ProgramError: see `archive_files`.
    """
    if isinstance(archive.value, str):
        path = folder / archive.value.removeprefix("file://")
        if path.suffix in {".zip", ".jar"} and path.is_file():
            return _read(path)
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as made:
        for name, content in sorted(archive_files(archive, folder).items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.external_attr = _FILE_MODE
            entry.compress_type = zipfile.ZIP_DEFLATED
            made.writestr(entry, content)
    return buffer.getvalue()


def with_hashes(value: Value, folder: Path) -> Value:
    """`value` with the content hash of every asset and archive filled in.

    Raises:
        ProgramError: a file is missing.
    """

    def hashed(part: Value) -> Value:
        if isinstance(part, Asset) and not part.hash:
            return replace(part, hash=hashlib.sha256(asset_bytes(part, folder)).hexdigest())
        if isinstance(part, Archive) and not part.hash:
            return replace(part, hash=_archive_hash(part, folder))
        return part

    return transform(value, hashed)


def _archive_hash(archive: Archive, folder: Path) -> str:
    digest = hashlib.sha256()
    for name, content in sorted(archive_files(archive, folder).items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()
