"""up, preview, refresh, destroy, export and import with the real CLI."""

from __future__ import annotations

import json
import os
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from harness.deploy.engine.events import Listener
from harness.deploy.engine.project import read_project
from harness.deploy.pulumi_cli.events import EventReader, plain_text
from harness.deploy.pulumi_cli.settings import endpoint_services, provider_settings
from harness.deploy.pulumi_cli.workspace import Place, configure, open_stack
from harness.deploy.request import DeployRequest, DeployResult
from harness.errors import BlackstartError, NotReadyError, ProgramError, ProviderError, StateError

_QUIET = {"color": "never", "suppress_progress": True}
_OF_PROGRAM = ("Program failed", "Traceback (most recent call last)", "unhandled exception", "exited with non-zero")


def up(request: DeployRequest, on_event: Listener) -> DeployResult:
    """Make the stack what the program says; see `harness.deploy.api.up`."""
    return _changing(
        request,
        on_event,
        lambda stack, hear: stack.up(on_event=hear, show_secrets=False, **_scope(request, changing=True), **_QUIET),
    )


def destroy(request: DeployRequest, on_event: Listener) -> DeployResult:
    """Delete every resource of the stack; see `harness.deploy.api.destroy`."""
    return _changing(
        request,
        on_event,
        lambda stack, hear: stack.destroy(on_event=hear, show_secrets=False, **_scope(request), **_QUIET),
    )


def refresh(request: DeployRequest, on_event: Listener, *, dry_run: bool = False) -> DeployResult:
    """Bring the state to what is on AWS; see `harness.deploy.api.refresh`."""

    def act(stack: Any, hear: EventReader) -> Any:  # a result of the Automation API
        scope = _scope(request)
        if dry_run:
            return stack.preview_refresh(on_event=hear, **scope, **_QUIET)
        return stack.refresh(on_event=hear, show_secrets=False, **scope, **_QUIET)

    return _changing(request, on_event, act, dry_run=dry_run)


def preview(request: DeployRequest, on_event: Listener) -> DeployResult:
    """What `up` would do; see `harness.deploy.api.preview`."""
    return _changing(
        request,
        on_event,
        lambda stack, hear: stack.preview(on_event=hear, **_scope(request, changing=True), **_QUIET),
        dry_run=True,
    )


def export_state(request: DeployRequest) -> dict[str, Any]:
    """Deployment version 3 as the CLI has it, secrets encrypted (the Automation API would show them)."""
    with _errors(EventReader(_nobody, dry_run=True), request):
        said = _run(_stack(request, configured=False), "stack", "export")
    document: dict[str, Any] = json.loads(said)
    return document


def import_state(request: DeployRequest, document: Mapping[str, Any]) -> None:
    """Make `document` the state that the CLI has of the stack."""
    with _errors(EventReader(_nobody, dry_run=True), request), tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "state.json")
        file.write_text(json.dumps(document), encoding="utf-8")
        _run(_stack(request, configured=False), "stack", "import", "--file", str(file))


def has_stack(state_dir: Path, project: str, stack: str) -> bool:
    """True when the CLI has this stack, with or without resources."""
    return Place(folder=state_dir).checkpoint(project, stack).is_file()


def _changing(
    request: DeployRequest,
    on_event: Listener,
    act: Callable[[Any, EventReader], Any],
    *,
    dry_run: bool = False,
) -> DeployResult:
    started_s = time.monotonic()
    reader = EventReader(on_event, dry_run=dry_run)
    with _errors(reader, request):
        stack = _stack(request)
        outputs = getattr(act(stack, reader), "outputs", {})
    return DeployResult(
        outputs={key: "[secret]" if found.secret else found.value for key, found in outputs.items()},
        resources=len(reader.living),
        changes=dict(reader.counts),
        duration_s=time.monotonic() - started_s,
        engine="pulumi",
    )


def _stack(request: DeployRequest, *, configured: bool = True) -> Any:  # a Stack of the Automation API
    project, program = read_project(
        request.program, request.stack, region=request.target.region, overrides=request.config
    )
    passphrase = request.passphrase or os.environ.get("PULUMI_CONFIG_PASSPHRASE", "")
    stack = open_stack(Place(folder=request.state_dir), project, program, request.target, passphrase)
    if configured:
        configure(stack, project, provider_settings(request.target, endpoint_services()))
    return stack


def _run(stack: Any, *words: str) -> str:
    """What the CLI prints to these words."""
    result = stack._run_pulumi_cmd_sync(list(words))  # noqa: SLF001 - the public way shows every secret
    return str(result.stdout)


def _scope(request: DeployRequest, *, changing: bool = False) -> dict[str, Any]:
    """`--target`, `--target-dependents`, `--replace` and `--refresh` of the CLI."""
    scope: dict[str, Any] = {}
    if request.only:
        scope["target"] = [_pattern(pattern) for pattern in request.only.patterns]
        scope["target_dependents"] = request.dependents
    if changing and request.replace:
        scope["replace"] = [_pattern(pattern) for pattern in request.replace.patterns]
    if changing and request.refresh:
        scope["refresh"] = True
    return scope


def _pattern(pattern: str) -> str:
    """One of our patterns as the CLI's: a URN, in which `**` stands for anything."""
    if pattern.startswith("urn:"):
        return pattern
    kind, _, name = pattern.rpartition("::")
    return f"urn:**{kind}::{name}" if kind else f"urn:**::{name}"


@contextmanager
def _errors(reader: EventReader, request: DeployRequest) -> Iterator[None]:
    """Around the CLI: its errors as ours, told as it told them."""
    from pulumi.automation import CommandError, ConcurrentUpdateError

    try:
        yield
    except ConcurrentUpdateError as error:
        raise StateError(
            f"the stack {request.stack} is locked by another deployment",
            where=str(Place(folder=request.state_dir).backend),
            hint=f"wait for it; if it was killed, take away its lock: {_locks(str(error))}",
        ) from error
    except CommandError as error:
        raise in_words(reader, str(error), request) from error


def in_words(reader: EventReader, said: str, request: DeployRequest) -> BlackstartError:
    """The error that the diagnostics and the CLI's own text amount to."""
    messages = [message for _, message in reader.errors]
    text = "\n".join(messages) or _stderr(said)
    if reader.failed:
        event = reader.failed[0]
        reason = event.message or text
        return ProviderError(
            f"{event.op} of {event.type} {event.name} failed: {reason}",
            where=event.urn,
            hint="what was done before is in the state; run again once it is mended",
        )
    if any(mark in text or mark in said for mark in _OF_PROGRAM):
        return ProgramError(
            f"the Pulumi program failed:\n{text}", where=str(request.program), hint="mend the program and run again"
        )
    if "plugin" in text and ("could not" in text or "no resource plugin" in text or "download" in text):
        return NotReadyError(
            f"the Pulumi CLI lacks a plugin: {text}",
            where="--engine pulumi",
            hint="pulumi plugin install resource aws, with internet; or use --engine embedded",
        )
    return ProviderError(f"pulumi failed: {text}", where="--engine pulumi")


def _stderr(said: str) -> str:
    """The stderr part of a CommandError's text, or all of it."""
    _, mark, after = said.partition("stderr:")
    return plain_text(after if mark else said)


def _locks(said: str) -> str:
    found = [word for word in said.replace("'", " ").split() if "locks" in word]
    return found[0] if found else "pulumi cancel"


def _nobody(_event: Any) -> None:
    return
