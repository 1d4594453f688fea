"""DynamoDB streams and Kinesis → Lambda with AWS's limits: retries, record age, halving, an on-failure destination.

Shards, and with a parallelization factor the keys of a shard, go on side by side, each in its order. It stands in for
ministack's pollers, which try a failing batch for ever and have one function wait for another.
https://docs.aws.amazon.com/lambda/latest/dg/invocation-eventsourcemapping.html
"""

from __future__ import annotations

import logging
import threading
import time
import uuid
import zlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.crew import Crew
from harness.cloud.delivery import records
from harness.cloud.delivery.courier import Courier
from harness.cloud.delivery.stream_batches import BatchProgress, RetryRule
from harness.cloud.delivery.stream_sources import SOURCES, Record, StreamSource, Taken
from harness.cloud.functions.invocation import SERVICE_ERROR_MARK
from harness.cloud.permissions.event_sources import may_read
from harness.cloud.signals.emulated import in_scope, scope
from harness.cloud.signals.flow_metrics import FlowMetrics

BACKOFF_S = 0.5
"""Before a failed batch is tried again. AWS names no figure; its first retries follow within a second."""

Key = tuple[str, str, int, int]  # mapping, shard, how many lanes, which of them


@dataclass(slots=True)
class Lane:
    """One way through a shard: the records whose keys fall to it, in their order, one batch at a time."""

    place: int
    done: int = 0
    progress: BatchProgress = field(default_factory=BatchProgress)
    busy: bool = False
    not_before_s: float = 0.0


