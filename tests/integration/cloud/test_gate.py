"""Faults as an SDK sees them: in exact wire form, for as long as they are in force, and gone when healed."""

import contextlib
import http.client
import socket
import threading
import time
from typing import Any

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, HTTPClientError, ReadTimeoutError

from harness.cloud.client import RunningCloud
from harness.cloud.faults import (
    ApiError,
    Blackhole,
    CommitThenFail,
    Dose,
    Effect,
    FaultRule,
    Latency,
    Reset,
    Selector,
)
from harness.cloud.identify import OBSERVER_APP_ID
from harness.errors import ConfigError
from tests.waiting import until

ITEM = {"id": {"S": "1"}}


def inject(
    cloud: RunningCloud, effect: Effect, *, lease_s: float = 30.0, dose: Dose | None = None, **selector: str
) -> None:
    picked = Selector(**{"service": "dynamodb", "operation": "PutItem", **selector})  # type: ignore[arg-type]
    cloud.control.put_rule(
        FaultRule(id="r", owner="test", selector=picked, effect=effect, lease_s=lease_s, dose=dose or Dose())
    )


def put(table: Any) -> None:
    table.put_item(TableName="orders", Item=ITEM)


def stored(table: Any) -> bool:
    return "Item" in table.get_item(TableName="orders", Key=ITEM, ConsistentRead=True)


def test_an_error_is_the_services_own_and_nothing_is_applied(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, ApiError(code="ProvisionedThroughputExceededException"))
    with pytest.raises(table.exceptions.ProvisionedThroughputExceededException) as caught:
        put(table)
    assert caught.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
    assert not stored(table)


def test_a_reset_is_a_reset_and_nothing_is_applied(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, Reset())
    with pytest.raises((ConnectionClosedError, HTTPClientError)) as caught:
        put(table)
    assert "reset" in str(caught.value).lower() or "closed" in str(caught.value).lower()
    assert not stored(table)


def test_commit_then_fail_applies_what_the_client_believes_lost(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, CommitThenFail())
    with pytest.raises((ConnectionClosedError, HTTPClientError)):
        put(table)
    assert stored(table)


def test_latency_delays_and_then_answers(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, Latency(delay_s=0.4))
    began_s = time.monotonic()
    put(table)
    assert time.monotonic() - began_s >= 0.4
    assert stored(table)


def test_a_call_that_no_rule_picks_is_untouched(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, Reset(), resource="other-table")
    put(table)
    assert cloud.control.rules()[0].matched == 0


def test_what_fired_is_counted_and_told_when_healed(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, ApiError(code="InternalServerError"), dose=Dose(limit=2))
    for _ in range(2):
        with pytest.raises(ClientError):
            put(table)
    put(table)
    (report,) = cloud.control.rules()
    assert (report.matched, report.fired) == (3, 2)
    (ended,) = cloud.control.remove(owner="test")
    assert ended.fired == 2
    assert cloud.control.remove(owner="test") == []


@pytest.mark.parametrize("effect", [Blackhole(hold_s=60.0), Latency(delay_s=60.0)])
def test_healing_ends_the_wait_of_a_call_in_flight(cloud: RunningCloud, table: Any, effect: Effect) -> None:
    inject(cloud, effect)
    ended: list[float] = []

    def call() -> None:
        with contextlib.suppress(HTTPClientError):
            put(table)
        ended.append(time.monotonic())

    thread = threading.Thread(target=call)
    thread.start()
    time.sleep(0.5)
    assert not ended
    cloud.control.heal()
    thread.join(50)  # and the hold is of a minute
    assert ended
    put(table)


def test_a_black_hole_is_a_timeout_to_an_impatient_client(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, Blackhole(hold_s=60.0))
    impatient = cloud.target.client("dynamodb", retries={"total_max_attempts": 1}, read_timeout=0.5)
    with pytest.raises(ReadTimeoutError):
        put(impatient)


def test_a_rule_dies_with_its_lease_when_nobody_renews_it(cloud: RunningCloud, table: Any) -> None:
    def felt() -> bool:
        inject(cloud, Reset(), lease_s=0.6)
        with contextlib.suppress(HTTPClientError):
            put(table)
            return False  # it was over before the call came
        return True

    assert until(felt)
    assert until(lambda: not cloud.control.rules())
    put(table)


def test_what_a_drill_looks_with_meets_no_fault(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, ApiError(code="InternalServerError"), operation="*")
    looking = cloud.target.client("dynamodb", user_agent_appid=OBSERVER_APP_ID)
    assert looking.scan(TableName="orders")["Count"] == 0
    assert [(report.matched, report.fired) for report in cloud.control.rules()] == [(0, 0)]
    with pytest.raises(ClientError):
        put(table)
    assert [report.fired for report in cloud.control.rules()] == [1]


