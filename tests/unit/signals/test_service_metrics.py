"""What Lambda says of provisioned concurrency."""

from typing import Any

from harness.cloud.functions.invocation import Provision
from harness.cloud.signals.service_metrics import ServiceMetrics


class Kept:
    """A store that remembers."""

    def __init__(self) -> None:
        self.values: dict[str, float] = {}

    def value_soon(self, metric: Any, value: float, at_s: float, *, unit: str) -> None:
        assert (metric.namespace, metric.dimensions) == ("AWS/Lambda", (("FunctionName", "quote"),))
        self.values[metric.name.removeprefix("Provisioned")] = value


def test_an_invocation_counts_as_provisioned_or_as_spilled_over_beside_what_is_in_use() -> None:
    scope, store = ("000000000000", "us-east-1"), Kept()
    metrics = ServiceMetrics(store, None, None)  # type: ignore[arg-type] # neither is asked
    metrics.provisioned(scope, "quote", Provision(spilled=False, busy=1, allotted=4))
    inside = {"ConcurrencyInvocations": 1, "ConcurrencyUtilization": 0.25, "ConcurrentExecutions": 1}
    assert store.values == inside
    metrics.provisioned(scope, "quote", Provision(spilled=True, busy=4, allotted=4))
    spilled = {"ConcurrencySpilloverInvocations": 1, "ConcurrencyUtilization": 1, "ConcurrentExecutions": 4}
    assert store.values == {**inside, **spilled}
