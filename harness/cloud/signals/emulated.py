"""ministack's CloudWatch, with our metrics and alarms behind its API.

It keeps every datum for ever, ignores an alarm's dimensions, missing data and M of N, evaluates only when somebody
publishes, and refuses metric math. `tests/contract/test_ministack_cloudwatch.py` pins what is replaced.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from harness.cloud.signals import alarm_actions
from harness.cloud.signals.alarm import Condition, Decision
from harness.cloud.signals.keeper import Watched, is_supported
from harness.cloud.signals.metric_math import MathError, parse
from harness.cloud.signals.queries import Query, answer, metric_of, read_queries
from harness.cloud.signals.search import expanded
from harness.cloud.signals.series import Bucket, MetricId, MetricStore, one
from harness.cloud.signals.service_metrics import Api, QueueDepth

Answer = tuple[int, dict[str, str], bytes]
_EVER_S = float(2**53)
_ACTIONS = ("AlarmActions", "OKActions", "InsufficientDataActions")
_UNSUPPORTED_ACTIONS = frozenset({"automate", "swf"})
"""The services in the ARNs of actions that stop, end, reboot or recover instances."""


def install(store: MetricStore, *, invoke: Callable[[str, Any], bool]) -> None:
    """Replace ministack's store, its evaluation, and the operations that read or write more than it can keep.

    Its metrics of Lambda are replaced too: it publishes them for direct invocations only, throttles twice. `invoke`
    runs the functions that are an alarm's actions.
    """
    from ministack.services import cloudwatch, lambda_svc

    lambda_svc._emit_lambda_metrics = _nothing  # noqa: SLF001 - published where slots are given and functions run
    cloudwatch._metrics = _View(store)  # noqa: SLF001 - this file is the seam into ministack's CloudWatch
    cloudwatch._metric_bucket = lambda key: _Sink(store, _metric(key))  # noqa: SLF001
    cloudwatch._evict_old_metrics = _nothing  # noqa: SLF001 - the store lets data age
    cloudwatch._evaluate_alarm = cloudwatch._evaluate_all_alarms = _nothing  # noqa: SLF001 - the keeper does, on time
    cloudwatch._dispatch_alarm_actions = alarm_actions.and_functions(  # noqa: SLF001
        cloudwatch._dispatch_alarm_actions,  # noqa: SLF001
        invoke,
    )
    cloudwatch._put_metric_data = _PutMetricData(store)  # noqa: SLF001
    cloudwatch._get_metric_data = _GetMetricData(store)  # noqa: SLF001
    cloudwatch._put_metric_alarm = _put_metric_alarm(cloudwatch._put_metric_alarm)  # noqa: SLF001


def scope() -> tuple[str, str]:
    """Account id and region of the call under way."""
    from ministack.core.responses import get_account_id, get_region

    return str(get_account_id()), str(get_region())


@contextmanager
def in_scope(account: str, region: str) -> Iterator[None]:
    """Run a body as ministack runs a call of this account and region."""
    from ministack.core.responses import _request_account_id, _request_region

    tokens = _request_account_id.set(account), _request_region.set(region)
    try:
        yield
    finally:
        _request_account_id.reset(tokens[0])
        _request_region.reset(tokens[1])


class Alarms:
    """ministack's alarms as the keeper's book."""

    def watched(self) -> list[Watched]:
        """Metric alarms with a static threshold; composite ones follow their children inside ministack."""
        from ministack.services import cloudwatch

        found = []
        for (account, region, _name), alarm in cloudwatch._alarms.all_items():  # noqa: SLF001
            if is_supported(str(alarm.get("ComparisonOperator"))):
                found.append(_watched(alarm, account, region))
        return found

    def enter(self, arn: str, decision: Decision, at_s: float) -> bool:
        """Set the state, write the history, start the actions, tell the parents."""
        from ministack.services import cloudwatch

        account, region, name = arn.split(":")[4], arn.split(":")[3], arn.split(":alarm:", 1)[1]
        with in_scope(account, region):
            alarm = cloudwatch._alarms.get(name)  # noqa: SLF001
            if alarm is None:
                return False
            before = alarm["StateValue"]
            alarm["StateValue"], alarm["StateReason"] = decision.state, decision.reason
            alarm["StateUpdatedTimestamp"] = int(time.time())
            alarm["EvaluatedAt"] = at_s
            cloudwatch._record_history(name, before, decision.state, decision.reason)  # noqa: SLF001
            cloudwatch._dispatch_alarm_actions(alarm, before, decision.state, decision.reason)  # noqa: SLF001
            cloudwatch._evaluate_parent_alarms(alarm)  # noqa: SLF001
        return True


class Sight:
    """ministack's APIs and queues, as the service metrics need them."""

    def api(self, api_id: str) -> Api | None:
        """The API with this id, of either generation."""
        from ministack.services import apigateway, apigateway_v1

        for (account, region, known), _ in apigateway._apis.all_items():  # noqa: SLF001
            if known == api_id:
                return Api(scope=(account, region), kind="HTTP", identity=api_id)
        for (account, region, known), found in apigateway_v1._rest_apis.all_items():  # noqa: SLF001
            if known == api_id:
                return Api(scope=(account, region), kind="REST", identity=str(found.get("name")))
        return None

    def queues(self) -> Iterator[QueueDepth]:
        """Every queue, counted now."""
        from ministack.services import sqs

        now_s = time.time()
        for (account, region, _url), queue in sqs._queues.all_items():  # noqa: SLF001
            with in_scope(account, region), sqs._queues_lock:  # noqa: SLF001
                messages = list(queue["messages"])
            visible = [m for m in messages if m["visible_at"] <= now_s]
            hidden = [m for m in messages if m["visible_at"] > now_s]
            yield QueueDepth(
                scope=(account, region),
                name=str(queue["name"]),
                visible=len(visible),
                in_flight=sum(m["receive_count"] > 0 for m in hidden),
                delayed=sum(m["receive_count"] == 0 for m in hidden),
                oldest_s=max((now_s - m["sent_at"] for m in messages), default=0.0),
            )


