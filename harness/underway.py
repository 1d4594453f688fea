"""Which commands are at work in this folder: what takes things down asks before it pulls the ground from under them.

Each leaves a record of its process while it works; one whose process is gone does not count.
"""

from __future__ import annotations

import contextlib
import os
import signal
import time
from collections.abc import Callable, Collection, Iterator

from harness import processes
from harness.errors import NotReadyError, RefusedError
from harness.processes import ProcessRecord
from harness.workspace import Workspace

_ROLLS_BACK_S = 120.0
"""How long a command that was asked to end may take to heal and write its reports."""

_LOOK_S = 0.1


@contextlib.contextmanager
def at_work(workspace: Workspace, word: str) -> Iterator[None]:
    """While open, other commands can see that the command `word` is at work here."""
    processes.record(os.getpid(), role=word, registry=workspace.commands)
    try:
        yield
    finally:
        processes.forget(workspace.commands, os.getpid())


def commands(workspace: Workspace) -> list[ProcessRecord]:
    """The commands at work here but this one, each with its word as role; records of killed ones are deleted."""
    found = []
    for command in processes.records(workspace.commands):
        if not command.alive:
            processes.forget(workspace.commands, command.pid)
        elif command.pid != os.getpid():
            found.append(command)
    return found


def make_way(
    workspace: Workspace,
    words: Collection[str],
    *,
    consent: bool,
    tell: Callable[[str], None],
    patience_s: float = _ROLLS_BACK_S,
) -> None:
    """Return when none of the commands `words` is at work here; with `consent` they are ended, with their rollback.

    Raises:
        RefusedError: one is, and nobody consented to end it.
        NotReadyError: one that was asked to end is still there after `patience_s`.
    """
    others = [command for command in commands(workspace) if command.role in words]
    if not others:
        return
    named = _named(others)
    if not consent:
        raise RefusedError(
            f"at work here: {named}",
            where=str(workspace.root),
            hint=f"wait for it, or end it with its rollback: kill {_pids(others)}; with --yes that is done first",
        )
    tell(f"ending {named}: it rolls back first, which may take {patience_s:g} s")
    for command in others:
        with contextlib.suppress(ProcessLookupError):
            os.kill(command.pid, signal.SIGTERM)
    until_s = time.monotonic() + patience_s
    while left := [one for one in others if one.alive]:
        if time.monotonic() >= until_s:
            raise NotReadyError(
                f"still at work {patience_s:g} s after it was asked to end: {_named(left)}",
                where=str(workspace.root),
                hint=f"nothing was taken down: wait for it, or kill -9 {_pids(left)}, and the next command clears up",
            )
        time.sleep(_LOOK_S)


def _named(commands: Collection[ProcessRecord]) -> str:
    return ", ".join(f"{one.role} (pid {one.pid})" for one in commands)


def _pids(commands: Collection[ProcessRecord]) -> str:
    return " ".join(str(one.pid) for one in commands)
