"""One order's log, from every function that it passed: found by its correlation id in CloudWatch Logs Insights."""

import time
import uuid
from typing import Any

import pytest

pytestmark = [
    pytest.mark.blackstart_requires("logs-insights"),
    pytest.mark.blackstart_covers("execute-api", "lambda", "dynamodb", "events", "sqs"),
]

PASSED = ("place", "publish", "fulfil")


def asked(logs: Any, groups: list[str], query: str) -> list[dict[str, str]]:
    """The rows that a query finds in the log of the last five minutes."""
    now = int(time.time())
    query_id = logs.start_query(logGroupNames=groups, startTime=now - 300, endTime=now + 60, queryString=query)[
        "queryId"
    ]
    while (answer := logs.get_query_results(queryId=query_id))["status"] in {"Scheduled", "Running"}:
        time.sleep(0.1)
    return [{cell["field"]: cell["value"] for cell in row} for row in answer["results"]]


def test_an_orders_log_is_found_by_the_id_that_its_customer_gave(shop: Any, http: Any, eventually: Any) -> None:
    logs, mark = shop.aws("logs"), f"call-{uuid.uuid4().hex}"
    groups = [f"/aws/lambda/{shop.outputs['functions'][label]}" for label in PASSED]
    order = {"customer": "ada", "items": [{"sku": "tea", "quantity": 1}]}
    headers = {"Idempotency-Key": mark, "X-Correlation-Id": mark}
    order_id = http("POST", f"{shop.url}/orders", order, headers).body["order_id"]
    found = f'filter correlation_id = "{mark}"'
    story = f"fields @log, message, order_id | {found} | sort @timestamp asc"
    wanted = {"order placed", "order published", "order fulfilled"}

    def told() -> list[dict[str, str]]:
        lines = asked(logs, groups, story)
        return lines if wanted <= {line["message"] for line in lines} else []

    lines = eventually(told, within_s=60, what=f"the log of {mark}")
    assert {line["order_id"] for line in lines} == {order_id}
    counted = asked(logs, groups, f"{found} | stats count(*) as lines by @log")
    assert {row["@log"] for row in counted} == {line["@log"] for line in lines}
    assert len(counted) == len(PASSED)
    assert sum(int(row["lines"]) for row in counted) >= len(lines)  # an event may come again