def _watched(alarm: Mapping[str, Any], account: str, region: str) -> Watched:  # ministack's own record
    if alarm.get("Metrics"):
        queries = read_queries(alarm["Metrics"], account=account, region=region)
        period_s = max(query.period_s for query in queries)
    else:
        period_s = int(alarm.get("Period") or 60)
        statistic = str(alarm.get("ExtendedStatistic") or alarm.get("Statistic") or "Average")
        metric = metric_of(alarm, account=account, region=region)
        queries = [Query(id="m", label=metric.name, metric=metric, statistic=statistic, period_s=period_s)]
    periods = int(alarm.get("EvaluationPeriods") or 1)
    condition = Condition(
        comparison=str(alarm["ComparisonOperator"]),
        threshold=float(alarm.get("Threshold") or 0.0),
        periods=periods,
        datapoints=int(alarm.get("DatapointsToAlarm") or periods),
        missing=str(alarm.get("TreatMissingData") or "missing"),
    )
    return Watched(
        arn=str(alarm["AlarmArn"]),
        name=str(alarm["AlarmName"]),
        state=str(alarm["StateValue"]),
        condition=condition,
        queries=queries,
        period_s=period_s,
    )


class _View:
    """The store as the mapping of (namespace, name, dimensions' key) → points that ministack reads."""

    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def items(self) -> list[tuple[tuple[str, str, str], _PointsView]]:
        """The metrics of the caller's account and region."""
        return [(_key(metric), _PointsView(self._store, metric)) for metric in self._store.metrics(*scope())]

    def clear(self) -> None:
        """A reset."""
        self._store.clear()


class _PointsView(Sequence[dict[str, Any]]):  # ministack's points
    """A metric's buckets as the points ministack knows, made when they are read."""

    def __init__(self, store: MetricStore, metric: MetricId) -> None:
        self._store, self._metric = store, metric

    def __len__(self) -> int:
        return 1  # a metric exists once something was published

    def __getitem__(self, _at: Any) -> Any:
        return {"Dimensions": dict(self._metric.dimensions)}

    def __iter__(self) -> Iterator[dict[str, Any]]:
        unit, dimensions = self._store.unit(self._metric), dict(self._metric.dimensions)
        for bucket in self._store.buckets(self._metric, 0.0, _EVER_S):
            base = {"Timestamp": float(bucket.start_s), "Unit": unit, "Dimensions": dimensions}
            if bucket.values is not None:
                yield from ({**base, "Value": value, "Count": times} for value, times in bucket.values.items())
            else:
                statistics = {
                    "SampleCount": bucket.count,
                    "Sum": bucket.total,
                    "Minimum": bucket.low,
                    "Maximum": bucket.high,
                }
                yield {**base, "Value": bucket.total / bucket.count, "_stat": statistics}


class _Sink:
    """Takes the points that ministack's services publish themselves."""

    def __init__(self, store: MetricStore, metric: MetricId) -> None:
        self._store, self._metric = store, metric

    def append(self, point: Mapping[str, Any]) -> None:
        """Publish one value."""
        self._store.value(self._metric, float(point["Value"]), point["Timestamp"], unit=str(point["Unit"]))