@dataclass(slots=True)
class Streams:
    """What every mapping on a stream has come to."""

    courier: Courier
    flow: FlowMetrics
    wake: Callable[[], None] = lambda: None
    """Has the poller look again, now."""
    crew: Crew = field(default_factory=lambda: Crew("streams"))
    _lanes: dict[Key, Lane] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def poll(self) -> bool:
        """Look at every mapping once; True when work began, which goes on in a thread for each lane."""
        from ministack.services import lambda_svc

        began, known = False, set[str]()
        for account, region, mapping in lambda_svc._iter_all_esms():  # noqa: SLF001 - this file stands in for its pollers
            known.add(str(mapping["UUID"]))
            if _is_read(mapping):
                with in_scope(account, region):
                    for key, lane in self.lanes(mapping):
                        began |= self._begin(mapping, key, lane)
        with self._lock:
            self._lanes = {key: lane for key, lane in self._lanes.items() if key[0] in known}
        return began

    def lanes(self, mapping: Record) -> Iterator[tuple[Key, Lane]]:
        """The lanes of a mapping; a new one begins where the mapping, or its lanes so far, say."""
        source, many = _source(mapping), int(mapping.get("ParallelizationFactor") or 1)
        for shard in source.shards(mapping) if source is not None else ():
            for number in range(many):
                key = (str(mapping["UUID"]), shard, many, number)
                with self._lock:
                    if key not in self._lanes and source is not None:
                        same = [
                            one.place
                            for other, one in self._lanes.items()
                            if other[:2] == key[:2] and other[2] != many
                        ]
                        self._lanes[key] = Lane(min(same) if same else source.start(mapping, shard))
                    lane = self._lanes[key]
                yield key, lane

    def _begin(self, mapping: Record, key: Key, lane: Lane) -> bool:
        with self._lock:
            if lane.busy or lane.not_before_s > time.time():
                return False
            lane.busy = True
        function = _function(mapping)
        role = str(((function or {}).get("config") or function or {}).get("Role", ""))
        if (
            function is not None
            and may_read(role, mapping["EventSourceArn"])
            and _take(mapping, key, lane, 1).records
        ):
            self.crew.run(partial(self._run, scope(), mapping, key, lane))
            return True
        lane.busy = False
        return False

    def _run(self, where: tuple[str, str], mapping: Record, key: Key, lane: Lane) -> None:
        """Work a lane off, until it is empty, has to wait, or the mapping is gone."""
        try:
            with in_scope(*where):
                while _is_read(mapping) and self._work(mapping, key, lane):
                    pass
        except Exception:
            logging.getLogger(__name__).exception("event source mapping %s", mapping["UUID"])
            lane.not_before_s = time.time() + BACKOFF_S
        finally:
            lane.busy = False
            self.wake()  # what came in the meantime is looked for at once

    def _work(self, mapping: Record, key: Key, lane: Lane) -> bool:
        """One batch; True when it is done with."""
        from ministack.services import lambda_svc

        taken = _take(mapping, key, lane, lane.progress.size(lane.done, int(mapping.get("BatchSize", 100))))
        function = _function(mapping)
        if not taken.records or function is None:
            return False
        batch = list(taken.records)
        wanted = lambda_svc._apply_filter_criteria(batch, mapping)  # noqa: SLF001
        self.flow.iterated(
            scope(), str(mapping["FunctionName"]), max(time.time() - records.arrived_s(batch[-1]), 0.0)
        )
        result = lambda_svc._execute_function(function, {"Records": wanted}) if wanted else {}  # noqa: SLF001
        done = self._settle(mapping, function, lane, (key[1], batch), result)
        if done:
            lane.place, lane.done = taken.places[done - 1], lane.done + done
        return bool(done)

    def _settle(
        self, mapping: Record, function: Record, lane: Lane, shard_batch: tuple[str, list[Record]], result: Record
    ) -> int:
        """How many records of the batch are done with; what was given up is told to the on-failure destination."""
        progress, batch = lane.progress, shard_batch[1]
        failed_at = _first_failure(batch, result, mapping)
        if failed_at is None:
            progress.passed()
            mapping["LastProcessingResult"] = f"OK - {len(batch)} records"
            return len(batch)
        if failed_at > 0:  # a partial success: everything before it is done
            progress.passed()
            return failed_at
        mapping["LastProcessingResult"] = "FAILED"
        age_s = time.time() - min(map(records.arrived_s, batch))
        rule = RetryRule.of(mapping)
        if not _ran(result):  # throttled, or no environment: no try, as on AWS, but the records grow old
            rule = RetryRule(max_age_s=rule.max_age_s)
        verdict = progress.failed(rule, position=lane.done, length=len(batch), oldest_age_s=age_s)
        if verdict == "again":
            lane.not_before_s = time.time() + BACKOFF_S
            return 0
        self._give_up(mapping, function, shard_batch, verdict, attempts=progress.attempts)
        progress.passed()
        return len(batch)

    def _give_up(
        self,
        mapping: Record,
        function: Record,
        shard_batch: tuple[str, list[Record]],
        condition: str,
        *,
        attempts: int,
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
            shard_batch=shard_batch,
            stream_arn=mapping["EventSourceArn"],
            at_s=time.time(),
        )
        try:
            self.courier.send(destination, record, config, {})
        except (ClientError, BotoCoreError) as error:
            logging.getLogger(__name__).warning("on-failure destination %s: %s", destination, error)


def _source(mapping: Record) -> StreamSource | None:
    return SOURCES.get((str(mapping.get("EventSourceArn")).split(":") + [""] * 3)[2])


def _is_read(mapping: Record) -> bool:
    return _source(mapping) is not None and mapping.get("Enabled", True) and mapping.get("State") != "Deleting"


def _function(mapping: Record) -> Record | None:
    from ministack.services import lambda_svc

    found, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))  # noqa: SLF001
    function: Record | None = found
    return function


def _take(mapping: Record, key: Key, lane: Lane, size: int) -> Taken:
    """What a lane has next; past what falls to others it goes on at once."""
    source, (_, shard, many, number) = SOURCES[mapping["EventSourceArn"].split(":")[2]], key
    taken = source.read(mapping, shard, lane.place, size, lambda text: zlib.crc32(text.encode()) % many == number)
    if not taken.records:
        lane.place = taken.place
    return taken


def _ran(result: Record) -> bool:
    return not result.get("throttle") and result.get("function_error") != SERVICE_ERROR_MARK


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
    at = [n for n, record in enumerate(batch) if records.sequence_number(record) in failed]
    return min(at) if at else 0  # an identifier that is none of ours fails the whole batch, as on AWS
