"""ministack's log groups with filter patterns, metrics from log lines, subscriptions and Insights behind them.

ministack takes a pattern for its words and a JSON pattern for "everything", makes no metric of a log line, delivers
to functions only, and runs of Insights a filter and a limit.
"""

from __future__ import annotations

import asyncio
import hashlib
import itertools
import logging
import time
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.logs import destinations, embedded_metrics, metric_filters, subscriptions
from harness.cloud.logs.destinations import Invoke
from harness.cloud.logs.insights.rows import Pointer, Stretch
from harness.cloud.logs.patterns import PatternError, compile_pattern
from harness.cloud.logs.queries import QueryDesk
from harness.cloud.signals.emulated import scope
from harness.cloud.signals.series import MetricId, MetricStore, one

Record = dict[str, Any]  # ministack's record of a group, a stream, an event, a filter
Answer = tuple[int, dict[str, str], bytes]

MOST_EVENTS = 10_000
MOST_MESSAGE_BYTES = 1 << 20
OLDEST_MS, NEWEST_MS = 14 * 86_400_000, 2 * 3_600_000
"""Events that are older or newer than so much are rejected."""


@dataclass(slots=True)
class LogsDesk:
    """What one server installs; `close` ends it."""

    store: MetricStore
    invoke: Invoke
    desk: QueryDesk = field(default_factory=QueryDesk)
    _loop: asyncio.AbstractEventLoop | None = None

    def install(self) -> None:
        """Put it behind ministack's CloudWatch Logs. Call it in the server's event loop."""
        from ministack.services import cloudwatch_logs

        self._loop = asyncio.get_running_loop()
        cloudwatch_logs._put_log_events = _put_log_events  # noqa: SLF001 - this file is the seam into ministack's logs
        cloudwatch_logs._fanout_to_subscription_filters = self.fan_out  # noqa: SLF001
        cloudwatch_logs._subscription_pattern_matches = _matches  # noqa: SLF001 - of live tails
        cloudwatch_logs._filter_log_events = _filter_log_events  # noqa: SLF001
        cloudwatch_logs._put_metric_filter = _checked_metric_filter(cloudwatch_logs._put_metric_filter)  # noqa: SLF001
        cloudwatch_logs._put_subscription_filter = self._checked_subscription(  # noqa: SLF001
            cloudwatch_logs._put_subscription_filter  # noqa: SLF001
        )
        cloudwatch_logs._start_query = self._start_query  # noqa: SLF001
        cloudwatch_logs._get_query_results = self.desk.results  # noqa: SLF001
        cloudwatch_logs._stop_query = self.desk.stop  # noqa: SLF001
        cloudwatch_logs._get_log_record = _get_log_record  # noqa: SLF001
        cloudwatch_logs._collect_query_records = _recent_records  # noqa: SLF001 - of GetLogGroupFields

    def close(self) -> None:
        """End what runs."""
        self.desk.close()

    # -- what becomes of new events --------------------------------------------------------------------------

    def fan_out(self, group: str, stream: str, events: Sequence[Record]) -> None:
        """Publish the metrics of new events and deliver them; never raises, as ingestion does not on AWS."""
        try:
            self._tail(group, stream, events)
            self._publish(group, events)
            self._deliver(group, stream, events)
        except Exception:
            logging.getLogger(__name__).exception("events of %s", group)

    def _tail(self, group: str, stream: str, events: Sequence[Record]) -> None:
        """To live tails, in the event loop that they wait in."""
        from ministack.services import cloudwatch_logs

        if cloudwatch_logs._live_tail_sessions and self._loop is not None:  # noqa: SLF001
            self._loop.call_soon_threadsafe(
                cloudwatch_logs._fanout_to_live_tail_sessions,  # noqa: SLF001
                group,
                stream,
                list(events),
            )

    def _publish(self, group: str, events: Sequence[Record]) -> None:
        from ministack.services import cloudwatch_logs

        account, region = scope()
        of_group = (("LogGroupName", group),)
        incoming = MetricId(account, region, "AWS/Logs", "IncomingLogEvents", of_group)
        volume = MetricId(account, region, "AWS/Logs", "IncomingBytes", of_group)
        now_s = time.time()
        self.store.value_soon(incoming, len(events), now_s, unit="None")
        self.store.value_soon(volume, sum(len(event["message"]) + 26 for event in events), now_s, unit="Bytes")
        data = [datum for event in events for datum in embedded_metrics.read(event["message"])]
        for record in list(cloudwatch_logs._metric_filters.values()):  # noqa: SLF001
            if record["logGroupName"] == group:
                data += metric_filters.published(record, events)
        for datum in data:
            metric = MetricId(account, region, datum.namespace, datum.name, datum.dimensions)
            self.store.publish(metric, one(datum.value, datum.at_s), unit=datum.unit, resolution_s=datum.resolution_s)

    def _deliver(self, group: str, stream: str, events: Sequence[Record]) -> None:
        from ministack.services import cloudwatch_logs

        known = cloudwatch_logs._log_groups.get(group) or {}  # noqa: SLF001
        account, region = scope()
        for record in list((known.get("subscriptionFilters") or {}).values()):
            if group == f"/aws/lambda/{record['destinationArn'].rsplit(':', 1)[-1]}":
                continue  # it would feed itself for ever
            body = subscriptions.compressed(record, events, owner=account, stream=stream)
            if body is None:
                continue
            done = destinations.send(record, body, stream, self.invoke)
            name = "ForwardedLogEvents" if done else "DeliveryErrors"
            dimensions = (
                ("DestinationType", _kind(record)),
                ("FilterName", record["filterName"]),
                ("LogGroupName", group),
            )
            metric = MetricId(account, region, "AWS/Logs", name, dimensions)
            self.store.value_soon(metric, len(events) if done else 1, time.time(), unit="None")

    # -- operations ------------------------------------------------------------------------------------------

    def _checked_subscription(self, builtin: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
        def put(data: Record) -> Answer:
            from ministack.services import cloudwatch_logs

            account, region = scope()
            arn = str(data.get("destinationArn", ""))
            try:
                compile_pattern(str(data.get("filterPattern") or ""))
                service = subscriptions.check_destination(arn, account=account, region=region)
            except ValueError as error:
                return _refused("InvalidParameterException", str(error))
            refusal = destinations.unreachable(service, arn)
            if refusal:
                return _refused("InvalidParameterException", refusal)
            known = (cloudwatch_logs._log_groups.get(data.get("logGroupName")) or {}).get("subscriptionFilters", {})  # noqa: SLF001
            if data.get("filterName") not in known and len(known) >= subscriptions.MOST_FILTERS:
                return _refused("LimitExceededException", "Resource limit exceeded.")
            return builtin(data)

        return put

    def _start_query(self, data: Record) -> Answer:
        from ministack.services import cloudwatch_logs

        groups = cloudwatch_logs._resolve_query_log_groups(data)  # noqa: SLF001
        if not groups:
            return _refused("InvalidParameterException", "a query needs at least one log group")
        for name in groups:
            if name not in cloudwatch_logs._log_groups:  # noqa: SLF001
                return _refused("ResourceNotFoundException", f"Log group '{name}' does not exist.")
        stretches = [
            stretch
            for name in groups
            for stretch in _stretches(name, data["startTime"] * 1000, data["endTime"] * 1000)
        ]
        return self.desk.start(data, stretches)


def _kind(record: Record) -> str:
    return str(record["destinationArn"].split(":")[2]).capitalize()


def _put_log_events(data: Record) -> Answer:
    """PutLogEvents: batches in order, old and new events rejected by place."""
    from ministack.services import cloudwatch_logs

    group, stream = data.get("logGroupName"), data.get("logStreamName")
    known = cloudwatch_logs._log_groups.get(group)  # noqa: SLF001
    if known is None:
        return _refused("ResourceNotFoundException", "The specified log group does not exist.")
    if stream not in known["streams"]:
        return _refused("ResourceNotFoundException", "The specified log stream does not exist.")
    events, now_ms = data.get("logEvents") or [], int(time.time() * 1000)
    wrong = _wrong_batch(events)
    if wrong:
        return _refused("InvalidParameterException", wrong)
    times = [event["timestamp"] for event in events]
    first, end = bisect_left(times, now_ms - OLDEST_MS), bisect_right(times, now_ms + NEWEST_MS)
    kept = [{**event, "ingestionTime": now_ms} for event in events[first:end]]
    if kept:
        cloudwatch_logs._append_log_events(known["streams"][stream], kept)  # noqa: SLF001
        cloudwatch_logs._fanout_to_subscription_filters(group, stream, kept)  # noqa: SLF001
    rejected = {
        **({"tooOldLogEventEndIndex": first} if first else {}),
        **({"tooNewLogEventStartIndex": end} if end < len(events) else {}),
    }
    return _ok({"nextSequenceToken": str(now_ms), **({"rejectedLogEventsInfo": rejected} if rejected else {})})


def _wrong_batch(events: Sequence[Record]) -> str:
    if not 1 <= len(events) <= MOST_EVENTS:
        return f"a batch has 1 to {MOST_EVENTS} log events"
    if any(not event.get("message") or len(event["message"].encode()) > MOST_MESSAGE_BYTES for event in events):
        return f"Log event message must have 1 to {MOST_MESSAGE_BYTES} bytes"
    if any(later["timestamp"] < earlier["timestamp"] for earlier, later in itertools.pairwise(events)):
        return "Log events in a single PutLogEvents request must be in chronological order."
    return ""


def _filter_log_events(data: Record) -> Answer:
    """FilterLogEvents, a page at a time: the token is the place in the merged streams."""
    from ministack.services import cloudwatch_logs

    group = cloudwatch_logs._resolve_log_group_name(data)  # noqa: SLF001
    if group not in cloudwatch_logs._log_groups:  # noqa: SLF001
        return _refused("ResourceNotFoundException", "The specified log group does not exist.")
    try:
        pattern = compile_pattern(str(data.get("filterPattern") or ""))
    except PatternError as error:
        return _refused("InvalidParameterException", str(error))
    prefix, names = str(data.get("logStreamNamePrefix") or ""), data.get("logStreamNames")
    limit, start = min(int(data.get("limit") or MOST_EVENTS), MOST_EVENTS), int(data.get("nextToken") or 0)
    stretches = _stretches(group, data.get("startTime") or 0, data.get("endTime") or 2**62)
    merged = [
        (event["timestamp"], stretch.stream, at, event)
        for stretch in stretches
        if stretch.stream.startswith(prefix) and (not names or stretch.stream in names)
        for at, event in enumerate(stretch.events)
    ]
    merged.sort(key=lambda entry: entry[:3])
    found: list[Record] = []
    for at in range(start, len(merged)):
        if len(found) == limit:
            return _ok({"events": found, "searchedLogStreams": [], "nextToken": str(at)})
        timestamp, stream, place, event = merged[at]
        if pattern.matches(event["message"]):
            identity = hashlib.sha256(f"{stream} {timestamp} {place}".encode()).hexdigest()
            found.append(
                {**event, "logStreamName": stream, "eventId": f"{timestamp:013d}{int(identity, 16) % 10**43:043d}"}
            )
    return _ok({"events": found, "searchedLogStreams": []})


def _stretches(group: str, start_ms: float, end_ms: float) -> Iterator[Stretch]:
    """The events of each stream of a group from `start_ms` to `end_ms`, both included."""
    from ministack.services import cloudwatch_logs

    streams = (cloudwatch_logs._log_groups.get(group) or {"streams": {}})["streams"]  # noqa: SLF001
    for name, stream in list(streams.items()):
        with cloudwatch_logs._log_events_lock:  # noqa: SLF001
            events = stream["events"]
            first = bisect_left(events, start_ms, key=_time_of)
            end = bisect_right(events, end_ms, key=_time_of)
            found = events[first:end]
        if found:
            yield Stretch(log=f"{scope()[0]}:{group}", group=group, stream=name, events=found)


def _time_of(event: Record) -> int:
    return int(event["timestamp"])


def _recent_records(groups: Sequence[str], start_s: float, end_s: float) -> list[Record]:
    """Events as GetLogGroupFields counts their fields."""
    return [
        {
            "@timestamp": event["timestamp"],
            "@message": event["message"],
            "@logStream": stretch.stream,
            "@ptr": "",
            "@log": stretch.log,
        }
        for group in groups
        for stretch in _stretches(group, start_s * 1000, end_s * 1000)
        for event in stretch.events
    ]


def _get_log_record(data: Record) -> Answer:
    """The event that an `@ptr` means, with the fields of its JSON."""
    import msgspec

    from harness.cloud.logs.insights.functions import Instant, text

    try:
        pointer = Pointer.decoded(str(data.get("logRecordPointer")))
        (stretch,) = (
            s for s in _stretches(pointer.group, pointer.timestamp, pointer.timestamp) if s.stream == pointer.stream
        )
        event = next(event for event in stretch.events if event["message"].startswith(pointer.message))
    except (ValueError, StopIteration):
        return _refused("InvalidParameterException", "The log record pointer is invalid or its event is gone.")
    record = {
        "@ptr": data["logRecordPointer"],
        "@timestamp": str(Instant(event["timestamp"])),
        "@message": event["message"],
        "@logStream": stretch.stream,
        "@log": stretch.log,
    }
    try:
        found = msgspec.json.decode(event["message"])
    except msgspec.DecodeError:
        found = None
    fields = {name: text(value) for name, value in found.items()} if isinstance(found, dict) else {}
    return _ok({"logRecord": {**fields, **record}})


def _checked_metric_filter(builtin: Callable[[Record], Answer]) -> Callable[[Record], Answer]:
    def put(data: Record) -> Answer:
        try:
            metric_filters.check(str(data.get("filterPattern") or ""), data.get("metricTransformations") or ())
        except ValueError as error:
            return _refused("InvalidParameterException", str(error))
        return builtin(data)

    return put


def _matches(pattern: str, message: str) -> bool:
    try:
        return compile_pattern(pattern or "").matches(message or "")
    except PatternError:
        return False


def _ok(body: Mapping[str, Any]) -> Answer:
    from ministack.core.responses import json_response

    answer: Answer = json_response(body)
    return answer


def _refused(code: str, message: str) -> Answer:
    from ministack.core.responses import error_response_json

    answer: Answer = error_response_json(code, message, 400)
    return answer
