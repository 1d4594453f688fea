"""Steady-state probes: questions that a drill asks before, during and after the experiment.

Before: each must hold at every look of the baseline, or nothing is injected. During: what stopped holding, and when.
After: objective `probes` counts those that do not hold at the last look.
"""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import jmespath
from botocore.exceptions import BotoCoreError, ClientError

from chaos.drill_parts import ProbePart
from harness.clock import Clock
from harness.cloud.identify import OBSERVER_APP_ID
from harness.errors import ConfigError
from harness.load.loopback import is_loopback
from harness.measure import journal as names
from harness.measure.journal import JournalWriter
from harness.target import Target

LOOK_EVERY_S = 1.0
_ANSWER_S = 5.0

Phase = Literal["before", "during", "after"]
"""When a look was: in the baseline, from the start of the experiment on, and the last one."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Look:
    """What one probe found: `found` as JSON, `why` where it does not hold."""

    name: str
    found: Any  # JSON: a status, or what the path of an AWS answer leads to
    why: str = ""


@dataclass(slots=True, kw_only=True)
class SteadyProbes:
    """The probes of one drill run; `filled` puts the stack's outputs into texts."""

    probes: Sequence[ProbePart]
    target: Target
    filled: Callable[[str], str]
    journal: JournalWriter
    clock: Clock
    _looked_s: float = field(default=float("-inf"))

    def look(self, phase: Phase, *, now: bool = False) -> str:
        """Ask every probe and note what it found; the first reason why one does not hold, or ''.

        Does nothing within `LOOK_EVERY_S` of the last look, unless it has to be `now`.
        """
        if not self.probes or (not now and self.clock.now_s() - self._looked_s < LOOK_EVERY_S):
            return ""
        looks = [self._ask(probe) for probe in self.probes]
        self._looked_s = self.clock.now_s()
        for one in looks:
            self.journal.event(
                names.PROBE,
                self._looked_s,
                probe=one.name,
                phase=phase,
                holds=not one.why,
                found=one.found,
                why=one.why,
            )
        return next((f"{one.name}: {one.why}" for one in looks if one.why), "")

    def _ask(self, probe: ProbePart) -> Look:
        try:
            found = self._status(probe) if probe.url else self._answer(probe)
        except (ClientError, BotoCoreError, OSError) as error:
            return Look(name=probe.name, found=None, why=f"no answer: {type(error).__name__}: {error}")
        return Look(name=probe.name, found=found, why=broken(probe, found))

    def _status(self, probe: ProbePart) -> int:
        request = urllib.request.Request(self.filled(probe.url))  # noqa: S310 - checked below
        if request.type not in {"http", "https"} or (
            self.target.kind != "aws" and not is_loopback(request.host.partition(":")[0])
        ):
            raise ConfigError(f"probe {probe.name!r} would leave this machine", where=request.full_url)
        try:
            with urllib.request.urlopen(request, timeout=_ANSWER_S) as answer:  # noqa: S310
                return int(answer.status)
        except urllib.error.HTTPError as error:
            with error:
                return error.code

    def _answer(self, probe: ProbePart) -> Any:  # JSON
        client = self.target.client(
            probe.service,
            connect_timeout=_ANSWER_S,
            read_timeout=_ANSWER_S,
            retries={"total_max_attempts": 1},
            user_agent_appid=OBSERVER_APP_ID,
        )
        parameters = json.loads(json.dumps(probe.parameters), object_hook=self._filled_in)
        return jmespath.search(probe.path, getattr(client, probe.operation)(**parameters))

    def _filled_in(self, part: Mapping[str, Any]) -> dict[str, Any]:
        return {key: self.filled(value) if isinstance(value, str) else value for key, value in part.items()}


def broken(probe: ProbePart, found: Any) -> str:  # JSON
    """Why what was found is not steady, or ''."""
    if probe.equals is not None:
        return "" if found == probe.equals else f"{found!r} is not {probe.equals!r}"
    try:
        number = float(found)
    except (TypeError, ValueError):
        return f"{found!r} is no number"
    if probe.at_most is not None and number > probe.at_most:
        return f"{number:g} is more than {probe.at_most:g}"
    if probe.at_least is not None and number < probe.at_least:
        return f"{number:g} is less than {probe.at_least:g}"
    return ""
