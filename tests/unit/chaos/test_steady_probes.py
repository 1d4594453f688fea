"""Steady-state probes: asked before, during and after, with a reason where one does not hold."""

from contextlib import AbstractContextManager
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import EndpointConnectionError
from pydantic import ValidationError

from chaos import steady_probes
from chaos.drill_parts import ProbePart
from chaos.steady_probes import LOOK_EVERY_S, SteadyProbes, broken
from harness.errors import ConfigError
from harness.measure.journal import PROBE, JournalWriter, read_journal

QUEUE = {
    "name": "empty",
    "service": "sqs",
    "operation": "get_queue_attributes",
    "parameters": {"QueueUrl": "{outputs.url}", "AttributeNames": ["All"]},
    "path": "Attributes.ApproximateNumberOfMessages",
    "at_most": 0,
}


@pytest.mark.parametrize(
    ("limits", "found", "why"),
    [
        ({"at_most": 2}, "2", ""),
        ({"at_most": 2}, "3", "3 is more than 2"),
        ({"at_least": 2}, 2, ""),
        ({"at_least": 2}, 1, "1 is less than 2"),
        ({"at_least": 1, "at_most": 2}, 3, "3 is more than 2"),
        ({"equals": "ACTIVE"}, "ACTIVE", ""),
        ({"equals": "ACTIVE"}, "UPDATING", "'UPDATING' is not 'ACTIVE'"),
        ({"at_most": 2}, None, "None is no number"),
    ],
)
def test_a_probe_holds_within_its_limits(limits: dict[str, Any], found: object, why: str) -> None:
    assert broken(ProbePart(name="p", url="http://localhost", **limits), found) == why


@pytest.mark.parametrize(
    "given",
    [
        {"name": "p", "at_most": 0},
        {"name": "p", "url": "http://localhost", "service": "sqs", "operation": "o", "path": "p", "at_most": 0},
        {"name": "p", "url": "http://localhost"},
        {"name": "p", "url": "http://localhost", "equals": 200, "at_most": 300},
    ],
)
def test_a_probe_that_asks_nothing_or_has_no_limit_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        ProbePart(**given)


class FakeTarget:
    """Gives the client that answers, or fails."""

    kind = "embedded"

    def __init__(self, answers: list[object]) -> None:
        self.answers, self.asked = answers, []

    def client(self, service: str, **config: object) -> Any:
        return self

    def get_queue_attributes(self, **parameters: object) -> object:
        self.asked.append(parameters)
        answer = self.answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return {"Attributes": {"ApproximateNumberOfMessages": answer}}


class Clock:
    """Stands still until it is moved."""

    at_s = 10.0

    def now_s(self) -> float:
        return self.at_s

    async def sleep(self, duration_s: float) -> None:
        raise NotImplementedError


def probes(folder: Path, answers: list[object]) -> tuple[SteadyProbes, FakeTarget, Clock, JournalWriter]:
    target, clock, journal = FakeTarget(answers), Clock(), JournalWriter(folder / "journal.jsonl")
    made = SteadyProbes(
        probes=[ProbePart(**QUEUE)],
        target=target,  # type: ignore[arg-type]
        filled=lambda text: text.replace("{outputs.url}", "http://queue"),
        journal=journal,
        clock=clock,
    )
    return made, target, clock, journal


def test_looks_are_a_second_apart_and_each_is_noted_with_what_it_found(tmp_path: Path) -> None:
    asked, target, clock, journal = probes(tmp_path, ["0", "4", EndpointConnectionError(endpoint_url="u"), "0"])
    assert asked.look("before") == ""
    assert asked.look("before") == ""
    clock.at_s += LOOK_EVERY_S
    assert asked.look("during") == "empty: 4 is more than 0"
    assert asked.look("during", now=True).startswith("empty: no answer: EndpointConnectionError")
    assert asked.look("after", now=True) == ""
    assert target.asked == [{"QueueUrl": "http://queue", "AttributeNames": ["All"]}] * 4
    journal.close()
    noted = [event.detail for event in read_journal(tmp_path / "journal.jsonl").named(PROBE)]
    assert [(one["phase"], one["holds"], one["found"]) for one in noted] == [
        ("before", True, "0"),
        ("during", False, "4"),
        ("during", False, None),
        ("after", True, "0"),
    ]


def test_a_probe_leaves_this_machine_on_aws_only(tmp_path: Path) -> None:
    asked, *_ = probes(tmp_path, [])
    asked.probes = [ProbePart(name="away", url="http://192.0.2.1/", equals=200)]
    with pytest.raises(ConfigError, match="would leave this machine"):
        asked.look("before")


class Answer(AbstractContextManager["Answer"]):
    """Of a server that is not there."""

    status = 200

    def __exit__(self, *_: object) -> None:
        return None


@pytest.mark.parametrize(
    ("url", "kind", "asked"),
    [
        ("http://127.0.0.1:9/", "embedded", True),
        ("http://192.0.2.1/", "embedded", False),
        ("https://192.0.2.1/", "aws", True),
        ("file:///etc/hostname", "aws", False),
    ],
)
def test_a_probe_asks_over_http_and_abroad_on_aws_only(
    url: str, kind: str, asked: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(steady_probes.urllib.request, "urlopen", lambda *_, **__: Answer())
    made, target, _, journal = probes(tmp_path, [])
    made.probes = [ProbePart(name="page", url=url, equals=200)]
    target.kind = kind
    if asked:
        assert made.look("before") == ""
    else:
        with pytest.raises(ConfigError, match="would leave this machine"):
            made.look("before")
    journal.close()
