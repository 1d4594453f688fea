"""What runs for a container image: an entry of `[images]`, or Docker where an engine answers."""

from __future__ import annotations

import functools
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from harness.cloud.settings import LocalImage

_ASK_S = 5.0


class CannotPullContainerError(Exception):
    """No such image here; the text is the stopped reason of the task."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Launch:
    """A command line, its folder, and whether environment variables must be named on it (Docker)."""

    argv: tuple[str, ...]
    folder: Path | None = None
    docker: bool = False


@dataclass(frozen=True, slots=True)
class Images:
    """The images of one cloud, by name."""

    known: Mapping[str, LocalImage]

    def launch(self, image: str, command: Sequence[str], entry_point: Sequence[str]) -> Launch:
        """What starts a container of `image`.

        An image's command in `[images]` is its ENTRYPOINT: the task definition's `command` follows it, and its
        `entryPoint` replaces it.

        Raises:
            CannotPullContainerError: the image is not known and no Docker engine answers.
        """
        found = self._find(image)
        if found is not None:
            argv = (*(entry_point or found.command), *command)
            program = sys.executable if argv[0] in {"python", "python3"} else argv[0]
            return Launch(argv=(program, *argv[1:]), folder=Path(found.dir))
        if docker_answers():
            entry = ("--entrypoint", entry_point[0]) if entry_point else ()
            return Launch(argv=("docker", "run", "--rm", "--network", "host", *entry, image, *command), docker=True)
        said = f"no entry for image {image!r} in [images] of blackstart.toml, and no Docker engine answers"
        raise CannotPullContainerError(f"CannotPullContainerError: {said}")

    def _find(self, image: str) -> LocalImage | None:
        return next((self.known[name] for name in names_of(image) if name in self.known), None)


def names_of(image: str) -> tuple[str, ...]:
    """What an image is called in `[images]`: its whole name, without its digest, its tag, or the last part.

    >>> names_of("0123.dkr.example/shop/web:7@sha256:1f")[1:]
    ('0123.dkr.example/shop/web:7', '0123.dkr.example/shop/web', 'web')
    """
    bare = image.partition("@")[0]
    untagged = bare.rpartition(":")[0] if ":" in bare.rpartition("/")[2] else bare
    return image, bare, untagged, untagged.rpartition("/")[2]


@functools.cache
def docker_answers() -> bool:
    """True when a Docker engine answers; asked once, and never where there is no `docker` program."""
    if shutil.which("docker") is None:
        return False
    try:
        asked = subprocess.run(["docker", "version"], capture_output=True, timeout=_ASK_S, check=False)
    except (OSError, subprocess.TimeoutExpired):
        return False
    return asked.returncode == 0


def search_path() -> str:
    """PATH of a container's process: the programs beside our Python first."""
    here = str(Path(sys.executable).parent)
    return os.pathsep.join((here, os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin")))
