"""Where pipes read: queues, table streams, Kinesis streams, in the form that targets get."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

from harness.cloud.delivery.stream_sources import kinesis_parts

Record = dict[str, Any]
Pipe = Mapping[str, Any]  # ministack's record of a pipe, in the words of CreatePipe


class Batch(NamedTuple):
    """Records to be moved. `position` is the source's own: where they began, or their receipts."""

    records: list[Record]
    position: Any
    shard: str = ""


class Source(Protocol):
    """A place that records come from."""

    def read(self, pipe: Pipe, shard: str, size: int) -> Batch | None:
        """The next records of a shard; None when there are none."""
        ...

    def done(self, pipe: Pipe, batch: Batch, count: int) -> None:
        """The first `count` records were moved, or given up."""
        ...

    def shards(self, pipe: Pipe) -> Sequence[str]:
        """The shards; a queue has one, without a name."""
        ...


class QueueSource:
    """SQS: what is not acknowledged comes back after its visibility timeout; the queue's redrive policy rules."""

    def shards(self, pipe: Pipe) -> Sequence[str]:
        """One."""
        del pipe
        return ("",)

    def read(self, pipe: Pipe, shard: str, size: int) -> Batch | None:
        """Receive."""
        del shard
        from ministack.services import lambda_svc, sqs

        queue = sqs._queue_by_arn(pipe["Source"])  # noqa: SLF001 - this file is a seam into ministack
        if queue is None:
            return None
        messages = sqs._receive_messages_for_esm(queue["url"], size)  # noqa: SLF001
        records = [
            {
                "messageId": message["id"],
                "receiptHandle": message["receipt_handle"],
                "body": message["body"],
                "attributes": {
                    "ApproximateReceiveCount": str(message["receive_count"]),
                    "SentTimestamp": str(int(message["sent_at"] * 1000)),
                    **{k: v for k, v in (message.get("sys") or {}).items() if k in {"SenderId", "AWSTraceHeader"}},
                    **({"MessageGroupId": message["group_id"]} if message.get("group_id") else {}),
                },
                "messageAttributes": lambda_svc._sqs_message_attributes_to_camel_case(  # noqa: SLF001
                    message.get("message_attributes", {})
                ),
                "md5OfBody": message.get("md5_body", ""),
                "eventSource": "aws:sqs",
                "eventSourceARN": pipe["Source"],
                "awsRegion": pipe["Source"].split(":")[3],
            }
            for message in messages
        ]
        return Batch(records, [record["receiptHandle"] for record in records]) if records else None

    def done(self, pipe: Pipe, batch: Batch, count: int) -> None:
        """Delete."""
        from ministack.services import sqs

        queue = sqs._queue_by_arn(pipe["Source"])  # noqa: SLF001
        if queue is not None:
            sqs._delete_messages_for_esm(queue["url"], set(batch.position[:count]))  # noqa: SLF001


@dataclass(slots=True)
class TableSource:
    """A table's stream, one shard."""

    _positions: dict[str, int] = field(default_factory=dict)

    def shards(self, pipe: Pipe) -> Sequence[str]:
        """One."""
        del pipe
        return ("shardId-00000000000000000000-00000000",)

    def read(self, pipe: Pipe, shard: str, size: int) -> Batch | None:
        """Look from where the pipe is."""
        from ministack.services import dynamodb

        table = pipe["Source"].split("table/", 1)[1].split("/stream/")[0]
        horizon = int(dynamodb.stream_start_position(table))
        if pipe["Arn"] not in self._positions:
            latest = starting(pipe, "DynamoDBStreamParameters") != "TRIM_HORIZON"
            self._positions[pipe["Arn"]] = int(dynamodb.stream_end_position(table)) if latest else horizon
        position = max(self._positions[pipe["Arn"]], horizon)
        found = dynamodb.stream_records_since(table, position, size)
        return Batch([dict(record) for record in found], position, shard) if found else None

    def done(self, pipe: Pipe, batch: Batch, count: int) -> None:
        """Go on."""
        self._positions[pipe["Arn"]] = batch.position + count


@dataclass(slots=True)
class KinesisSource:
    """A Kinesis stream, shard by shard. Positions are sequence numbers: old records expire."""

    _after: dict[tuple[str, str], int] = field(default_factory=dict)

    def shards(self, pipe: Pipe) -> Sequence[str]:
        """Every shard; a pipe begins with each where its starting position says."""
        stream = _stream(pipe["Source"])
        known = list(stream["shards"]) if stream else []
        for shard in known:
            if (pipe["Arn"], shard) not in self._after:
                latest = starting(pipe, "KinesisStreamParameters") == "LATEST" and stream is not None
                records = stream["shards"][shard]["records"] if stream else []
                self._after[pipe["Arn"], shard] = int(records[-1]["SequenceNumber"]) if latest and records else -1
        return known

    def read(self, pipe: Pipe, shard: str, size: int) -> Batch | None:
        """Look from where the pipe is."""
        stream, after = _stream(pipe["Source"]), self._after[pipe["Arn"], shard]
        records = stream["shards"][shard]["records"] if stream else []
        found = [record for record in records if int(record["SequenceNumber"]) > after][:size]
        return Batch([_kinesis_record(pipe["Source"], shard, one) for one in found], found, shard) if found else None

    def done(self, pipe: Pipe, batch: Batch, count: int) -> None:
        """Go on."""
        if count:
            self._after[pipe["Arn"], batch.shard] = int(batch.position[count - 1]["SequenceNumber"])


def starting(pipe: Pipe, parameters: str) -> str:
    """Where a pipe on a stream begins."""
    given = (pipe.get("SourceParameters") or {}).get(parameters) or {}
    return str(given.get("StartingPosition") or "LATEST")


def _stream(arn: str) -> Record | None:
    from ministack.services import kinesis

    found: Record | None = kinesis._resolve_stream({"StreamARN": arn})[1]  # noqa: SLF001
    return found


def _kinesis_record(arn: str, shard: str, record: Record) -> Record:
    held, origin = kinesis_parts(arn, shard, record)
    return {**held, **origin}
