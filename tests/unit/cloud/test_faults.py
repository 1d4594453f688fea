"""Rules: which calls they hit, how often, for how long, and what they prove."""

import json
from typing import Any

import pytest

from harness.cloud.call import AwsCall, Caller
from harness.cloud.evidence import Evidence
from harness.cloud.faults import (
    ApiError,
    Blackhole,
    CommitThenFail,
    Dose,
    FaultRule,
    FunctionError,
    Latency,
    Reset,
    RuleBook,
    Selector,
    parse_rule,
)
from harness.errors import ConfigError

PUT = AwsCall(service="dynamodb", operation="PutItem", region="us-east-1", account="000000000000", resource="orders")
GET = AwsCall(service="dynamodb", operation="GetItem", region="us-east-1", account="000000000000", resource="orders")
FROM_B = AwsCall(
    service="dynamodb",
    operation="PutItem",
    region="us-east-1",
    account="000000000000",
    caller=Caller(zone_id="use1-az2", subnet_id="subnet-b", function="fulfil"),
)


def rule(**changes: Any) -> FaultRule:
    given = {"id": "r1", "owner": "EXP1", "selector": Selector(service="dynamodb"), "effect": Reset(), **changes}
    return FaultRule(**given)


@pytest.fixture
def book(clock: Any) -> RuleBook:
    return RuleBook(clock, Evidence(clock))


@pytest.mark.parametrize(
    ("selector", "hit"),
    [
        (Selector(), True),
        (Selector(service="dynamodb", operation="Put*"), True),
        (Selector(service="s3"), False),
        (Selector(operation="Get*"), False),
        (Selector(resource="ord*"), True),
        (Selector(resource="orders-2"), False),
        (Selector(region="us-west-2"), False),
        (Selector(account="0000*"), True),
        (Selector(layer="invocation"), False),
        (Selector(caller_zone="use1-az2"), False),
    ],
)
def test_a_selector_picks_its_calls(book: RuleBook, selector: Selector, hit: bool) -> None:
    effect = FunctionError() if selector.layer == "invocation" else Reset()
    book.put(rule(selector=selector, effect=effect))
    assert bool(book.decide(PUT)) is hit
    assert book.reports()[0].matched == book.reports()[0].fired == int(hit)


@pytest.mark.parametrize(
    ("selector", "hit"),
    [
        (Selector(caller_zone="use1-az2"), True),
        (Selector(caller_zone="use1-az1"), False),
        (Selector(caller_subnet="subnet-b"), True),
        (Selector(caller_function="ful*"), True),
    ],
)
def test_a_caller_is_picked_by_where_it_runs(book: RuleBook, selector: Selector, hit: bool) -> None:
    book.put(rule(selector=selector))
    assert bool(book.decide(FROM_B)) is hit
    assert book.decide(PUT) == []


def test_the_same_seed_hits_the_same_calls(clock: Any) -> None:
    def pattern(seed: int) -> list[bool]:
        book = RuleBook(clock, Evidence(clock))
        book.put(rule(dose=Dose(probability=0.3), seed=seed))
        return [bool(book.decide(PUT)) for _ in range(2000)]

    assert pattern(7) == pattern(7)
    assert pattern(7) != pattern(8)
    assert sum(pattern(7)) / 2000 == pytest.approx(0.3, abs=0.04)


def test_a_limited_dose_fires_so_often_and_matches_on(book: RuleBook) -> None:
    book.put(rule(dose=Dose(limit=2)))
    assert [bool(book.decide(PUT)) for _ in range(5)] == [True, True, False, False, False]
    (report,) = book.reports()
    assert (report.matched, report.fired) == (5, 2)


def test_effects_compose_latency_first_then_the_connection_then_the_error(book: RuleBook) -> None:
    for number, effect in enumerate((ApiError(code="X"), CommitThenFail(), Blackhole(), Latency(delay_s=1.0))):
        book.put(rule(id=f"r{number}", effect=effect))
    assert [type(effect) for effect in book.decide(PUT)] == [Latency, Blackhole, CommitThenFail, ApiError]


