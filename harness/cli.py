"""The `blackstart` command: words to parts, and the only place that prints and exits."""

from __future__ import annotations

import errno
import os
import signal
import sys
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from harness.errors import BlackstartError, InterruptedByUserError, NotReadyError, StoppedError, UsageError

if TYPE_CHECKING:
    from cyclopts import App

    from harness.commands.answer import Answer


def command_table() -> App:
    """Every command, by the words that call it. Loading them takes a moment, in which Ctrl-C must already work."""
    from importlib.metadata import version

    from cyclopts import App
    from cyclopts.config import Env

    from harness.commands import deployment, fis, job, machine, report, stack, state, tracing, tuning

    app = App(
        name="blackstart",
        help="Bring an AWS serverless stack up on one machine, break it, and measure whether it comes back in time.",
        config=Env("BLACKSTART_", command=False),
        version=version("blackstart"),
        version_flags=["--version"],
        help_flags=["--help", "-h"],
    )
    commands = (
        job.run,
        deployment.up,
        stack.down,
        deployment.preview,
        deployment.deploy,
        deployment.destroy,
        deployment.refresh,
        job.test,
        job.load,
        job.drill,
        tuning.tune,
        fis.fis,
        stack.heal,
        stack.status,
        stack.logs,
        tracing.trace,
        machine.doctor,
        machine.init,
        machine.ui,
        report.report,
        state.state,
        state.stack,
    )
    for command in commands:
        app.command(command)
    return app


_LEFT_BEHIND = "every fault is healed and nothing of it runs on; what was deployed stands in the state"
"""What is true after a command was broken off, whatever it was."""


_FILE_WIDTH = 120
"""Of tables where there is no terminal whose width could be asked."""

_UNWRITABLE = frozenset({errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.ENOSPC, errno.EDQUOT})


def main(arguments: Sequence[str] | None = None) -> None:
    """Run one command and exit with the code of the contract; see docs/measures.md."""
    words = list(sys.argv[1:] if arguments is None else arguments)
    signal.signal(signal.SIGTERM, _as_interrupt)
    sys.exit(_execute(words))


def _as_interrupt(_number: int, _frame: object) -> None:
    """SIGTERM is Ctrl-C: everything is rolled back on the way out."""
    raise KeyboardInterrupt


def _execute(words: list[str]) -> int:
    """The exit code of one command line; prints its answer or its error."""
    as_json = _switched_on(words, "--json") or _switched_on(words, "--events")
    try:
        answer = _run(words)
        _print_answer(words, answer, as_json=as_json)
    except BlackstartError as error:
        return _refuse(words, error, as_json=as_json)
    except KeyboardInterrupt:
        return _refuse(words, InterruptedByUserError(f"interrupted; {_LEFT_BEHIND}"), as_json=as_json)
    except Exception as error:  # noqa: BLE001 - the roof: a defect of ours must still exit with a clear code
        if "-v" in words or "--verbose" in words:
            import traceback

            traceback.print_exc()
        return _refuse(words, _named(error), as_json=as_json)
    return answer.exit_code


def _named(error: Exception) -> BlackstartError:
    """What nobody foresaw: a folder that cannot be written in is the machine's, anything else a defect of ours."""
    if isinstance(error, OSError) and error.errno in _UNWRITABLE and error.filename:
        return NotReadyError(
            str(error.strerror),
            where=str(error.filename),
            hint="everything is written to .blackstart beside blackstart.toml: make room there, or make it writable",
        )
    return BlackstartError(
        f"a defect in blackstart: {type(error).__name__}: {error}",
        hint="run again with -v and report the traceback",
    )


def _switched_on(words: Sequence[str], flag: str) -> bool:
    """True when `flag` is among the words or set by its variable."""
    variable = "BLACKSTART_" + flag.removeprefix("--").upper().replace("-", "_")
    return flag in words or os.environ.get(variable, "").lower() in {"1", "true", "yes", "y", "t"}


def _run(words: list[str]) -> Answer:
    """What the command says.

    Raises:
        UsageError: there is no such command or option.
    """
    from cyclopts import CycloptsError

    from harness.commands.answer import DEFAULTS, Answer

    try:
        command, bound, _ = command_table().parse_args(words, exit_on_error=False, print_error=False)
    except CycloptsError as error:
        raise UsageError(" ".join(str(error).split()), hint="blackstart --help") from error
    options = bound.arguments.get("options", DEFAULTS)
    answer = _with_deadline(getattr(options, "timeout", None), lambda: command(*bound.args, **bound.kwargs))
    return answer if isinstance(answer, Answer) else Answer()  # --help and --version print for themselves


def _with_deadline(timeout_s: float | None, body: Callable[[], Any]) -> Any:  # whatever the command returns
    """`body()`, stopped with StoppedError after `timeout_s` seconds."""
    if timeout_s is None:
        return body()
    if timeout_s <= 0:
        raise UsageError(f"{timeout_s} s is no time", where="--timeout")

    def expire(_number: int, _frame: object) -> None:
        raise StoppedError(f"not done after {timeout_s:g} s; {_LEFT_BEHIND}", where="--timeout")

    before = signal.signal(signal.SIGALRM, expire)
    signal.setitimer(signal.ITIMER_REAL, timeout_s)
    try:
        return body()
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)


def _print_answer(words: Sequence[str], answer: Answer, *, as_json: bool) -> None:
    if as_json:
        error = {"code": "failed", "message": answer.error, "where": "", "hint": ""} if answer.exit_code else None
        _print_json(words, ok=answer.exit_code == 0, data=answer.data, error=error)
    elif answer.shown is not None:
        from rich.console import Console
        from rich.text import Text

        laid_out = isinstance(answer.shown, str | Text)  # its lines are as long as they should be
        width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _FILE_WIDTH
        Console(highlight=False, soft_wrap=laid_out, emoji=False, width=width).print(
            answer.shown, markup=not laid_out, crop=False
        )


def _refuse(words: Sequence[str], error: BlackstartError, *, as_json: bool) -> int:
    if as_json:
        body = {"code": error.code, "message": error.what, "where": error.where, "hint": error.hint}
        _print_json(words, ok=False, data=None, error=body)
    else:
        from rich.console import Console

        Console(stderr=True, highlight=False, soft_wrap=True, emoji=False).print(f"blackstart: {error}", markup=False)
    return error.exit_code


def _print_json(words: Sequence[str], *, ok: bool, data: Any, error: Any) -> None:  # any JSON
    import json

    import msgspec

    command = next((word for word in words if word in command_table()), "")
    body = {"schema": 1, "command": command, "ok": ok, "data": msgspec.to_builtins(data), "error": error}
    sys.stdout.write(json.dumps(body) + "\n")
