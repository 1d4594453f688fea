"""DynamoDB streams → Lambda with AWS's limits: retries, record age, halving of a batch, an on-failure destination.

In place of ministack's poller, which tries a failing batch for ever.
"""

from __future__ import annotations

import logging
import time
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.delivery import records
from harness.cloud.delivery.courier import Courier
from harness.cloud.delivery.source_permissions import may_read
from harness.cloud.delivery.stream_batches import BatchProgress, RetryRule
from harness.cloud.signals.emulated import in_scope, scope
from harness.cloud.signals.flow_metrics import FlowMetrics

Record = dict[str, Any]  # ministack's record of a mapping, a function, a stream's change

BACKOFF_S = 0.5
"""Before a failed batch is tried again. AWS names no figure; its first retries follow within a second."""


@dataclass(slots=True)
class TableStreams:
    """What every mapping on a table's stream has come to."""

    courier: Courier
    flow: FlowMetrics
    _progress: dict[str, BatchProgress] = field(default_factory=dict)
    _not_before_s: dict[str, float] = field(default_factory=dict)

    def poll(self) -> bool:
        """One look at every mapping; True when something was processed or given up."""
        from ministack.services import lambda_svc

        moved = False
        for account, region, mapping in lambda_svc._iter_all_esms():  # noqa: SLF001 - this file stands in for its poller
            if ":dynamodb:" in str(mapping.get("EventSourceArn")) and mapping.get("Enabled", True):
                with in_scope(account, region):
                    moved |= self._look(mapping)
        return moved

    def _look(self, mapping: Record) -> bool:
        from ministack.services import dynamodb, lambda_svc

        identity, source = mapping["UUID"], mapping["EventSourceArn"]
        table_name = source.split("table/", 1)[1].split("/stream/")[0]
        table = dynamodb._tables.get(table_name)  # noqa: SLF001
        function, _ = lambda_svc._get_func_record_for_qualifier(  # noqa: SLF001
            mapping["FunctionName"], mapping.get("Qualifier")
        )
        if function is None or table is None or table.get("LatestStreamArn") != source:
            return False
        if not may_read(str((function.get("config") or function).get("Role", "")), source):
            return False
        if self._not_before_s.get(identity, 0.0) > time.time():
            return False
        progress = self._progress.setdefault(identity, BatchProgress())
        position = _position(mapping, table_name)
        size = progress.size(position, int(mapping.get("BatchSize", 100)))
        batch = dynamodb.stream_records_since(table_name, position, size)
        if not batch:
            return False
        wanted = lambda_svc._apply_filter_criteria(batch, mapping)  # noqa: SLF001
        newest_s = float(batch[-1]["dynamodb"]["ApproximateCreationDateTime"])
        self.flow.iterated(scope(), str(mapping["FunctionName"]), max(time.time() - newest_s, 0.0))
        result = lambda_svc._execute_function(function, {"Records": wanted}) if wanted else {}  # noqa: SLF001
        done = self._settle(mapping, function, progress, position, batch, result)
        if done:
            _advance(mapping, position + done)
        return bool(done)

    def _settle(  # noqa: PLR0917 - one batch and all that is known of it
        self,
        mapping: Record,
        function: Record,
        progress: BatchProgress,
        position: int,
        batch: list[Record],
        result: Record,
    ) -> int:
        """How many records of the batch are done with; what was given up is told to the on-failure destination."""
        failed_at = _first_failure(batch, result, mapping)
        if failed_at is None:
            progress.passed()
            mapping["LastProcessingResult"] = f"OK - {len(batch)} records"
            return len(batch)
        if failed_at > 0:  # a partial success: everything before it is done
            progress.passed()
            return failed_at
        mapping["LastProcessingResult"] = "FAILED"
        age_s = time.time() - min(float(r["dynamodb"]["ApproximateCreationDateTime"]) for r in batch)
        verdict = progress.failed(RetryRule.of(mapping), position=position, length=len(batch), oldest_age_s=age_s)
        if verdict == "again":
            self._not_before_s[mapping["UUID"]] = time.time() + BACKOFF_S
            return 0
        self._give_up(mapping, function, batch, verdict, attempts=progress.attempts)
        progress.passed()
        return len(batch)

    def _give_up(
        self, mapping: Record, function: Record, batch: list[Record], condition: str, *, attempts: int
    ) -> None:
        config = function.get("config") or function
        destination = ((mapping.get("DestinationConfig") or {}).get("OnFailure") or {}).get("Destination")
        if not destination:
            return
        record = records.stream_failure_record(
            request_id=str(uuid.uuid4()),
            function_arn=str(config["FunctionArn"]),
            condition="RetryAttemptsExhausted" if condition == "RetryAttemptsExhausted" else "MaxRecordAgeExceeded",
            attempts=attempts,
            batch=batch,
            stream_arn=mapping["EventSourceArn"],
            at_s=time.time(),
        )
        try:
            self.courier.send(destination, record, config, {})
        except (ClientError, BotoCoreError) as error:
            logging.getLogger(__name__).warning("on-failure destination %s: %s", destination, error)


def _first_failure(batch: list[Record], result: Record, mapping: Record) -> int | None:
    """Where in the batch processing must go on; None when all of it is done."""
    if result.get("error") or result.get("throttle"):
        return 0
    if "ReportBatchItemFailures" not in (mapping.get("FunctionResponseTypes") or ()):
        return None
    answer = result.get("body")
    named = answer.get("batchItemFailures") if isinstance(answer, dict) else None
    if not named:
        return None
    failed = {str(failure.get("itemIdentifier")) for failure in named}
    at = [n for n, record in enumerate(batch) if str(record["dynamodb"].get("SequenceNumber")) in failed]
    return min(at) if at else 0  # an identifier that is none of ours fails the whole batch, as on AWS


def _position(mapping: Record, table_name: str) -> int:
    """The next record's number, never before what the stream still has."""
    from ministack.services import dynamodb, lambda_svc

    horizon, end = dynamodb.stream_start_position(table_name), dynamodb.stream_end_position(table_name)
    with lambda_svc._dynamodb_stream_positions_lock:  # noqa: SLF001
        known = lambda_svc._dynamodb_stream_positions  # noqa: SLF001
        if mapping["UUID"] not in known:
            known[mapping["UUID"]] = horizon if mapping.get("StartingPosition") == "TRIM_HORIZON" else end
        position = int(max(known[mapping["UUID"]], horizon))
        known[mapping["UUID"]] = position
    return position


def _advance(mapping: Record, position: int) -> None:
    from ministack.services import lambda_svc

    with lambda_svc._dynamodb_stream_positions_lock:  # noqa: SLF001
        lambda_svc._dynamodb_stream_positions[mapping["UUID"]] = position  # noqa: SLF001


def install(courier: Courier, flow: FlowMetrics) -> Callable[[], bool]:
    """Stand in for ministack's poller of table streams; returns the new one. Call it before any mapping exists."""
    from ministack.services import lambda_svc

    poll = TableStreams(courier, flow).poll
    lambda_svc._poll_dynamodb_streams = poll  # noqa: SLF001
    return poll
