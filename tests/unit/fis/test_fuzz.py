"""Thousands of malformed requests, made from the service model: each gets AWS's own error shape, never a 500."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import botocore.session
import pytest
from botocore.model import Shape
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chaos.fis import targets
from chaos.fis.actions import ACTIONS, ELSEWHERE
from chaos.fis.errors import FisError, SerializationException
from chaos.fis.finding import Resource
from chaos.fis.region import Quotas
from chaos.fis.resource_types import RESOURCE_TYPES
from chaos.fis.service import FisService
from harness.clock import SystemClock
from harness.cloud.copies.keeper import ReplicationKeeper
from harness.cloud.doors import Doors
from harness.cloud.evidence import Evidence
from harness.cloud.faults import RuleBook
from harness.cloud.tasks.faults import TaskFaults
from harness.cloud.zones import ZoneKeeper, zones_of
from harness.target import EMBEDDED, endpoint_target

MODEL = botocore.session.get_session().get_service_model("fis")
KNOWN = {cls.code: cls.status for cls in (*FisError.__subclasses__(), SerializationException)}
FUNCTION = "arn:aws:lambda:us-east-1:000000000000:function:fulfil"
WORDS = [
    *ACTIONS, *ELSEWHERE, *RESOURCE_TYPES, "none", "aws:cloudwatch:alarm", "ALL", "COUNT(1)", "PERCENT(50)", "fail",
    "skip", "PT1M", "PT999999999H", "P", "true", "100", "use1-az2", FUNCTION, "t", "a", "Functions", "single-account",
    "arn:aws:iam::000000000000:role/fis", "arn:aws:logs:us-east-1:000000000000:log-group:g:*", "COUNT(٣)", "²",
]  # fmt: skip
TEXTS = (
    st.sampled_from(WORDS) | st.text(max_size=20) | st.sampled_from(["", " ", "x" * 3000, "\ud83d", "\x00", "ä" * 70])
)
JUNK = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False),
    TEXTS,
    st.lists(TEXTS, max_size=7),
    st.dictionaries(TEXTS, TEXTS, max_size=3),
)


def of_shape(shape: Shape, depth: int = 0) -> st.SearchStrategy[Any]:
    """Values of about this shape: members missing, and now and then another type."""
    if depth > 5:
        return JUNK
    match shape.type_name:
        case "structure":
            members = {name: of_shape(inner, depth + 1) for name, inner in shape.members.items()}
            required = {name: members.pop(name) for name in shape.required_members}
            made: st.SearchStrategy[Any] = st.fixed_dictionaries(required, optional=members)
        case "map":
            made = st.dictionaries(TEXTS, of_shape(shape.value, depth + 1), max_size=3)
        case "list":
            made = st.lists(of_shape(shape.member, depth + 1), max_size=6)
        case "integer":
            made = st.integers(-3, 200)
        case _:
            made = TEXTS
    return st.one_of(*[made] * 40, JUNK)


def power(**changes: Any) -> dict[str, Any]:
    parameters = {"duration": "PT1M", "availabilityZoneIdentifier": "use1-az2"}
    return {"actionId": "blackstart:az:interrupt-power", "parameters": parameters, **changes}


VALID = {
    "clientToken": "c",
    "description": "d",
    "roleArn": "arn:aws:iam::000000000000:role/fis",
    "stopConditions": [{"source": "none"}],
    "targets": {
        "t": {
            "resourceType": "aws:lambda:function",
            "resourceTags": {"role": "fulfil"},
            "selectionMode": "ALL",
            "filters": [{"path": "Runtime", "values": ["python3.12"]}],
        }
    },
    "actions": {
        "a": {
            "actionId": "aws:lambda:invocation-error",
            "parameters": {"duration": "PT1M", "preventExecution": "true"},
            "targets": {"Functions": "t"},
            "startAfter": ["b"],
        },
        "b": power(),
    },
    "tags": {"k": "v"},
    "experimentOptions": {"emptyTargetResolutionMode": "skip"},
    "experimentReportConfiguration": {"postExperimentDuration": "PT1M"},
}


@st.composite
def nearly_valid(draw: st.DrawFn) -> Any:
    """A valid template with one to three of its parts replaced, removed or added to."""
    template = json.loads(json.dumps(VALID))
    for _ in range(draw(st.integers(1, 2))):
        place: Any = template
        while True:
            keys = list(place) if isinstance(place, dict) else list(range(len(place)))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if isinstance(place[key], dict | list) and place[key] and draw(st.booleans()):
                place = place[key]
                continue
            change = draw(st.sampled_from(["replace", "replace", "replace", "remove", "add"]))
            if change == "remove":
                del place[key]
            elif change == "add" and isinstance(place, dict):
                place[draw(TEXTS)] = draw(JUNK)
            else:
                same_type = isinstance(place[key], str) and draw(st.integers(0, 9))
                place[key] = draw(TEXTS if same_type else JUNK)
            break
    return template


class Wire:
    """The service, called as the gate calls it."""

    def __init__(self) -> None:
        clock = SystemClock()
        evidence = Evidence(clock)
        self.doors = Doors(
            faults=RuleBook(clock, evidence),
            zones=ZoneKeeper(zones_of("us-east-1", 3), evidence),
            evidence=evidence,
            clock=clock,
            target=endpoint_target("http://127.0.0.1:9", regions=["us-east-1"]),
            capabilities=EMBEDDED,
            replication=ReplicationKeeper(evidence),
            tasks=TaskFaults(evidence, Path("unused")),
        )
        self.service = FisService(self.doors, Quotas(templates=10**6, active_experiments=10**6))
        self.loop = asyncio.new_event_loop()

    def __call__(self, method: str, path: str, body: bytes = b"", query: str = "") -> tuple[int, str, dict[str, Any]]:
        """Status, error type, body."""
        return self.loop.run_until_complete(self.ask(method, path, body, query))

    async def ask(self, method: str, path: str, body: bytes, query: str) -> tuple[int, str, dict[str, Any]]:
        sent: list[dict[str, Any]] = []

        async def receive() -> dict[str, Any]:
            return {"type": "http.request", "body": body, "more_body": False}

        async def send(message: dict[str, Any]) -> None:
            sent.append(message)

        scope = {
            "type": "http", "method": method, "path": path, "raw_path": path.encode("latin-1", "replace"),
            "query_string": query.encode("latin-1", "replace"), "headers": [],
        }  # fmt: skip
        await self.service(scope, receive, send)
        headers = dict(sent[0]["headers"])
        answer = json.loads(b"".join(m.get("body", b"") for m in sent[1:]))
        return sent[0]["status"], headers.get(b"x-amzn-errortype", b"").decode(), answer


@pytest.fixture
def wire(monkeypatch: pytest.MonkeyPatch) -> Iterator[Wire]:
    functions = [Resource(arn=FUNCTION, tags={"role": "fulfil"}, described={"Runtime": "python3.12"})]
    monkeypatch.setattr(targets, "FINDERS", {"aws:lambda:function": ("lambda", lambda *_, **__: functions)})
    made = Wire()
    monkeypatch.setattr("chaos.fis.clients.Clients.warm", lambda *_: None)
    yield made
    made.loop.run_until_complete(made.service.heal())
    made.loop.close()


def check(answer: tuple[int, str, dict[str, Any]]) -> bool:
    """True when it was accepted; else it must be an error that the model knows, with its message."""
    status, kind, body = answer
    if status == 200:
        return True
    assert kind in KNOWN, answer
    assert KNOWN[kind] == status
    assert body["message"]
    return False


FUZZ = settings(
    max_examples=2000,
    deadline=None,
    derandomize=True,
    database=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow, HealthCheck.data_too_large],
)


ACCEPTED: list[bool] = []


@FUZZ
@given(
    template=nearly_valid() | nearly_valid() | of_shape(MODEL.operation_model("CreateExperimentTemplate").input_shape)
)
def test_a_template_is_accepted_or_refused_and_what_is_accepted_ends(wire: Wire, template: Any) -> None:
    if isinstance(template, dict) and template.get("clientToken") == "c":
        template["clientToken"] = str(id(template))
    answer = wire("POST", "/experimentTemplates", json.dumps(template).encode())
    ACCEPTED.append(check(answer))
    if not ACCEPTED[-1]:
        return
    identity = answer[2]["experimentTemplate"]["id"]
    start = json.dumps({"clientToken": identity, "experimentTemplateId": identity}).encode()
    status, _, started = wire("POST", "/experiments", start)
    assert status == 200
    experiment = started["experiment"]["id"]
    wire.loop.run_until_complete(asyncio.sleep(0.001))
    for _ in range(2):
        assert wire("DELETE", f"/experiments/{experiment}")[0] == 200
    ended = wire("GET", f"/experiments/{experiment}")[2]["experiment"]
    assert ended["state"]["status"] in {"stopped", "failed", "completed"}
    assert {a["state"]["status"] for a in ended["actions"].values()} <= {
        "stopped", "cancelled", "completed", "skipped", "failed",
    }  # fmt: skip
    assert wire.doors.faults.reports() == []
    assert wire.doors.zones.dark() == {}


@pytest.mark.parametrize("body", [b"{", b"\xff", b"[]", b"1", b'{"a":' * 5000, b"[" * 900 + b"]" * 900, b"null"])
def test_what_is_no_request_is_refused(wire: Wire, body: bytes) -> None:
    assert not check(wire("POST", "/experimentTemplates", body))


def test_the_fuzz_reached_both_sides() -> None:
    assert len(ACCEPTED) < 100 or 0.02 < sum(ACCEPTED) / len(ACCEPTED) < 0.9


OPERATIONS = [MODEL.operation_model(name) for name in MODEL.operation_names]


@settings(FUZZ, max_examples=1000)
@given(data=st.data())
def test_every_operation_answers_anything(wire: Wire, data: st.DataObject) -> None:
    operation = data.draw(st.sampled_from(OPERATIONS))
    label = data.draw(TEXTS | st.sampled_from(["default", "EXTx", "%zz", "%2F", ".."])).replace("/", "%2F") or "x"
    path = operation.http["requestUri"]
    for name in operation.input_shape.members:
        path = path.replace("{" + name + "}", label)
    body = data.draw(of_shape(operation.input_shape) | st.binary(max_size=30))
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    query = data.draw(
        st.sampled_from(["", "maxResults=x", "maxResults=0", "nextToken=%00", "nextToken=cm93IC0x", "&=&"])
    )
    check(wire(operation.http["method"], path, raw, query))
