"""Links: which flows cross one, what a fault does to them, and that it ends."""

from __future__ import annotations

import asyncio
import os
import socket
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from harness.cloud.evidence import Evidence
from harness.cloud.links import OUTSIDE, LinkFault, Links, Passage, Place
from harness.errors import ConfigError

A = Place(region="us-east-1", zone_id="use1-az1", zone_name="us-east-1a", subnet_id="subnet-a")
B = Place(region="us-east-1", zone_id="use1-az2", zone_name="us-east-1b", subnet_id="subnet-b")
SERVICE = Place(region="us-east-1")
CUT = LinkFault(id="f", owner="test", near="us-east-1a", cut=True)


@pytest.fixture
def links(clock: Any) -> Links:
    return Links(Evidence(clock))


@pytest.mark.parametrize(
    ("near", "far", "one", "other", "crosses"),
    [
        ("us-east-1a", "", A, B, True),
        ("use1-az1", "", B, A, True),
        ("us-east-1a", "", A, OUTSIDE, True),
        ("us-east-1a", "", A, SERVICE, True),
        ("us-east-1a", "", A, A, False),
        ("us-east-1a", "", B, B, False),
        ("us-east-1a", "us-east-1b", A, B, True),
        ("us-east-1a", "us-east-1c", A, B, False),
        ("us-east-1a", "us-east-1b", A, OUTSIDE, False),
        ("subnet-a", "", A, replace(A, subnet_id="subnet-2"), True),
        ("us-east-1", "us-west-2", A, Place(region="us-west-2"), True),
        ("us-east-1", "", A, B, False),
    ],
)
def test_a_flow_crosses_a_link_when_its_ends_are_on_either_side(
    near: str, far: str, one: Place, other: Place, *, crosses: bool
) -> None:
    fault = LinkFault(id="f", owner="test", near=near, far=far, cut=True)
    assert fault.between(one, other) is crosses
    assert fault.between(other, one) is crosses


def test_a_cut_holds_until_it_is_healed_and_tells_that_it_fired(links: Links) -> None:
    healed: list[bool] = []
    links.on_healed.append(lambda: healed.append(True))
    passage = Passage(links, A, B)
    assert not passage.cut
    links.put(CUT)
    assert passage.cut
    assert not Passage(links, B, OUTSIDE).cut
    assert links.remove(owner="somebody else") == []
    assert links.remove(owner="test") == ["f"]
    assert not passage.cut
    assert healed == [True]
    kinds = [(event.kind, event.detail.get("fired")) for event in links.evidence.since()]
    assert kinds == [("fault_injected", None), ("fault_fired", None), ("fault_healed", 1)]


def test_a_lease_that_nobody_renews_ends_the_fault(links: Links, clock: Any) -> None:
    links.put(CUT)
    clock.at_s += 20
    links.renew("test")
    clock.at_s += 20
    links.expire()
    assert links.disturbed
    clock.at_s += 11
    links.expire()
    assert not links.disturbed


def test_latency_and_jitter_delay_each_segment_and_loss_is_paid_by_resending(links: Links) -> None:
    links.put(LinkFault(id="slow", owner="test", near="us-east-1a", latency_s=1.0, jitter_s=0.5))
    delays = [Passage(links, A, B).delay_s() for _ in range(500)]
    assert 0.5 <= min(delays) < 0.6
    assert 1.4 < max(delays) <= 1.5
    links.remove()
    links.put(LinkFault(id="lossy", owner="test", near="us-east-1a", loss=0.3))
    delays = [Passage(links, A, B).delay_s() for _ in range(1000)]
    assert {0.0, 0.2, 0.6} <= {round(delay, 3) for delay in delays}
    assert 600 < delays.count(0.0) < 800


def test_a_share_of_the_flows_is_hit_and_a_flow_stays_what_it_is(links: Links) -> None:
    links.put(msgspec.structs.replace(CUT, share=0.25))
    flows = [Passage(links, A, B) for _ in range(1000)]
    hit = [flow.cut for flow in flows]
    assert 200 < sum(hit) < 300
    assert [flow.cut for flow in flows] == hit
    (shown,) = links.shown()
    assert (shown["matched"], shown["fired"]) == (1000, sum(hit))


def test_calls_of_services_are_spared_where_the_fault_says_so(links: Links) -> None:
    links.put(msgspec.structs.replace(CUT, services=False))
    assert not Passage(links, A, SERVICE, is_call=True).cut
    assert Passage(links, A, B).cut


def test_regions_are_cut_from_each_other_as_a_whole_only(links: Links) -> None:
    links.put(LinkFault(id="f", owner="test", near="us-east-1", far="us-west-2", cut=True))
    assert links.cut_between("us-west-2", "us-east-1")
    assert not links.cut_between("us-east-1", "eu-west-1")
    links.remove()
    links.put(CUT)
    assert not links.cut_between("us-east-1", "us-west-2")


def test_what_is_sent_into_a_cut_arrives_once_it_is_healed(links: Links) -> None:
    links.put(CUT)

    async def send() -> bool:
        sent = asyncio.ensure_future(Passage(links, A, B).take())
        for _ in range(3):
            await asyncio.sleep(0)
        waiting = not sent.done()
        links.remove()
        await sent
        return waiting

    assert asyncio.run(send())


def test_a_connection_is_found_by_its_port_at_the_process_that_has_it(links: Links) -> None:
    links.populations.append(lambda: [(os.getpid(), A)])
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        with socket.create_connection(listener.getsockname()) as mine:
            assert links.whereabouts(mine.getsockname()[1], mine.getpeername()[1]) == A
    assert links.whereabouts(1, 2) == OUTSIDE


WRONG: list[dict[str, Any]] = [{"loss": 1.5}, {"share": -0.1}, {"latency_s": -1.0}, {"near": ""}, {"lease_s": 1e9}]


@pytest.mark.parametrize("change", WRONG)
def test_what_cannot_be_meant_is_refused(links: Links, change: dict[str, Any]) -> None:
    with pytest.raises(ConfigError, match=next(iter(change)).replace("near", "place")):
        links.put(msgspec.structs.replace(CUT, **change))
    assert not links.disturbed
