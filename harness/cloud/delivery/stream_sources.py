"""What an event source mapping on a stream reads: DynamoDB streams and Kinesis in ministack, shard by shard.

A place in a shard is a number that grows with its records: a count for a table's stream, a sequence number for
Kinesis, whose old records expire.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

Record = dict[str, Any]  # ministack's record of a mapping, a table, a stream; a Lambda event's record
Mine = Callable[[str], bool]
"""Whether a record with this key is the reader's: the partition key, or an item's key as JSON."""

TABLE_SHARD = "shardId-00000000000000000000-00000000"
_LOOK = 1_000


@dataclass(frozen=True, slots=True)
class Taken:
    """Records as a function gets them, each with the place after it; `place` is where reading goes on."""

    records: Sequence[Record]
    places: Sequence[int]
    place: int


class StreamSource(Protocol):
    """One kind of stream."""

    def shards(self, mapping: Record) -> Sequence[str]:
        """The shards there are; none when the stream is not, or not ready."""
        ...

    def start(self, mapping: Record, shard: str) -> int:
        """Where a mapping begins with a shard."""
        ...

    def read(self, mapping: Record, shard: str, place: int, size: int, mine: Mine) -> Taken:
        """At most `size` records of the reader's, from `place` on."""
        ...


class TableStream:
    """A table's stream, which has one shard here."""

    def shards(self, mapping: Record) -> Sequence[str]:
        """The one, while the stream is the table's."""
        from ministack.services import dynamodb

        table = dynamodb._tables.get(_table(mapping))  # noqa: SLF001 - this file is the seam into ministack's streams
        return (TABLE_SHARD,) if table and table.get("LatestStreamArn") == mapping["EventSourceArn"] else ()

    def start(self, mapping: Record, shard: str) -> int:
        """Where ministack noted it when the mapping was made."""
        del shard
        from ministack.services import dynamodb, lambda_svc

        noted = lambda_svc._dynamodb_stream_positions.get(mapping["UUID"])  # noqa: SLF001
        if noted is not None:
            return int(noted)
        oldest = mapping.get("StartingPosition") == "TRIM_HORIZON"
        find = dynamodb.stream_start_position if oldest else dynamodb.stream_end_position
        return int(find(_table(mapping)))

    def read(self, mapping: Record, shard: str, place: int, size: int, mine: Mine) -> Taken:
        """Look from a place on, or from what the stream still has."""
        del shard
        from ministack.services import dynamodb

        place = max(place, int(dynamodb.stream_start_position(_table(mapping))))
        records: list[Record] = []
        places: list[int] = []
        while found := dynamodb.stream_records_since(_table(mapping), place, _LOOK):
            for record in found:
                place += 1
                if mine(json.dumps(record["dynamodb"]["Keys"], sort_keys=True)):
                    records.append(record)
                    places.append(place)
                    if len(records) == size:
                        return Taken(records, places, place)
        return Taken(records, places, place)


class KinesisStream:
    """A Kinesis stream."""

    def shards(self, mapping: Record) -> Sequence[str]:
        """All of them."""
        stream = _stream(mapping)
        return tuple(stream["shards"]) if stream and stream["StreamStatus"] == "ACTIVE" else ()

    def start(self, mapping: Record, shard: str) -> int:
        """Before the oldest record, or after the newest."""
        records = self._records(mapping, shard)
        if mapping.get("StartingPosition") == "TRIM_HORIZON" or not records:
            return -1
        return int(records[-1]["SequenceNumber"])

    def read(self, mapping: Record, shard: str, place: int, size: int, mine: Mine) -> Taken:
        """Look behind a sequence number."""
        records: list[Record] = []
        places: list[int] = []
        for record in self._records(mapping, shard):
            number = int(record["SequenceNumber"])
            if number <= place:
                continue
            place = number
            if mine(str(record["PartitionKey"])):
                records.append(_kinesis_record(mapping, shard, record))
                places.append(number)
                if len(records) == size:
                    break
        return Taken(records, places, place)

    def _records(self, mapping: Record, shard: str) -> list[Record]:
        stream = _stream(mapping)
        return list(stream["shards"][shard]["records"]) if stream and shard in stream["shards"] else []


SOURCES: dict[str, StreamSource] = {"dynamodb": TableStream(), "kinesis": KinesisStream()}
"""The service in a source's ARN → how it is read. Other brokers and queues are not streams of ours."""


def _table(mapping: Record) -> str:
    return str(mapping["EventSourceArn"]).split("table/", 1)[1].split("/stream/")[0]


def _stream(mapping: Record) -> Record | None:
    from ministack.services import kinesis

    parts = str(mapping["EventSourceArn"]).split(":")
    found: Record | None = kinesis._streams.get_scoped(parts[4], parts[3], parts[5].removeprefix("stream/"))  # noqa: SLF001
    return found


def _kinesis_record(mapping: Record, shard: str, record: Record) -> Record:
    """As Lambda gives it: https://docs.aws.amazon.com/lambda/latest/dg/with-kinesis.html."""
    from ministack.services import lambda_svc

    function, _ = lambda_svc._get_func_record_for_qualifier(mapping["FunctionName"], mapping.get("Qualifier"))  # noqa: SLF001
    held, origin = kinesis_parts(str(mapping["EventSourceArn"]), shard, record)
    role = str(((function or {}).get("config") or {}).get("Role", ""))
    return {"kinesis": held, **origin, "invokeIdentityArn": role}


def kinesis_parts(arn: str, shard: str, record: Record) -> tuple[Record, Record]:
    """What a record holds, and where it comes from: one within the other for a function, side by side for a pipe."""
    data = record["Data"]
    held = {
        "kinesisSchemaVersion": "1.0",
        "partitionKey": record["PartitionKey"],
        "sequenceNumber": record["SequenceNumber"],
        "data": base64.b64encode(data).decode() if isinstance(data, bytes) else data,
        "approximateArrivalTimestamp": record["ApproximateArrivalTimestamp"],
    }
    origin = {
        "eventSource": "aws:kinesis",
        "eventVersion": "1.0",
        "eventID": f"{shard}:{record['SequenceNumber']}",
        "eventName": "aws:kinesis:record",
        "awsRegion": arn.split(":")[3],
        "eventSourceARN": arn,
    }
    return held, origin
