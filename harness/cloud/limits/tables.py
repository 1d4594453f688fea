"""DynamoDB's throughput put in ministack's way, which serves any rate: refusals, unprocessed items, metrics."""

from __future__ import annotations

import functools
import json
from collections import defaultdict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from harness.cloud.limits.quotas import Quotas
from harness.cloud.limits.table_metrics import TableMetrics
from harness.cloud.limits.table_requests import Part, Planner, allowance, item_units, spent
from harness.cloud.limits.throughput import Demand, Kind, Refusal, TableId, Throughput
from harness.cloud.signals.emulated import in_scope, scope

Answer = tuple[int, dict[str, str], Any]
Record = dict[str, Any]  # a request's or ministack's JSON
Counted = Callable[[str, str, float], None]
"""Told of each table's units: `Read` or `Write`, its name or ARN, how many."""

KINDS: Final[tuple[Kind, ...]] = ("Read", "Write")
_WRITES = ("PutItem", "UpdateItem", "DeleteItem", "BatchWriteItem", "TransactWriteItems")
_READS = ("GetItem", "Query", "Scan", "BatchGetItem", "TransactGetItems")
_SINGLE = frozenset(("PutItem", "UpdateItem", "DeleteItem", "GetItem"))
_SHOWN = frozenset(("NONE", "TOTAL", "INDEXES"))
_CONDITION_FAILED = b"ConditionalCheckFailedException"
"""A write whose condition fails costs as one that succeeds."""

_MESSAGES = {
    "ProvisionedThroughputExceededException": "The level of configured provisioned throughput for the table was "
    "exceeded. Consider increasing your provisioning level with the UpdateTable API.",
    "ThrottlingException": "Throughput exceeds the current capacity of your table or index.",
    "RequestLimitExceeded": "Throughput exceeds the current throughput limit for your account.",
}

_REASONS = {"ThrottlingException": "ThrottlingError"}
"""What a reason of a cancelled transaction is called where it is not the exception's name.

https://docs.aws.amazon.com/amazondynamodb/latest/APIReference/API_TransactWriteItems.html
"""


class EmulatedTables:
    """ministack's tables."""

    def find(self, name: str) -> tuple[TableId, Record] | None:
        """A table of the caller by name or ARN, and its record."""
        from ministack.services import dynamodb

        known = dynamodb._normalize_table_name(name)  # noqa: SLF001 - this file is a seam into ministack
        found = dynamodb._tables.get(known)  # noqa: SLF001
        return None if found is None else ((*scope(), str(known)), found)

    def size(self, item: Mapping[str, Any]) -> int:
        """An item's size in bytes."""
        from ministack.services import dynamodb

        return int(dynamodb._item_size_bytes(item))  # noqa: SLF001

    def provisioned(self, table: TableId, index: str, kind: Kind) -> int | None:
        """Units a second that a table or an index was given; None on demand, or when it is not there."""
        with in_scope(*table[:2]):
            found = self.find(table[2])
        allowed = allowance(found[1], index, kind, Quotas()) if found else None
        return int(allowed.rate) if allowed and allowed.why == "ProvisionedThroughputExceeded" else None

    def provision(self, table: TableId, index: str, kind: Kind, units: int) -> None:
        """Give it so many, as UpdateTable does."""
        from ministack.services import dynamodb

        given = {}
        for one in KINDS:
            given[f"{one}CapacityUnits"] = units if one == kind else self.provisioned(table, index, one)
        change: Record = {"ProvisionedThroughput": given}
        if index:
            change = {"GlobalSecondaryIndexUpdates": [{"Update": {"IndexName": index, **change}}]}
        with in_scope(*table[:2]):
            dynamodb._update_table({"TableName": table[2], **change})  # noqa: SLF001

    def every(self) -> Iterator[tuple[TableId, Record]]:
        """Every table of every account and region."""
        from ministack.services import dynamodb

        for (account, region, name), record in list(dynamodb._tables.all_items()):  # noqa: SLF001
            yield (account, region, str(name)), record


