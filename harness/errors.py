"""Every error a person can meet, in one tree. Each says what happened, where, and what to do next.

BlackstartError                 exit code   when
├── UsageError                  2           a wrong command, flag or configuration
│   ├── ConfigError             2           blackstart.toml, a drill or a template; carries file:line and key
│   └── ProgramError            2           the user's Pulumi program raised or asked for what cannot be
├── RefusedError                3           real AWS or another command at work, without consent
├── NotReadyError               4           the environment cannot serve: port taken, missing tool, locked state
│   ├── ProviderError           4           AWS (or the emulator) refused an operation of the deployment
│   └── StateError              4           a state file is locked, corrupted, newer, or cannot be written
├── InconclusiveError           5           no verdict can be given honestly
├── StoppedError                6           stopped by a stop condition or by the user, after rollback
│   └── InterruptedByUserError  130         Ctrl-C or SIGTERM, after rollback
├── RollbackError               7           healing left something behind
└── NotSupportedError           5           the target lacks a capability; never counted as a pass
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable


class BlackstartError(Exception):
    """An error meant for a person.

    Args:
        what: one sentence that says what happened.
        where: `file:line`, key or resource; empty when the message already says it.
        hint: what to do next.
    """

    exit_code = 1
    code = "error"

    def __init__(self, what: str, *, where: str = "", hint: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.where = where
        self.hint = hint

    def __str__(self) -> str:
        """The three parts in one text, a line each."""
        lines = [f"{self.where}: {self.what}" if self.where else self.what]
        if self.hint:
            lines.append(f"  → {self.hint}")
        return "\n".join(lines)


class UsageError(BlackstartError):
    """The command, a flag or a file cannot be used as given."""

    exit_code = 2
    code = "usage"


class ConfigError(UsageError):
    """A value in blackstart.toml, a drill or an experiment template is wrong."""

    code = "config"


class ProgramError(UsageError):
    """The user's Pulumi program failed, or asks for something this engine does not support."""

    code = "program"


class RefusedError(BlackstartError):
    """What needs consent was asked for without it, or real AWS outside the allow-list."""

    exit_code = 3
    code = "refused"


class NotReadyError(BlackstartError):
    """The environment cannot serve: a port is taken, a tool is missing, a server did not start."""

    exit_code = 4
    code = "not_ready"


class ProviderError(NotReadyError):
    """An AWS operation of a deployment failed; names the URN, the AWS code and the message."""

    code = "provider"


class StateError(NotReadyError):
    """A state file is locked, corrupted, from a newer version, or cannot be written."""

    code = "state"


class InconclusiveError(BlackstartError):
    """No verdict can be given honestly: unsteady baseline, fault not felt, checker crashed."""

    exit_code = 5
    code = "inconclusive"


class NotSupportedError(BlackstartError):
    """The target lacks a capability. Reported by name, never counted as a pass."""

    exit_code = 5
    code = "not_supported"


class StoppedError(BlackstartError):
    """Stopped by a stop condition or by the user; the rollback is done."""

    exit_code = 6
    code = "stopped"


class InterruptedByUserError(StoppedError):
    """Ctrl-C or SIGTERM; the rollback is done."""

    exit_code = 130
    code = "interrupted"


class RollbackError(BlackstartError):
    """Healing left something behind; the message lists it."""

    exit_code = 7
    code = "rollback"


_MOST_NAMES = 20


def nearest(word: str, known: Iterable[str]) -> str:
    """The hint for an unknown name: the nearest valid one, or all of them (the first of many) when none is near.

    >>> nearest("drils", ["drills", "load"])
    "did you mean 'drills'?"
    >>> nearest("x", ["drills", "load"])
    'valid names: drills, load'
    """
    names = sorted(known)
    close = difflib.get_close_matches(word, names, n=1, cutoff=0.6)
    if close:
        return f"did you mean {close[0]!r}?"
    more = f" and {len(names) - _MOST_NAMES} more" if len(names) > _MOST_NAMES else ""
    return f"valid names: {', '.join(names[:_MOST_NAMES]) or 'none'}{more}"