class _PutMetricData:
    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def __call__(self, params: Any, body: Any, is_cbor: bool, is_json: bool = False) -> Answer:  # noqa: FBT001, FBT002
        from ministack.services import cloudwatch

        asked = body if is_cbor or is_json else members(params)
        account, region = scope()
        for datum in asked.get("MetricData") or ():
            metric = metric_of({**datum, "Namespace": asked["Namespace"]}, account=account, region=region)
            at_s = cloudwatch._parse_ts(datum.get("Timestamp")) or time.time()  # noqa: SLF001
            resolution_s = 1 if int(datum.get("StorageResolution") or 60) == 1 else 60
            for bucket in _published(datum, float(at_s)):
                self._store.publish(metric, bucket, unit=str(datum.get("Unit") or "None"), resolution_s=resolution_s)
        return _encoded({}, "PutMetricData", is_cbor=is_cbor, is_json=is_json)


def _published(datum: Mapping[str, Any], at_s: float) -> Iterator[Bucket]:  # wire JSON
    """The buckets of one MetricDatum: values with counts, a statistic set, or one value."""
    if datum.get("Values"):
        counts = datum.get("Counts") or [1.0] * len(datum["Values"])
        for value, times in zip(datum["Values"], counts, strict=True):
            yield one(float(value), at_s, float(times))
    elif datum.get("StatisticValues"):
        given = {name: float(value) for name, value in datum["StatisticValues"].items()}
        count, total, low, high = (given[name] for name in ("SampleCount", "Sum", "Minimum", "Maximum"))
        alike = low == high and total == low * count
        yield Bucket(int(at_s), count, total, low, high, {low: count} if alike else None)
    else:
        yield one(float(datum.get("Value") or 0.0), at_s)


class _GetMetricData:
    def __init__(self, store: MetricStore) -> None:
        self._store = store

    def __call__(self, params: Any, body: Any, is_cbor: bool, is_json: bool = False) -> Answer:  # noqa: FBT001, FBT002
        from ministack.services import cloudwatch

        asked = body if is_cbor or is_json else members(params)
        account, region = scope()
        start_s, end_s = (float(cloudwatch._parse_ts(asked[key])) for key in ("StartTime", "EndTime"))  # noqa: SLF001
        try:
            queries = read_queries(asked.get("MetricDataQueries") or (), account=account, region=region)
            queries = expanded(queries, self._store.metrics(account, region), period_s=_coarsest(queries))
            results = _results(queries, self._store, start_s, end_s)
        except ValueError as error:
            refused: Answer = cloudwatch._error(  # noqa: SLF001
                "InvalidParameterValue", str(error), 400, use_json=is_json, use_cbor=is_cbor
            )
            return refused
        newest_first = asked.get("ScanBy") != "TimestampAscending"
        shown = [
            _result(query, sorted(points.items(), reverse=newest_first), cloudwatch._ts_iso)  # noqa: SLF001
            for query, points in results
        ]
        if is_cbor:
            shown = [cloudwatch._cbor_metric_data_result(result) for result in shown]  # noqa: SLF001
        return _encoded({"MetricDataResults": shown}, "GetMetricData", is_cbor=is_cbor, is_json=is_json)


def _coarsest(queries: Sequence[Query]) -> int:
    return max((query.period_s for query in queries), default=0) or 300


def _results(
    queries: Sequence[Query], store: MetricStore, start_s: float, end_s: float
) -> list[tuple[Query, Mapping[float, float]]]:
    """The series of each query that is shown. What one SEARCH found shares an id, so each is asked for alone."""
    ids = [query.id for query in queries]
    several = [query for query in queries if ids.count(query.id) > 1]
    single = [query for query in queries if ids.count(query.id) == 1]
    found = answer(single, store, start_s=start_s, end_s=end_s)
    shown: list[tuple[Query, Mapping[float, float]]] = [(q, found[q.id]) for q in single if q.return_data]
    alone = [query for query in several if query.return_data]
    return shown + [(query, answer([query], store, start_s=start_s, end_s=end_s)[query.id]) for query in alone]


def _result(query: Query, points: Sequence[tuple[float, float]], iso: Callable[[float], str]) -> dict[str, Any]:
    return {
        "Id": query.id,
        "Label": query.label,
        "Timestamps": [iso(at) for at, _ in points],
        "Values": [value for _, value in points],
        "StatusCode": "Complete",
    }