@dataclass(slots=True, kw_only=True)
class TableLimits:
    """Asks `throughput` before each data operation and settles with it after. `install` once a process."""

    quotas: Quotas
    metrics: TableMetrics
    counted: Counted
    tables: EmulatedTables = field(default_factory=EmulatedTables)
    throughput: Throughput = field(init=False)
    _planner: Planner = field(init=False)

    def __post_init__(self) -> None:
        self.throughput = Throughput(quotas=self.quotas)
        self._planner = Planner(self.tables, self.quotas, self.throughput.plenty)

    def install(self) -> None:
        """From now on."""
        from ministack.services import dynamodb

        for operation in (*_WRITES, *_READS):
            name = "_" + "".join(f"_{c.lower()}" if c.isupper() else c for c in operation).lstrip("_")
            setattr(dynamodb, name, self._metered(operation, getattr(dynamodb, name)))

    def look(self) -> None:
        """Publish what is provisioned."""
        for table, record in self.tables.every():
            for index in ("", *(str(one["IndexName"]) for one in record.get("GlobalSecondaryIndexes") or ())):
                for kind in KINDS:
                    allowed = allowance(record, index, kind, self.quotas)
                    if allowed.why == "ProvisionedThroughputExceeded":
                        self.metrics.provisioned(table, index, kind, allowed.rate)

    # -- one operation -----------------------------------------------------------------------------------------

    def _metered(self, operation: str, builtin: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
        @functools.wraps(builtin)
        def answer(data: Record) -> Answer:
            wanted = str(data.get("ReturnConsumedCapacity") or "NONE")
            if wanted not in _SHOWN:
                return builtin(data)  # which says so
            parts = self._planner.parts(operation, data)
            taken, refused = self._take(operation, parts)
            if refused:
                self.metrics.throttled([one for _, one in refused], operation, whole=not taken)
                if not taken:
                    return _refusal(operation, parts, refused[0][1])
            asked = _only(operation, data, taken) if refused else data
            status, headers, body = builtin({**asked, "ReturnConsumedCapacity": "INDEXES"})
            if status != 200:
                self._failed(taken, _CONDITION_FAILED in (body if isinstance(body, bytes) else str(body).encode()))
                return status, headers, body
            found = json.loads(body)
            self._settle(operation, asked, found, taken)
            _as_asked(found, wanted)
            for part, _ in refused:
                _unprocessed(operation, data, found, part)
            return status, headers, json.dumps(found, ensure_ascii=False).encode()

        return answer

    def _take(self, operation: str, parts: list[Part]) -> tuple[list[Part], list[tuple[Part, Refusal]]]:
        """What is let through, and what is not; a transaction is let through as a whole or not at all."""
        if operation.startswith("Transact"):
            refusal = self.throughput.take([one for part in parts for one in part.demands])
            return (parts, []) if refusal is None else ([], [(parts[0], refusal)])
        taken, refused = [], []
        for part in parts:
            refusal = self.throughput.take(part.demands)
            if refusal is None:
                taken.append(part)
            else:
                refused.append((part, refusal))
        return taken, refused

    def _failed(self, taken: list[Part], condition: bool) -> None:  # noqa: FBT001 - one caller
        for demand in (one for part in taken for one in part.demands):
            if not condition:
                self.throughput.settle(demand, 0.0)
            elif not demand.index:
                self.metrics.condition_failed(demand.table)
                self._consumed(demand, demand.units)

    def _settle(self, operation: str, data: Record, answer: Record, taken: list[Part]) -> None:
        alone = taken[0].alone if len(taken) == 1 and operation in _SINGLE else None
        consumed = answer.get("ConsumedCapacity")
        if alone is not None and consumed and not consumed.get("GlobalSecondaryIndexes"):
            units = item_units(operation, data, answer, self.tables)  # nearly every call: without looking further
            self.throughput.settle(alone, units)
            self._consumed(alone, units)
            return
        self._settle_all(operation, data, answer, taken)

    def _settle_all(self, operation: str, data: Record, answer: Record, taken: list[Part]) -> None:
        demanded: dict[tuple[TableId, str], list[Demand]] = defaultdict(list)
        for demand in (one for part in taken for one in part.demands):
            demanded[demand.table, demand.index].append(demand)
        costs: dict[tuple[TableId, str], float] = defaultdict(float)
        kind: Kind = "Write" if operation in _WRITES else "Read"
        for (name, index), units in spent(operation, data, answer, self.tables).items():
            found = self.tables.find(name)
            if found is None:
                continue
            at = (found[0], index)
            costs[at] += units
            if at not in demanded:  # an index that an item has left
                allowed = allowance(found[1], index, kind, self.quotas)
                demanded[at].append(Demand(table=found[0], kind=kind, units=0.0, allowance=allowed, index=index))
        for at, demands in demanded.items():
            units, estimate = costs.get(at, 0.0), sum(one.units for one in demands)
            self.throughput.settle(demands[0], demands[0].units + units - estimate)
            if units:
                self._consumed(demands[0], units)
        if operation in {"Query", "Scan"} and taken and taken[0].demands:
            self.metrics.returned(taken[0].demands[0].table, operation, int(answer.get("Count") or 0))

    def _consumed(self, demand: Demand, units: float) -> None:
        self.metrics.consumed(demand.table, demand.index, demand.kind, units)
        self.counted(demand.kind, demand.table[2], units)


def _refusal(operation: str, parts: list[Part], refusal: Refusal) -> Answer:
    """The error, in the words of its kind of request."""
    from ministack.services import dynamodb

    demand, code = refusal.demand, _code(refusal)
    if operation.startswith("Transact"):
        said = [{"Code": "None"} for _ in parts]
        at = next(number for number, part in enumerate(parts) if demand in part.demands)
        said[at] = {"Code": _REASONS.get(code, code.removesuffix("Exception")), "Message": _MESSAGES[code]}
        listed = ", ".join(one["Code"] for one in said)
        message = f"Transaction cancelled, please refer cancellation reasons for specific reasons [{listed}]"
        more: Record = {"CancellationReasons": said, "Message": message}
        cancelled: Answer = dynamodb.error_response_json("TransactionCanceledException", message, 400, more)
        return cancelled
    account, region, name = demand.table
    arn = f"arn:aws:dynamodb:{region}:{account}:table/{name}" + (f"/index/{demand.index}" if demand.index else "")
    member = "throttlingReasons" if code == "ThrottlingException" else "ThrottlingReasons"
    more = {member: [{"reason": refusal.reason, "resource": arn}]}
    found: Answer = dynamodb.error_response_json(code, _MESSAGES[code], 400, more)
    return found


def _code(refusal: Refusal) -> str:
    """By the table's mode; https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/Programming.Errors.html."""
    if refusal.demand.allowance.why == "ProvisionedThroughputExceeded":
        return "ProvisionedThroughputExceededException"
    return "RequestLimitExceeded" if refusal.why == "AccountLimitExceeded" else "ThrottlingException"


def _only(operation: str, data: Record, taken: list[Part]) -> Record:
    """The batch, of what was let through."""
    if not operation.startswith("Batch"):
        return data
    kept: dict[str, Any] = {}
    for part in taken:
        if operation == "BatchWriteItem":
            kept.setdefault(part.table, []).append(part.entry)
        else:
            asked = data["RequestItems"][part.table]
            kept.setdefault(part.table, {**asked, "Keys": []})["Keys"].append(part.entry)
    return {**data, "RequestItems": kept}


def _unprocessed(operation: str, data: Record, answer: Record, part: Part) -> None:
    """Give one item of a batch back to the caller."""
    if operation == "BatchWriteItem":
        answer.setdefault("UnprocessedItems", {}).setdefault(part.table, []).append(part.entry)
    elif operation == "BatchGetItem":
        asked = {**data["RequestItems"][part.table], "Keys": []}
        answer.setdefault("UnprocessedKeys", {}).setdefault(part.table, asked)["Keys"].append(part.entry)


def _as_asked(answer: Record, asked: str) -> None:
    """Leave of the consumed capacity what the caller asked for."""
    if asked == "NONE":
        answer.pop("ConsumedCapacity", None)
    elif asked == "TOTAL":
        consumed = answer.get("ConsumedCapacity") or ()
        for one in [consumed] if isinstance(consumed, dict) else consumed:
            for arm in ("Table", "GlobalSecondaryIndexes", "LocalSecondaryIndexes", "VectorIndexes"):
                one.pop(arm, None)
