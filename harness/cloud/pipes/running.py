"""Moves batches: read, filter, shape, enrich, shape, deliver, acknowledge; and what becomes of a failure.

https://docs.aws.amazon.com/eventbridge/latest/userguide/eb-pipes-batching-concurrency.html
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.cloud.delivery.stream_batches import BatchProgress, RetryRule
from harness.cloud.permissions.event_sources import may_read
from harness.cloud.pipes.sources import Batch, KinesisSource, Pipe, QueueSource, Source, TableSource
from harness.cloud.pipes.targets import Deliverer, NotDeliveredError
from harness.cloud.pipes.templates import shaped

BACKOFF_S = 0.5
_PARAMETERS = {
    "sqs": "SqsQueueParameters",
    "dynamodb": "DynamoDBStreamParameters",
    "kinesis": "KinesisStreamParameters",
}
_SIZES = {"sqs": 10, "dynamodb": 100, "kinesis": 100}

Matches = Callable[[Mapping[str, Any], list[str]], bool]
"""Whether a record matches one of some event patterns."""


@dataclass(slots=True)
class PipeRunner:
    """All pipes of one server; `move` is called from one thread, under the pipe's account and region."""

    deliverer: Deliverer
    matches: Matches
    _sources: dict[str, Source] = field(
        default_factory=lambda: {"sqs": QueueSource(), "dynamodb": TableSource(), "kinesis": KinesisSource()}
    )
    _progress: dict[tuple[str, str], BatchProgress] = field(default_factory=dict)
    _not_before_s: dict[tuple[str, str], float] = field(default_factory=dict)

    def move(self, pipe: Pipe) -> bool:
        """One batch of each shard, of what the pipe's role may read; True when something was moved."""
        if not may_read(str(pipe["RoleArn"]), str(pipe["Source"])):
            return False
        service = pipe["Source"].split(":")[2]
        source = self._sources[service]
        moved = False
        for shard in source.shards(pipe):
            key = (pipe["Arn"], shard)
            if self._not_before_s.get(key, 0.0) > time.time():
                continue
            batch = self._read(pipe, source, service, shard)
            if batch is not None:
                moved |= self._settle(pipe, source, batch, key)
        return moved

    def forget(self) -> None:
        """A reset."""
        self._progress.clear()
        self._not_before_s.clear()
        self._sources = {"sqs": QueueSource(), "dynamodb": TableSource(), "kinesis": KinesisSource()}

    def _read(self, pipe: Pipe, source: Source, service: str, shard: str) -> Batch | None:
        size = int(_source_parameters(pipe, service).get("BatchSize") or _SIZES[service])
        progress, key = self._progress.get((pipe["Arn"], shard)), (pipe["Arn"], shard)
        if service == "dynamodb" and progress is not None:
            probe = source.read(pipe, shard, 1)
            return None if probe is None else source.read(pipe, shard, self._progress[key].size(probe.position, size))
        return source.read(pipe, shard, size)

    def _settle(self, pipe: Pipe, source: Source, batch: Batch, key: tuple[str, str]) -> bool:
        try:
            failed = self._deliver(pipe, batch)
        except (ClientError, BotoCoreError, NotDeliveredError) as error:
            logging.getLogger(__name__).warning("pipe %s: %s", pipe["Name"], error)
            return self._failed(pipe, source, batch, key)
        if failed:
            return self._partly(pipe, source, batch, key, failed)
        self._progress.pop(key, None)
        source.done(pipe, batch, len(batch.records))
        return True

    def _deliver(self, pipe: Pipe, batch: Batch) -> set[str]:
        """Ids of records that the target names as failed."""
        patterns = [one["Pattern"] for one in _filters(pipe) if one.get("Pattern")]
        records: list[Any] = [one for one in batch.records if not patterns or self.matches(one, patterns)]
        if not records:
            return set()
        if pipe.get("Enrichment"):
            template = str((pipe.get("EnrichmentParameters") or {}).get("InputTemplate") or "")
            records = self.deliverer.enrich(pipe, [shaped(template, one, _names(pipe)) for one in records])
        template = str((pipe.get("TargetParameters") or {}).get("InputTemplate") or "")
        shown = [shaped(template, one, _names(pipe)) if isinstance(one, Mapping) else one for one in records]
        return self.deliverer.deliver(pipe, shown) if shown else set()

    def _partly(self, pipe: Pipe, source: Source, batch: Batch, key: tuple[str, str], failed: set[str]) -> bool:
        """A queue keeps what failed; a stream goes on from its first failure."""
        if not batch.shard:
            good = [r["receiptHandle"] for r in batch.records if r["messageId"] not in failed]
            source.done(pipe, Batch(batch.records, good), len(good))
            return bool(good)
        identities = [str(one.get("sequenceNumber") or one["dynamodb"]["SequenceNumber"]) for one in batch.records]
        first = next((at for at, one in enumerate(identities) if one in failed), 0)
        if not first:
            return self._failed(pipe, source, batch, key)
        source.done(pipe, batch, first)
        return True

    def _failed(self, pipe: Pipe, source: Source, batch: Batch, key: tuple[str, str]) -> bool:
        """A queue's messages come back by themselves; a stream's batch is tried again, halved, or given up."""
        self._not_before_s[key] = time.time() + BACKOFF_S
        if not batch.shard:
            return False
        service = pipe["Source"].split(":")[2]
        given = _source_parameters(pipe, service)
        rule = RetryRule(
            retries=int(given.get("MaximumRetryAttempts", -1)),
            max_age_s=float(given.get("MaximumRecordAgeInSeconds", -1)),
            bisect=given.get("OnPartialBatchItemFailure") == "AUTOMATIC_BISECT" and service == "dynamodb",
        )
        position = batch.position if isinstance(batch.position, int) else 0
        progress = self._progress.setdefault(key, BatchProgress())
        age_s = time.time() - _arrived_s(batch.records[0])
        verdict = progress.failed(rule, position=position, length=len(batch.records), oldest_age_s=age_s)
        if verdict == "again":
            return False
        self._give_up(pipe, batch, given, verdict)
        progress.passed()
        source.done(pipe, batch, len(batch.records))
        return True

    def _give_up(self, pipe: Pipe, batch: Batch, given: Mapping[str, Any], verdict: str) -> None:
        arn = (given.get("DeadLetterConfig") or {}).get("Arn")
        if not arn:
            return
        told = {
            "context": {"partnerResourceArn": pipe["Arn"], "condition": verdict},
            "version": "1.0",
            "batchInfo": {"shardId": batch.shard, "batchSize": len(batch.records), "streamArn": pipe["Source"]},
        }
        try:
            self.deliverer.dead_letter(pipe, arn, told)
        except (ClientError, BotoCoreError) as error:
            logging.getLogger(__name__).warning("pipe %s: dead letters to %s: %s", pipe["Name"], arn, error)


def _source_parameters(pipe: Pipe, service: str) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (pipe.get("SourceParameters") or {}).get(_PARAMETERS[service]) or {}
    return found


def _filters(pipe: Pipe) -> list[Mapping[str, Any]]:
    criteria = (pipe.get("SourceParameters") or {}).get("FilterCriteria") or {}
    return list(criteria.get("Filters") or ())


def _names(pipe: Pipe) -> dict[str, str]:
    return {
        "aws.pipes.pipe-arn": str(pipe["Arn"]),
        "aws.pipes.pipe-name": str(pipe["Name"]),
        "aws.pipes.source-arn": str(pipe["Source"]),
        "aws.pipes.enrichment-arn": str(pipe.get("Enrichment") or ""),
        "aws.pipes.target-arn": str(pipe["Target"]),
    }


def _arrived_s(record: Mapping[str, Any]) -> float:
    change = record.get("dynamodb") or {}
    return float(
        record.get("approximateArrivalTimestamp") or change.get("ApproximateCreationDateTime") or time.time()
    )
