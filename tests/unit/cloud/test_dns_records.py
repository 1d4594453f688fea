"""Route 53's routing policies, and DNS messages, by example."""

import struct

import pytest

from harness.cloud.dns import wire
from harness.cloud.dns.records import Record, choose, matching


def record(value: str, **fields: object) -> Record:
    return Record(name="api.example.com.", kind="A", values=(value,), **fields)  # type: ignore[arg-type] # by field


def chosen(records: list[Record], sick: str = "", *, region: str = "us-east-1", draw: float = 0.0) -> list[str]:
    found = choose(records, lambda one: one.values[0] not in sick.split(), region=region, draw=draw)
    return [one.values[0] for one in found]


def test_failover_goes_to_the_secondary_while_only_that_is_healthy() -> None:
    both = [record("second", failover="SECONDARY"), record("first", failover="PRIMARY")]
    assert chosen(both) == ["first"]
    assert chosen(both, "first") == ["second"]
    assert chosen(both, "first second") == ["first"]


@pytest.mark.parametrize(("draw", "answer"), [(0.0, "a"), (0.24, "a"), (0.25, "b"), (0.99, "b")])
def test_weights_split_the_draws(draw: float, answer: str) -> None:
    assert chosen([record("a", weight=1), record("b", weight=3)], draw=draw) == [answer]


def test_an_unhealthy_weighted_record_gives_its_share_to_the_others() -> None:
    assert chosen([record("a", weight=1), record("b", weight=3)], "b", draw=0.9) == ["a"]


def test_latency_prefers_the_clients_region_then_its_continent() -> None:
    three = [record("ie", region="eu-west-1"), record("or", region="us-west-2"), record("va", region="us-east-1")]
    assert chosen(three) == ["va"]
    assert chosen(three, "va") == ["or"]
    assert chosen(three, "va or") == ["ie"]


def test_multivalue_answers_every_healthy_one_up_to_eight() -> None:
    many = [record(str(number), multivalue=True) for number in range(10)]
    assert len(chosen(many)) == 8
    assert set(chosen(many[:3], "1")) == {"0", "2"}


def test_a_name_of_its_own_goes_before_a_wildcard() -> None:
    exact, wild = record("exact"), Record(name="*.example.com.", kind="A", values=("wild",))
    assert matching([wild, exact], "API.example.com", "A") == [exact]
    assert matching([wild, exact], "other.example.com", "A") == [wild]
    assert matching([wild, exact], "api.example.com", "TXT") == []


def test_a_query_is_read_and_answered_as_dns_has_it() -> None:
    name = b"\x03api\x07example\x03com\x00"
    query = struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 0) + name + struct.pack("!HH", 1, 1)
    question = wire.read_question(query)
    assert question is not None
    assert (question.id, question.name, question.kind) == (7, "api.example.com.", "A")
    line = wire.Line(name=question.name, kind="A", ttl_s=5, value="127.0.0.1")
    answer = wire.write_answer(question, [line])
    assert struct.unpack_from("!HHHHHH", answer) == (7, 0x8500, 1, 1, 0, 0)
    assert answer.endswith(name + struct.pack("!HHIH", 1, 1, 5, 4) + b"\x7f\x00\x00\x01")
    cut = wire.write_answer(question, [line] * 60, limit=512)
    assert len(cut) < 512
    assert struct.unpack_from("!H", cut, 2)[0] & 0x0200
    assert wire.read_question(answer) is None
    assert wire.read_question(b"nonsense") is None
