"""The `command` package: local commands. They see the target as `AWS_ENDPOINT_URL`, never real AWS by accident."""

from __future__ import annotations

import contextlib
import hashlib
import os
import secrets
import signal
import subprocess
from collections.abc import Mapping
from typing import ClassVar

from harness.deploy.engine.values import Archive, Asset
from harness.deploy.providers.globs import selected
from harness.deploy.providers.local_type import LocalType
from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError

_SHELL = ("/bin/sh", "-c")
_SHOWN_CHARACTERS = 2_000


class Command(LocalType):
    """command:local:Command: a command for each step of a life; the id is the name and eight hex digits."""

    token: ClassVar = "command:local:Command"
    replace_on: ClassVar = frozenset({"triggers"})

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Run `create`."""
        resource_id = context.name + secrets.token_hex(4)
        return resource_id, {**inputs, **_ran(context, str(inputs.get("create") or ""), inputs)}

    def update(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """Run `update`, or `create` again where there is none."""
        del resource_id, olds
        command = str(news.get("update") or news.get("create") or "")
        return {**news, **_ran(context, command, news, context.prior)}

    def delete(self, context: Context, resource_id: str, state: Properties) -> None:
        """Run `delete`."""
        del resource_id
        _ran(context, str(state.get("delete") or ""), state, state)


def run(context: Context, arguments: Properties) -> Properties:
    """command.local.run: at each preview and each deployment."""
    return {**arguments, **_ran(context, str(arguments["command"]), arguments)}


def _ran(
    context: Context, command: str, inputs: Properties, before: Mapping[str, object] | None = None
) -> Properties:
    """Run `command` (nothing for an empty one); its output, and the files that were asked for.

    Raises:
        ProviderError: it failed, or did not end in the resource's time.
    """
    if not command:
        return {"stdout": "", "stderr": ""}
    environment = {**os.environ, **context.target.environment, **(inputs.get("environment") or {})}
    if before and str(inputs.get("addPreviousOutputInEnv", True)).lower() == "true":
        for stream in ("stdout", "stderr"):
            environment[f"PULUMI_COMMAND_{stream.upper()}"] = str(before.get(stream) or "")
    with subprocess.Popen(
        [*(inputs.get("interpreter") or _SHELL), command],
        cwd=context.folder / str(inputs.get("dir") or "."),
        env={key: str(value) for key, value in environment.items()},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    ) as process:
        try:
            stdout, stderr = process.communicate(str(inputs.get("stdin") or ""), timeout=context.timeout_s)
        except subprocess.TimeoutExpired as error:
            raise ProviderError(f"the command took longer than {context.timeout_s:g} s", where=context.urn) from error
        finally:
            with contextlib.suppress(ProcessLookupError):  # what the command left running goes with it
                os.killpg(process.pid, signal.SIGKILL)
    if process.returncode:
        said = (stderr or stdout).strip()[-_SHOWN_CHARACTERS:]
        raise ProviderError(f"the command ended with {process.returncode}: {said}", where=context.urn)
    return {"stdout": stdout.rstrip("\r\n"), "stderr": stderr.rstrip("\r\n"), **_files(context, inputs)}


def _files(context: Context, inputs: Properties) -> Properties:
    folder = context.folder / str(inputs.get("dir") or ".")

    def assets(globs: list[str]) -> dict[str, Asset]:
        return {
            name: Asset("path", str(folder / name), hashlib.sha256((folder / name).read_bytes()).hexdigest())
            for name in selected(folder, globs)
        }

    found: Properties = {}
    if inputs.get("assetPaths"):
        found["assets"] = assets(inputs["assetPaths"])
    if inputs.get("archivePaths"):
        inside = assets(inputs["archivePaths"])
        digest = hashlib.sha256(repr(sorted((name, one.hash) for name, one in inside.items())).encode())
        found["archive"] = Archive("assets", inside, digest.hexdigest())
    return found


RESOURCES = (Command(),)
INVOKES: Mapping[str, Invoke] = {"command:local:run": run}