def test_healing_twice_is_fine_and_says_what_ended(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, Reset())
    cloud.control.cut_power("use1-az2", owner="test")
    healed = cloud.control.heal()
    assert healed["rules"] == ["r"]
    assert healed["zones"] == ["use1-az2"]
    again = cloud.control.heal()
    assert again["rules"] == again["zones"] == []


def test_a_power_cut_dies_with_its_lease(cloud: RunningCloud) -> None:
    def dark() -> bool:
        cloud.control.cut_power("use1-az1", owner="test", lease_s=0.5)
        return not _powered(cloud, "use1-az1")

    assert until(dark)
    assert until(lambda: _powered(cloud, "use1-az1"))


def _powered(cloud: RunningCloud, zone_id: str) -> bool:
    return bool(next(zone["powered"] for zone in cloud.control.zones() if zone["id"] == zone_id))


def test_a_rule_that_cannot_be_meant_is_refused_with_the_reason(cloud: RunningCloud) -> None:
    with pytest.raises(ConfigError, match="probability"):
        inject(cloud, Reset(), dose=Dose(probability=3.0))


def test_calls_are_counted_by_operation(cloud: RunningCloud, table: Any) -> None:
    for _ in range(3):
        table.put_item(TableName="orders", Item={"id": {"S": "a"}})
    counted = {(c["service"], c["operation"], c["function"]): c["count"] for c in cloud.control.calls()}
    assert counted["dynamodb", "PutItem", ""] >= 3


def test_control_plane_calls_are_recorded(cloud: RunningCloud, table: Any) -> None:
    since_s = time.monotonic()
    put(table)
    table.update_table(TableName="orders", BillingMode="PAY_PER_REQUEST")
    calls = cloud.control.control_plane_calls(since_s, time.monotonic())
    assert [(call["service"], call["operation"], call["resource"]) for call in calls] == [
        ("dynamodb", "UpdateTable", "orders")
    ]


def test_the_control_api_tells_a_stranger_nothing(cloud: RunningCloud) -> None:
    host, port = cloud.target.endpoint.removeprefix("http://").split(":")  # type: ignore[union-attr]
    for headers in ({}, {"x-blackstart-token": "guess"}):
        for method, path in (("GET", "faults"), ("POST", "stop"), ("POST", "heal"), ("GET", "nothing")):
            connection = http.client.HTTPConnection(host, int(port), timeout=60)
            connection.request(method, f"/_blackstart/{path}", headers=headers)
            answer = connection.getresponse()
            assert answer.status == 403
            assert b"zones" not in answer.read()
            connection.close()
    assert cloud.control.alive()


def test_the_cloud_listens_on_loopback_only(cloud: RunningCloud) -> None:
    import psutil

    listening = {c.laddr.ip for c in psutil.Process(cloud.pid).net_connections() if c.status == psutil.CONN_LISTEN}
    assert listening
    assert listening <= {"127.0.0.1", "::1"}


@pytest.mark.parametrize(
    "garbage", [b"GET / HTTP/9.9\r\n\r\n", b"\x00\xff\xfe\r\n\r\n", b"POST /%%% HTTP/1.1\r\nHost: x\r\n\r\n"]
)
def test_garbage_on_the_wire_does_no_harm(cloud: RunningCloud, table: Any, garbage: bytes) -> None:
    host, port = cloud.target.endpoint.removeprefix("http://").split(":")  # type: ignore[union-attr]
    with socket.create_connection((host, int(port)), timeout=60) as wire:
        wire.sendall(garbage)
        wire.recv(4096)
    put(table)


def test_reset_forgets_every_resource_and_every_fault(cloud: RunningCloud, table: Any) -> None:
    inject(cloud, Reset())
    cloud.control.reset()
    assert table.list_tables()["TableNames"] == []
    assert cloud.control.rules() == []


def test_an_answer_has_the_headers_that_aws_sends_and_no_others(cloud: RunningCloud, table: Any) -> None:
    sent = table.list_tables()["ResponseMetadata"]["HTTPHeaders"]
    assert sent["x-amzn-requestid"]
    assert "," not in sent["date"][5:]  # one date, not two
    assert not [name for name in sent if name.startswith(("access-control-", "x-amz-id"))]
    by_s3 = cloud.target.client("s3").list_buckets()["ResponseMetadata"]["HTTPHeaders"]
    assert by_s3["x-amz-request-id"]
