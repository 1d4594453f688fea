"""Event source mappings as they are made: what Lambda has and this cloud has not is refused by name, not dropped."""

from __future__ import annotations

from typing import Any

from harness.cloud.delivery.streams import Streams

Body = dict[str, Any]  # wire JSON
Answer = tuple[int, Any, bytes | str]  # ministack's

LACKING = {
    "TumblingWindowInSeconds": "tumbling windows: aggregate in the function, by a table or a window of your own",
    "ProvisionedPollerConfig": "provisioned pollers",
    "AmazonManagedKafkaEventSourceConfig": "Kafka as a source",
    "SelfManagedEventSource": "self-managed brokers as sources",
}
_MOST_PARALLEL = 10


def install(streams: Streams) -> None:
    """Look at every mapping that is made or changed, and anchor it in its stream. Call it before any exists."""
    from ministack.services import lambda_svc

    create, update = lambda_svc._create_esm, lambda_svc._update_esm  # noqa: SLF001 - the seam into ministack's mappings

    def checked_create(data: Body) -> Any:
        wrong = refusal(data)
        if wrong:
            return lambda_svc.error_response_json("InvalidParameterValueException", wrong, 400)
        before = set(lambda_svc._esms.keys())  # noqa: SLF001
        answer = create(data)
        for made in set(lambda_svc._esms.keys()) - before:  # noqa: SLF001
            list(streams.lanes(lambda_svc._esms[made]))  # noqa: SLF001 - LATEST means from now on
        return answer

    def checked_update(identity: str, data: Body) -> Any:
        wrong = refusal(data)
        return (
            lambda_svc.error_response_json("InvalidParameterValueException", wrong, 400)
            if wrong
            else update(identity, data)
        )

    lambda_svc._create_esm, lambda_svc._update_esm = checked_create, checked_update  # noqa: SLF001


def refusal(data: Body) -> str:
    """Why such a mapping is refused; '' when it is not."""
    for name, what in LACKING.items():
        if data.get(name):
            return f"{name}: the embedded cloud lacks {what}"
    if not 1 <= int(data.get("ParallelizationFactor") or 1) <= _MOST_PARALLEL:
        return f"ParallelizationFactor: 1 to {_MOST_PARALLEL}"
    return ""
