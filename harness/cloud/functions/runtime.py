"""The folder that stands for `/var/runtime`: what a handler may import beside its own code and layers.

On AWS that is the runtime interface client and the AWS SDK. Ours is a folder of links to exactly those
distributions, so that a handler which forgets to package `pydantic` fails here as it does there.
"""

from __future__ import annotations

import contextlib
import importlib.metadata
import os
import tempfile
from pathlib import Path

# boto3, botocore and what they need:
# https://docs.aws.amazon.com/lambda/latest/dg/lambda-python.html#python-runtime-sdk
DISTRIBUTIONS = (
    "awslambdaric",
    "snapshot-restore-py",
    "simplejson",
    "boto3",
    "botocore",
    "s3transfer",
    "jmespath",
    "python-dateutil",
    "six",
    "urllib3",
)


def link_runtime(folder: Path) -> Path:
    """Make the runtime folder at `folder` once; returns it. Safe when several servers do it at once.

    Raises:
        importlib.metadata.PackageNotFoundError: a distribution is missing: the installation is broken.
    """
    wanted = {name: target for package in DISTRIBUTIONS for name, target in _top_level(package).items()}
    if folder.is_dir() and {path.name for path in folder.iterdir()} == set(wanted):
        return folder
    folder.parent.mkdir(parents=True, exist_ok=True)
    building = Path(tempfile.mkdtemp(dir=folder.parent, prefix=".runtime-"))
    for name, target in wanted.items():
        (building / name).symlink_to(target)
    with contextlib.suppress(OSError):  # another server was faster, with the same links
        os.replace(building, folder)  # noqa: PTH105 - replaces an empty folder only
    return folder if folder.is_dir() else building


def _top_level(package: str) -> dict[str, Path]:
    """The importable files and folders that a distribution installs, by their name."""
    found: dict[str, Path] = {}
    for file in importlib.metadata.files(package) or ():
        name = file.parts[0]
        if name.endswith(".dist-info") or name in {"..", "__pycache__"} or name.startswith("bin"):
            continue
        root = Path(str(file.locate()))
        for _ in file.parts[1:]:
            root = root.parent
        found[name] = root
    return found
