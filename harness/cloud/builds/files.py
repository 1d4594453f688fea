"""Sources and artifacts of builds: zips in S3, taken apart and put together."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from fnmatch import fnmatch
from pathlib import Path

from harness.cloud.builds.buildspec import Artifacts, BuildspecError


def unpack(content: bytes, folder: Path) -> None:
    """Take a zip apart, with the modes of its files.

    Raises:
        BuildspecError: it is no zip, or leads out of the folder.
    """
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            for entry in archive.infolist():
                if not (folder / entry.filename).resolve().is_relative_to(folder.resolve()):
                    raise BuildspecError(f"the source leads out of its folder: {entry.filename}")
                made = Path(archive.extract(entry, folder))
                if mode := entry.external_attr >> 16 & 0o777:
                    made.chmod(mode)
    except zipfile.BadZipFile as error:
        raise BuildspecError("the source is no zip") from error


def chosen(artifacts: Artifacts, source: Path) -> Iterator[tuple[str, Path]]:
    """The files that are kept, each with its name in the artifact.

    Raises:
        BuildspecError: none is there, or the folder is not.
    """
    base = (source / artifacts.base).resolve()
    if not base.is_dir() or not base.is_relative_to(source.resolve()):
        raise BuildspecError(f"no matching base directory path found for {artifacts.base}")
    names = {path.relative_to(base).as_posix(): path for path in sorted(base.rglob("*")) if path.is_file()}
    kept = [
        path
        for name, path in names.items()
        if any(_matches(name, glob) for glob in artifacts.files)
        and not any(_matches(name, glob) for glob in artifacts.excluded)
    ]
    if not kept:
        raise BuildspecError(f"no matching artifact paths found for {', '.join(artifacts.files)}")
    for path in kept:
        yield path.name if artifacts.flat else path.relative_to(base).as_posix(), path


def packed(artifacts: Artifacts, source: Path) -> bytes:
    """The kept files as a zip."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, path in chosen(artifacts, source):
            archive.write(path, name)
    return buffer.getvalue()


def _matches(name: str, glob: str) -> bool:
    """`**/*` is everything; `*` alone does not cross a folder, as in CodeBuild."""
    if glob in {"**/*", name}:
        return True
    if "**" in glob:
        return fnmatch(name, glob.replace("**/", "*")) or fnmatch(name, glob)
    return name.count("/") == glob.count("/") and fnmatch(name, glob)
