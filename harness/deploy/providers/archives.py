"""The `archive` package: zips written beside the program, the same bytes for the same content."""

from __future__ import annotations

import base64
import hashlib
import io
import zipfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from harness.deploy.providers.globs import files_below, pattern
from harness.deploy.providers.local_type import LocalType
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties
from harness.errors import ProviderError
from harness.files import write_atomically

_EPOCH = (2049, 1, 1, 0, 0, 0)  # the time that the Terraform provider gives every file
_REGULAR_FILE = 0o100000


class File(LocalType):
    """archive:index/file:File; the id is the SHA-1 of the zip."""

    token: ClassVar = "archive:index/file:File"
    replace_on: ClassVar = frozenset(
        {
            "excludes", "excludeSymlinkDirectories", "outputFileMode", "outputPath", "sourceContent",
            "sourceContentFilename", "sourceDir", "sourceFile", "sources", "type",
        }
    )  # fmt: skip

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Only zips are written here."""
        given = super().check(context, inputs, olds)
        if given.get("type") == "tar.gz":
            raise CheckError([("type", "tar.gz is not written by the embedded engine; use zip")])
        return given

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Write it."""
        found = get_file(context, inputs)
        return str(found["id"]), found


def get_file(context: Context, arguments: Properties) -> Properties:
    """Write the zip and say what its hashes are.

    Raises:
        ProviderError: a source is missing, or the type is not zip.
    """
    if arguments.get("type") != "zip":
        raise ProviderError(f"archive type {arguments.get('type')!r} is not written here", hint="use zip")
    mode = int(str(arguments.get("outputFileMode") or "0"), 8)
    content = _zip(_content(context.folder, arguments), mode)
    path = context.folder / str(arguments["outputPath"])
    path.parent.mkdir(parents=True, exist_ok=True)
    write_atomically(path, content, durable=False)
    sha256, sha512 = hashlib.sha256(content), hashlib.sha512(content)
    sha1 = hashlib.sha1(content, usedforsecurity=False).hexdigest()
    return {
        **arguments,
        "id": sha1,
        "outputSha": sha1,
        "outputMd5": hashlib.md5(content, usedforsecurity=False).hexdigest(),
        "outputSha256": sha256.hexdigest(),
        "outputSha512": sha512.hexdigest(),
        "outputBase64sha256": base64.b64encode(sha256.digest()).decode(),
        "outputBase64sha512": base64.b64encode(sha512.digest()).decode(),
        "outputSize": len(content),
    }


def _content(folder: Path, arguments: Properties) -> dict[str, tuple[bytes, int]]:
    """Name in the zip → bytes and permissions."""
    if arguments.get("sourceDir"):
        top = folder / str(arguments["sourceDir"])
        if not top.is_dir():
            raise ProviderError("sourceDir is no folder", where=str(top))
        excludes = [pattern(str(glob)) for glob in arguments.get("excludes") or ()]
        names = (name for name in files_below(top) if not _excluded(name, excludes))
        return {name: _file(top / name) for name in names}
    if arguments.get("sourceFile"):
        path = folder / str(arguments["sourceFile"])
        return {path.name: _file(path)}
    if arguments.get("sourceContentFilename"):
        return {str(arguments["sourceContentFilename"]): (str(arguments.get("sourceContent") or "").encode(), 0o644)}
    return {str(one["filename"]): (str(one["content"]).encode(), 0o644) for one in arguments.get("sources") or ()}


def _excluded(name: str, excludes: list[Any]) -> bool:
    """True for a file that a pattern names, or that is below a folder that one names."""
    steps = name.split("/")
    above = ["/".join(steps[: count + 1]) for count in range(len(steps))]
    return any(exclude.fullmatch(path) for exclude in excludes for path in above)


def _file(path: Path) -> tuple[bytes, int]:
    try:
        return path.read_bytes(), path.stat().st_mode & 0o777
    except OSError as error:
        raise ProviderError(f"the source cannot be read: {error.strerror}", where=str(path)) from error


def _zip(files: Mapping[str, tuple[bytes, int]], mode: int) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, (content, permissions) in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            entry.external_attr = (_REGULAR_FILE | (mode or permissions)) << 16
            archive.writestr(entry, content)
    return buffer.getvalue()


RESOURCES = (File(),)
INVOKES: Mapping[str, Invoke] = {"archive:index/getFile:getFile": get_file}
