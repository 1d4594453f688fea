"""What a drill file says of a failover: the standby, and the procedure with its trigger."""

from __future__ import annotations

import re
import shlex
import shutil
from importlib.util import find_spec
from pathlib import Path
from typing import Self

from pydantic import BaseModel, ConfigDict, field_validator, model_validator

from harness.config import Duration
from harness.errors import ConfigError

_FUNCTION = re.compile(r"([A-Za-z_][\w.]*):([A-Za-z_]\w*)")


class _Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class StandbyPart(_Strict):
    """A second stack in `region`, deployed before the workload begins and taken away when the drill is over.

    Its outputs are placeholders `{outputs.standby_NAME}`. `program` is beside the drill file, `config` Pulumi's.
    `protect` is a procedure that runs while the baseline is taken, such as a backup.
    """

    program: str
    region: str
    config: dict[str, str] = {}
    protect: str = ""


class FailoverPart(_Strict):
    """What is done when the fault is there: `procedure`, as `module:function` or a command.

    It begins `after` the start of the experiment, as a person who was told would, or with an `alarm` of the
    experiment's region. After `timeout` it is ended and has failed. Without a procedure, names and clients do it all.
    """

    procedure: str = ""
    after: Duration | None = None
    alarm: str = ""
    timeout: Duration = "180s"

    @model_validator(mode="after")
    def _one_trigger(self) -> Self:
        if bool(self.procedure) != (bool(self.alarm) + (self.after is not None) == 1):
            raise ValueError("a procedure needs either after or alarm")
        return self

    @field_validator("procedure")
    @classmethod
    def _is_split(cls, value: str) -> str:
        shlex.split(value)
        return value


def function_of(procedure: str) -> tuple[str, str] | None:
    """Module and function of a procedure; None when it is a command."""
    found = _FUNCTION.fullmatch(procedure.strip())
    return (found[1], found[2]) if found else None


def check_procedure(procedure: str, *, folder: Path, where: str) -> None:
    """Refuse a procedure that cannot be there, before anything starts; functions are looked for when it runs.

    Raises:
        ConfigError: no such module, here or beside the drill file, or no such program.
    """
    named = function_of(procedure)
    if named is None:
        words = shlex.split(procedure)
        if words and shutil.which(words[0]) is None:
            raise ConfigError(f"no program {words[0]!r}", where=where, hint="or name a function: module:function")
        return
    beside = folder.joinpath(*named[0].split("."))
    try:
        known = beside.with_suffix(".py").is_file() or find_spec(named[0]) is not None
    except ModuleNotFoundError:
        known = False
    if not known:
        raise ConfigError(f"no module {named[0]!r}", where=where, hint=f"looked for it in {folder} too")
