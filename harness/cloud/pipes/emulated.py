"""ministack's pipes with a runner behind them. Alone it moves table streams to topics and state machines, whole."""

from __future__ import annotations

import base64
import json
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.pipes.running import PipeRunner
from harness.cloud.pipes.targets import Deliverer, refusal
from harness.cloud.signals.emulated import in_scope
from harness.cloud.ticker import Ticker
from harness.target import Target

Body = dict[str, Any]  # wire JSON
_KEPT = (
    "SourceParameters",
    "Enrichment",
    "EnrichmentParameters",
    "TargetParameters",
    "LogConfiguration",
    "KmsKeyIdentifier",
)
_LOOK_S = 0.1


@dataclass(slots=True)
class Pipes:
    """Installed once a server; a thread moves what there is until `close`."""

    runner: PipeRunner
    _ticker: Ticker = field(init=False)

    def __post_init__(self) -> None:
        self._ticker = Ticker("pipes", _LOOK_S, self._pass)

    @classmethod
    def install(cls, target: Target) -> Pipes:
        """Stand in for ministack's poller, and keep what CreatePipe is given."""
        from ministack.services import pipes

        found = cls(PipeRunner(Deliverer(target), _matches))
        pipes._create_pipe = _checked(pipes._create_pipe)  # noqa: SLF001 - this file is the seam into ministack's pipes
        pipes._update_pipe = _checked(pipes._update_pipe)  # noqa: SLF001
        pipes._describe_response = _described(pipes._describe_response)  # noqa: SLF001
        pipes._ensure_poller = found._ticker.start  # noqa: SLF001
        return found

    def close(self) -> None:
        """End."""
        self._ticker.stop()

    def _pass(self) -> bool:
        from ministack.services import pipes

        moved = False
        for account, region, pipe in list(pipes._iter_all_pipes()):  # noqa: SLF001
            if pipe.get("CurrentState") != "RUNNING":
                continue
            try:
                with in_scope(account, region):
                    moved |= self.runner.move(pipe)
            except Exception:
                logging.getLogger(__name__).exception("pipe %s", pipe.get("Name"))
        return moved


def _checked(builtin: Callable[[str, Body], Any]) -> Callable[[str, Body], Any]:
    """Create or update: what would move nothing is refused by name, and every parameter is kept."""

    def change(name: str, body: Body) -> Any:
        from ministack.services import pipes

        known = pipes._pipes.get(name) or {}  # noqa: SLF001
        ends = [str(body.get(key) or known.get(key) or "") for key in ("Source", "Target", "Enrichment")]
        wrong = refusal(*ends)
        if wrong:
            return pipes._error(400, "ValidationException", wrong)  # noqa: SLF001
        # ministack starts to move what it registers: it must know all of the pipe before.
        desired = str(body.get("DesiredState") or known.get("DesiredState") or "RUNNING")
        answer = builtin(name, {**body, "DesiredState": "STOPPED"})
        pipe = pipes._pipes.get(name)  # noqa: SLF001
        if answer[0] < 300 and pipe is not None:
            pipe.update({key: body[key] for key in _KEPT if key in body})
            pipe["DesiredState"] = pipe["CurrentState"] = desired.upper()
            return pipes._json_resp(200, pipes._lifecycle_response(pipe))  # noqa: SLF001
        return answer

    return change


def _described(builtin: Callable[[Body], Body]) -> Callable[[Body], Body]:
    return lambda pipe: {**builtin(pipe), **{key: pipe[key] for key in _KEPT if pipe.get(key)}}


def _matches(record: Mapping[str, Any], patterns: list[str]) -> bool:
    """Whether a record matches one of the patterns; body and data are looked into where they are JSON."""
    from ministack.services import lambda_svc

    shown = dict(record)
    for name in ("body", "data"):
        if isinstance(shown.get(name), str):
            text = base64.b64decode(shown[name]).decode(errors="replace") if name == "data" else shown[name]
            try:
                shown[name] = json.loads(text)
            except ValueError:
                continue
    return any(lambda_svc._match_esm_filter(shown, json.loads(pattern)) for pattern in patterns)  # noqa: SLF001