def test_a_rule_dies_with_its_lease_unless_it_is_renewed(book: RuleBook, clock: Any) -> None:
    book.put(rule(lease_s=30.0))
    clock.at_s += 29
    assert book.renew("EXP1") == 1
    clock.at_s += 29
    assert book.decide(PUT)
    clock.at_s += 2
    assert book.decide(PUT) == []
    assert book.reports() == []
    assert not book.in_force("r1")


def test_healing_may_be_repeated_and_tells_what_ended(book: RuleBook, clock: Any) -> None:
    ended: list[str] = []
    book.on_removed(ended.append)
    book.put(rule())
    book.put(rule(id="r2", owner="EXP2"))
    book.decide(PUT)
    assert [report.rule.id for report in book.remove(owner="EXP1")] == ["r1"]
    assert book.remove(owner="EXP1") == []
    assert [report.rule.id for report in book.remove()] == ["r2"]
    assert book.remove() == []
    assert ended == ["r1", "r2"]


def test_the_evidence_says_when_a_rule_first_fired_and_how_often(clock: Any) -> None:
    evidence = Evidence(clock)
    book = RuleBook(clock, evidence)
    book.put(rule())
    clock.at_s += 5
    book.decide(PUT)
    book.decide(PUT)
    book.remove()
    told = [(event.kind, event.at_s, event.owner) for event in evidence.since()]
    assert told == [
        ("fault_injected", 1000.0, "EXP1"),
        ("fault_fired", 1005.0, "EXP1"),
        ("fault_healed", 1005.0, "EXP1"),
    ]
    assert evidence.since()[-1].detail["fired"] == 2


def test_a_replaced_rule_counts_anew_and_a_renewed_one_counts_on(book: RuleBook) -> None:
    book.put(rule())
    book.decide(PUT)
    book.put(rule())
    assert book.reports()[0].fired == 1
    book.put(rule(dose=Dose(limit=9)))
    assert book.reports()[0].fired == 0


def test_a_service_without_rules_costs_a_look_up(book: RuleBook) -> None:
    book.put(rule(selector=Selector(service="s3", resource="photos")))
    assert not book.concern("api", "dynamodb").any
    assert book.concern("api", "s3").any
    assert book.concern("api", "s3").resource
    assert not book.concern("api", "dynamodb").resource


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"dose": {"probability": 1.5}}, "probability 1.5 is outside 0..1"),
        ({"dose": {"probabilty": 0.5}}, "probability"),
        ({"dose": {"limit": 0}}, "limit 0 is below 1"),
        ({"lease_s": 0}, "lease"),
        ({"lease_s": 1e9}, "lease"),
        ({"effect": {"kind": "latency", "delay_s": -1}}, "delay_s of -1"),
        ({"effect": {"kind": "latency", "delay_s": float("nan")}}, "not"),
        ({"effect": {"kind": "latncy"}}, "latncy"),
        ({"effect": {"kind": "function_error"}}, "cannot act on layer 'api'"),
        ({"selector": {"layer": "invocation"}}, "cannot act on layer 'invocation'"),
        ({"selector": {"servce": "s3"}}, "service"),
        ({"nonsense": 1}, "nonsense"),
        (
            {"selector": {"service": "dynamo"}},
            "selector.service did you mean 'dynamodb'?",
        ),
        ({"selector": {"service": "states"}}, "did you mean 'stepfunctions'?"),
        ({"selector": {"service": "dynamo?"}}, "no service 'dynamo?'"),
        ({"selector": {"except_services": ["s33"]}}, "except_services"),
        ({"selector": {"service": "s3", "operation": "GetObjekt"}}, "did you mean 'GetObject'?"),
        ({"selector": {"service": "s3", "operation": "Fetch*"}}, "s3 has no operation 'Fetch*'"),
    ],
)
def test_what_cannot_be_meant_is_refused(book: RuleBook, changes: dict[str, Any], said: str) -> None:
    wanted = {"id": "r", "owner": "o", "selector": {}, "effect": {"kind": "reset"}, **changes}
    with pytest.raises(ConfigError) as caught:
        book.put(parse_rule(json.dumps(wanted).encode()))
    assert said in f"{caught.value.what} {caught.value.where} {caught.value.hint}"


def test_garbage_is_refused() -> None:
    with pytest.raises(ConfigError):
        parse_rule(b"{")
