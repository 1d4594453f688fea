"""What a DynamoDB request demands of tables and indexes, and what its answer says that it cost. Pure.

https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/read-write-operations.html
"""

from __future__ import annotations

import functools
import math
import re
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from harness.cloud.limits.quotas import Quotas
from harness.cloud.limits.throughput import Allowance, Demand, Kind, TableId

Record = Mapping[str, Any]  # a request's, an answer's or a table's JSON
READ_BYTES, WRITE_BYTES = 4 << 10, 1 << 10
_TRANSACTED = {"Put": "Item", "Update": "Key", "Delete": "Key", "ConditionCheck": "Key", "Get": "Key"}


class Tables(Protocol):
    """The emulator's tables."""

    def find(self, name: str) -> tuple[TableId, Record] | None:
        """A table of the caller by name or ARN, and its record."""
        ...

    def size(self, item: Record) -> int:
        """An item's size in bytes."""
        ...


@dataclass(frozen=True, slots=True)
class Part:
    """One item of a batch, or a whole request: what it demands, and where it is in the request."""

    demands: tuple[Demand, ...]
    table: str = ""
    entry: Any = None  # the batch's own JSON

    @property
    def alone(self) -> Demand | None:
        """Its demand, where it is the only one."""
        return self.demands[0] if len(self.demands) == 1 else None


_allowance = functools.lru_cache(maxsize=1024)(Allowance)


def allowance(table: Record, index: str, kind: Kind, quotas: Quotas) -> Allowance:
    """What a table or one of its indexes may give."""
    of = next((one for one in table.get("GlobalSecondaryIndexes") or () if one["IndexName"] == index), table)
    on_demand = (table.get("BillingModeSummary") or {}).get("BillingMode") == "PAY_PER_REQUEST"
    provisioned = float((of.get("ProvisionedThroughput") or {}).get(f"{kind}CapacityUnits") or 0)
    if provisioned and not on_demand:
        return _allowance(provisioned, "ProvisionedThroughputExceeded")
    most = float((of.get("OnDemandThroughput") or {}).get(f"Max{kind}RequestUnits") or -1)
    if most > 0:
        return _allowance(most, "MaxOnDemandThroughputExceeded")
    rate = quotas.dynamodb_table_reads if kind == "Read" else quotas.dynamodb_table_writes
    return _allowance(rate, "AccountLimitExceeded")


@dataclass(frozen=True, slots=True)
class Planner:
    """Turns requests into parts."""

    tables: Tables
    quotas: Quotas
    plenty: Callable[[TableId, Kind], bool]
    """Whether a table has so much left that what an item costs need not be known before."""

    def parts(self, operation: str, data: Record) -> list[Part]:
        """What is demanded, a part for each item of a batch; nothing for a table that is not there."""
        if operation == "BatchWriteItem":
            return [
                Part(self._write(name, entry), name, entry)
                for name, entries in (data.get("RequestItems") or {}).items()
                for entry in entries
            ]
        if operation == "BatchGetItem":
            return [
                Part(self._read(name, key, consistent=bool(asked.get("ConsistentRead"))), name, key)
                for name, asked in (data.get("RequestItems") or {}).items()
                for key in asked.get("Keys") or ()
            ]
        if operation.startswith("Transact"):
            return [Part(self._transacted(one)) for one in data.get("TransactItems") or ()]
        name = str(data.get("TableName") or "")
        if operation in {"Query", "Scan"}:
            return [Part(self._search(name, data))]
        if operation == "GetItem":
            return [Part(self._read(name, data.get("Key") or {}, consistent=bool(data.get("ConsistentRead"))))]
        written = {"PutRequest": {"Item": data.get("Item")}} if operation == "PutItem" else {"DeleteRequest": data}
        return [Part(self._write(name, written))]

    def _write(self, name: str, request: Record, *, times: float = 1.0) -> tuple[Demand, ...]:
        """A put costs by its size, and on the indexes that have its keys; others are known once they are done.

        An index that owes holds back every write that may touch it.
        """
        found = self.tables.find(name)
        if found is None:
            return ()
        table, record = found
        item = (request.get("PutRequest") or {}).get("Item")
        counts = item and not self.plenty(table, "Write")
        units = math.ceil(self.tables.size(item) / WRITE_BYTES) if item and counts else 1
        key = item or (request.get("DeleteRequest") or {}).get("Key") or {}
        demands = [self._demand(table, record, "Write", times * max(1, units), key=_text(key.get(record["pk_name"])))]
        for index in record.get("GlobalSecondaryIndexes") or ():
            names = [one["AttributeName"] for one in index.get("KeySchema") or ()]
            if item is None or all(one in item for one in names):
                estimate = 0.0 if item is None else 1.0
                demands.append(self._demand(table, record, "Write", estimate, index=str(index["IndexName"])))
        return tuple(demands)

    def _read(self, name: str, key: Record, *, consistent: bool, times: float = 1.0) -> tuple[Demand, ...]:
        found = self.tables.find(name)
        if found is None:
            return ()
        units = times * (1.0 if consistent else 0.5)
        return (self._demand(*found, "Read", units, key=_text(key.get(found[1]["pk_name"]))),)

    def _search(self, name: str, data: Record) -> tuple[Demand, ...]:
        found = self.tables.find(name)
        if found is None:
            return ()
        index = str(data.get("IndexName") or "")
        globals_ = {one["IndexName"]: one for one in found[1].get("GlobalSecondaryIndexes") or ()}
        schema = (globals_[index] if index in globals_ else found[1]).get("KeySchema") or ()
        hashed = next((str(one["AttributeName"]) for one in schema if one["KeyType"] == "HASH"), "")
        key, units = _sought(hashed, data), 1.0 if data.get("ConsistentRead") else 0.5
        return (self._demand(*found, "Read", units, index=index if index in globals_ else "", key=key),)

    def _transacted(self, item: Record) -> tuple[Demand, ...]:
        """One item of a transaction costs twice: it is prepared, and committed."""
        (kind, given), *_ = item.items()
        name, target = str(given.get("TableName") or ""), given.get(_TRANSACTED.get(kind, "Key")) or {}
        if kind == "Get":
            return self._read(name, target, consistent=True, times=2.0)
        request = {"PutRequest": {"Item": target}} if kind == "Put" else {"DeleteRequest": {"Key": target}}
        return self._write(name, request, times=2.0)

    def _demand(
        self, table: TableId, record: Record, kind: Kind, units: float, /, *, index: str = "", key: str = ""
    ) -> Demand:
        allowed = allowance(record, index, kind, self.quotas)
        return Demand(table=table, kind=kind, units=units, allowance=allowed, index=index, key=key)


