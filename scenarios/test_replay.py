"""Replaying the archive sends every event again; nobody is charged twice."""

import time
import uuid
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

pytestmark = pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb", "s3", "sns")


def test_a_replay_charges_nobody_twice(shop: Any, blackstart_aws: Any, eventually: Any) -> None:
    order_id = shop.place(("tea", 1)).body["order_id"]
    eventually(lambda: shop.status(order_id) == "FULFILLED", what="the order fulfilled")
    events = blackstart_aws("events")
    archive = events.describe_archive(ArchiveName=shop.outputs["archive_arn"].rpartition("/")[2])
    name = f"replay-{uuid.uuid4().hex[:8]}"
    now = datetime.now(UTC)
    events.start_replay(
        ReplayName=name,
        EventSourceArn=shop.outputs["archive_arn"],
        EventStartTime=now - timedelta(minutes=30),
        EventEndTime=now + timedelta(seconds=1),
        Destination={"Arn": archive["EventSourceArn"]},
    )
    ended = {"COMPLETED", "FAILED", "CANCELLED"}
    state = eventually(
        lambda: (s := events.describe_replay(ReplayName=name)["State"]) in ended and s, what="the replay"
    )
    assert state == "COMPLETED"
    time.sleep(1)  # what was replayed passes the queue
    assert (shop.charges(order_id), shop.receipts(order_id)) == (1, 1)
    assert shop.status(order_id) == "FULFILLED"
