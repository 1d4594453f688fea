"""The `pulumi` executable as a process of ours: in its own group, on record, ended with us."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

from harness import processes
from harness.deploy.pulumi_cli.settings import is_kept_from
from harness.errors import NotReadyError
from harness.target import Target

EXECUTABLE = "pulumi"
_GRACE_S = 30.0  # after an interrupt the CLI waits for the operations under way and writes its state
Tell = Callable[[str], None]


def is_installed() -> bool:
    """True where `pulumi` is on PATH."""
    return shutil.which(EXECUTABLE) is not None


def pulumi_command(registry: Path, target: Target) -> Any:  # a PulumiCommand; pulumi.automation has no types for us
    """The CLI, of a version that fits the SDK.

    Raises:
        NotReadyError: it is not installed, or too old, or too new.
    """
    if not is_installed():
        raise NotReadyError(
            "the Pulumi CLI is not installed",
            where="--engine pulumi",
            hint="install it from https://www.pulumi.com/docs/install, or use --engine embedded",
        )
    from pulumi.automation import InvalidVersionError, PulumiCommand
    from pulumi.automation._cmd import CommandResult
    from pulumi.automation.errors import create_command_error

    class RecordedCommand(PulumiCommand):  # type: ignore[misc] # the base comes without types
        """Runs the CLI as the base class does, but as a process of ours."""

        def run(
            self,
            args: list[str],
            cwd: str,
            additional_env: Mapping[str, str],
            on_output: Tell | None = None,
            on_error: Tell | None = None,
        ) -> Any:  # a CommandResult
            """One command; raises a CommandError when it fails."""
            kept = {key: value for key, value in os.environ.items() if not is_kept_from(target, key)}
            environment = {**kept, **additional_env, "PULUMI_AUTOMATION_API": "true"}
            argv = [str(self.command), "--non-interactive", *args]
            code, output, errors = run_process(
                argv, registry=registry, cwd=Path(cwd), environment=environment, tell=(on_output, on_error)
            )
            result = CommandResult(stdout=output, stderr=errors, code=code)
            if code:
                raise create_command_error(result)
            return result

    try:
        return RecordedCommand()
    except InvalidVersionError as error:
        raise NotReadyError(str(error), where=shutil.which(EXECUTABLE) or "", hint="update the Pulumi CLI") from error
    except (OSError, subprocess.CalledProcessError) as error:
        raise NotReadyError(
            f"the Pulumi CLI does not run: {error}",
            where=shutil.which(EXECUTABLE) or "",
            hint="try: pulumi version; or use --engine embedded",
        ) from error


def run_process(
    argv: list[str],
    *,
    registry: Path,
    cwd: Path,
    environment: Mapping[str, str],
    tell: tuple[Tell | None, Tell | None],
) -> tuple[int, str, str]:
    """Exit code, stdout and stderr. An interrupt goes on to the CLI, which then ends in order."""
    process = processes.spawn(
        argv,
        role="pulumi",
        registry=registry,
        env=environment,
        cwd=cwd,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    said: tuple[list[str], list[str]] = ([], [])
    readers = [
        threading.Thread(target=_read, args=(stream, lines, hear), daemon=True)
        for stream, lines, hear in zip((process.stdout, process.stderr), said, tell, strict=True)
    ]
    for reader in readers:
        reader.start()
    try:
        code = process.wait()
    except BaseException:  # Ctrl-C, SIGTERM or --timeout: the CLI's own processes are in its group
        os.killpg(process.pid, signal.SIGINT)
        with_patience(process)
        raise
    finally:
        processes.stop(process, registry=registry, grace_s=1.0)
        for reader in readers:
            reader.join(2.0)
    return code, "\n".join(said[0]), "\n".join(said[1])


def with_patience(process: subprocess.Popen[bytes]) -> None:
    """Wait until the CLI has ended in order, but not for ever."""
    try:
        process.wait(_GRACE_S)
    except subprocess.TimeoutExpired:
        return


def _read(stream: IO[bytes], lines: list[str], hear: Tell | None) -> None:
    with stream:
        for raw in stream:
            line = raw.decode(errors="replace").rstrip()
            lines.append(line)
            if hear is not None:
                hear(line)