def spent(operation: str, data: Record, answer: Record, tables: Tables) -> dict[tuple[str, str], float]:
    """Units by table and index. Of reads by the size of what was read: the emulator counts items only."""
    found: dict[tuple[str, str], float] = defaultdict(float)
    consumed = answer.get("ConsumedCapacity") or ()
    for one in [consumed] if isinstance(consumed, Mapping) else consumed:
        name, indexes = str(one["TableName"]), one.get("GlobalSecondaryIndexes") or {}
        for index, arm in indexes.items():
            found[name, str(index)] += float(arm["CapacityUnits"])
        rest = float(one.get("CapacityUnits") or 0.0) - sum(float(arm["CapacityUnits"]) for arm in indexes.values())
        if rest or not indexes:
            found[name, ""] += rest
    for at, units in _read(operation, data, answer, tables).items():
        at = at if at in found or len(found) != 1 else next(iter(found))  # noqa: PLW2901 - an ARN, or a local index
        found[at] = max(found[at], units)
    return dict(found)


def item_units(operation: str, data: Record, answer: Record, tables: Tables) -> float:
    """What a call for one item has cost its table."""
    units = float(answer["ConsumedCapacity"]["CapacityUnits"])
    if operation == "GetItem" and answer.get("Item"):
        return max(units, (1.0 if data.get("ConsistentRead") else 0.5) * _blocks([answer["Item"]], tables))
    return units


def _read(operation: str, data: Record, answer: Record, tables: Tables) -> dict[tuple[str, str], float]:
    name, index = str(data.get("TableName") or ""), str(data.get("IndexName") or "")
    rate = 1.0 if data.get("ConsistentRead") else 0.5
    if operation == "GetItem" and answer.get("Item"):
        return {(name, ""): rate * _blocks([answer["Item"]], tables)}
    if operation in {"Query", "Scan"} and answer.get("Items"):
        seen = float(answer.get("ScannedCount") or 1) / max(1.0, float(answer.get("Count") or 1))
        size = sum(tables.size(item) for item in answer["Items"]) * max(1.0, seen)
        return {(name, index): rate * math.ceil(size / READ_BYTES)}
    if operation == "BatchGetItem":
        rates = {table: 1.0 if asked.get("ConsistentRead") else 0.5 for table, asked in data["RequestItems"].items()}
        got = answer.get("Responses") or {}
        return {(table, ""): rates.get(table, 0.5) * _blocks(items, tables) for table, items in got.items()}
    if operation == "TransactGetItems":
        found: dict[tuple[str, str], float] = defaultdict(float)
        for one, given in zip(data["TransactItems"], answer.get("Responses") or (), strict=False):
            found[str(one["Get"]["TableName"]), ""] += 2.0 * _blocks([given.get("Item") or {}], tables)
        return dict(found)
    return {}


def _blocks(items: Sequence[Record], tables: Tables) -> int:
    """4 KB blocks, at least one an item."""
    return sum(max(1, math.ceil(tables.size(item) / READ_BYTES)) for item in items)


def _text(value: Any) -> str:
    """A key attribute as text; '' when there is none."""
    return str(next(iter(value.values()), "")) if isinstance(value, Mapping) else ""


def _sought(name: str, data: Record) -> str:
    """The partition key that a query is about; '' when that is not clear."""
    legacy = (data.get("KeyConditions") or {}).get(name)
    if legacy:
        return _text(next(iter(legacy.get("AttributeValueList") or ()), None))
    aliases = [alias for alias, real in (data.get("ExpressionAttributeNames") or {}).items() if real == name]
    for known in (name, *aliases):
        match = re.search(
            rf"(?<![\w.#]){re.escape(known)}\s*=\s*(:\w+)", str(data.get("KeyConditionExpression") or "")
        )
        if match:
            return _text((data.get("ExpressionAttributeValues") or {}).get(match[1]))
    return ""