def _put_metric_alarm(builtin: Callable[..., Answer]) -> Callable[..., Answer]:
    """The operation, which forgets `Metrics`; an alarm that can never be evaluated is refused before it is kept."""

    def put(params: Any, body: Any, is_cbor: bool, is_json: bool = False) -> Answer:  # noqa: FBT001, FBT002
        from ministack.services import cloudwatch

        asked = body if is_cbor or is_json else members(params)
        account, region = scope()
        try:
            _check_alarm(asked, account, region)
        except (ValueError, KeyError) as error:
            refused: Answer = cloudwatch._error(  # noqa: SLF001
                "ValidationError", str(error), 400, use_json=is_json, use_cbor=is_cbor
            )
            return refused
        answered = builtin(params, body, is_cbor, is_json)
        alarm = cloudwatch._alarms.get(asked.get("AlarmName"))  # noqa: SLF001
        if alarm is not None and asked.get("Metrics"):
            alarm["Metrics"] = asked["Metrics"]
            for key in ("Period", "Statistic", "Dimensions"):
                alarm.pop(key, None)
        return answered

    return put


def _check_alarm(asked: Mapping[str, Any], account: str, region: str) -> None:  # wire JSON
    """Refuse what could never be evaluated.

    Raises:
        ValueError: with the reason.
    """
    comparison = str(asked.get("ComparisonOperator"))
    if not is_supported(comparison):
        raise ValueError(f"{comparison}: alarms on an anomaly detection band are not supported here")
    for arn in (arn for key in _ACTIONS for arn in asked.get(key) or ()):
        if str(arn).split(":")[2] in _UNSUPPORTED_ACTIONS:
            raise ValueError(f"the alarm action {arn} is not supported here: actions on EC2 instances do not run")
    queries = read_queries(asked.get("Metrics") or (), account=account, region=region)
    for query in queries:
        if "SEARCH(" in query.expression:
            raise MathError("SEARCH is not supported on Metric Alarms")
        if query.expression:
            parse(query.expression)
    unknown = {use for query in queries if query.expression for use in parse(query.expression).uses}
    unknown -= {query.id for query in queries}
    if unknown:
        raise MathError(f"no metric or expression with id {', '.join(sorted(unknown))}")


def _encoded(body: dict[str, Any], operation: str, *, is_cbor: bool, is_json: bool) -> Answer:  # wire JSON
    from ministack.services import cloudwatch

    if is_cbor:
        found: Answer = cloudwatch._cbor_ok(body)  # noqa: SLF001
    elif is_json:
        found = cloudwatch._json_ok(body)  # noqa: SLF001
    else:
        inner = f"<{operation}Result>{_xml(body)}</{operation}Result>" if body else ""
        found = cloudwatch._xml(200, f"{operation}Response", inner)  # noqa: SLF001
    return found


def _xml(value: Any) -> str:  # wire JSON
    from xml.sax.saxutils import escape

    if isinstance(value, dict):
        return "".join(f"<{name}>{_xml(inner)}</{name}>" for name, inner in value.items())
    if isinstance(value, list):
        return "".join(f"<member>{_xml(inner)}</member>" for inner in value)
    return escape(str(value))


def members(params: Mapping[str, Any]) -> dict[str, Any]:  # wire JSON
    """The nested form of a query request: `MetricData.member.1.MetricName` → {"MetricData": [{"MetricName": …}]}."""
    nested: dict[str, Any] = {}
    for name, given in params.items():
        value = given[0] if isinstance(given, list) else given
        at = nested
        *path, last = re.sub(r"\.member\.", ".", name).split(".")
        for part in path:
            at = at.setdefault(part, {})
        at[last] = value
    listed = _listed(nested)
    return listed if isinstance(listed, dict) else {}


def _listed(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    if value and all(key.isdigit() for key in value):
        return [_listed(value[key]) for key in sorted(value, key=int)]
    return {key: _listed(inner) for key, inner in value.items()}


def _metric(key: tuple[str, str, str]) -> MetricId:
    """A metric from the key of `_metrics`; its dimensions are `a=b|c=d`, sorted."""
    namespace, name, dimensions = key
    pairs = tuple(tuple(part.split("=", 1)) for part in dimensions.split("|") if part)
    return MetricId(*scope(), namespace, name, pairs)  # type: ignore[arg-type] # pairs of two, by the split


def _key(metric: MetricId) -> tuple[str, str, str]:
    return metric.namespace, metric.name, "|".join(f"{name}={value}" for name, value in metric.dimensions)


def _nothing(*_arguments: Any, **_named: Any) -> None:
    """In place of what the store and the keeper do."""
