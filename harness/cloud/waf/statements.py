"""Statements of WAF rules as tests of a request. Pure but for the counts of rate-based ones.

https://docs.aws.amazon.com/waf/latest/developerguide/waf-rule-statements.html
"""

from __future__ import annotations

import base64
import html
import ipaddress
import re
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final
from urllib.parse import parse_qsl, unquote_plus

Spec = Mapping[str, Any]  # wire JSON
MOST_BODY_BYTES = 16_384


class UnsupportedStatementError(ValueError):
    """A statement that is not evaluated here; names it."""


@dataclass(slots=True)
class WebRequest:
    """What a rule looks at. `labels` are what earlier rules added."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]  # names in lower case
    body: bytes
    ip: str
    labels: set[str] = field(default_factory=set)


Test = Callable[[WebRequest], bool]
Resolve = Callable[[str], Spec]
"""Finds an IP set, a pattern set or a rule group by its ARN."""

_SQLI = re.compile(
    r"(?i)\bunion\b.{0,20}\bselect\b|\b(?:or|and)\b\s+['\"]?\w+['\"]?\s*=\s*['\"]?\w+|;\s*(?:drop|delete|insert|update)\b"
    r"|'\s*(?:or|and)\b|\bsleep\s*\(|--\s*$|\bxp_cmdshell\b|\bwaitfor\s+delay\b"
)
_XSS = re.compile(r"(?i)<\s*script|javascript:|\bon(?:error|load|click|mouseover)\s*=|<\s*iframe")
_COMPARE: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "EQ": lambda a, b: a == b,
    "NE": lambda a, b: a != b,
    "LE": lambda a, b: a <= b,
    "LT": lambda a, b: a < b,
    "GE": lambda a, b: a >= b,
    "GT": lambda a, b: a > b,
}
_MATCH: Final[Mapping[str, Callable[[str, str], bool]]] = {
    "EXACTLY": lambda text, part: text == part,
    "STARTS_WITH": str.startswith,
    "ENDS_WITH": str.endswith,
    "CONTAINS": lambda text, part: part in text,
    "CONTAINS_WORD": lambda text, part: re.search(rf"(?<!\w){re.escape(part)}(?!\w)", text) is not None,
}


def _base64(text: str) -> str:
    try:
        return base64.b64decode(text + "=" * (-len(text) % 4)).decode(errors="replace")
    except ValueError:
        return text


_TRANSFORM: Final[Mapping[str, Callable[[str], str]]] = {
    "NONE": lambda text: text,
    "LOWERCASE": str.lower,
    "URL_DECODE": unquote_plus,
    "HTML_ENTITY_DECODE": html.unescape,
    "COMPRESS_WHITE_SPACE": lambda text: re.sub(r"\s+", " ", text),
    "BASE64_DECODE": _base64,
}


def compile_statement(spec: Spec, resolve: Resolve) -> Test:
    """The test that a statement stands for.

    Raises:
        UnsupportedStatementError: it is not evaluated here.
    """
    (kind, given), *_ = spec.items()
    if kind in {"AndStatement", "OrStatement"}:
        tests = [compile_statement(one, resolve) for one in given["Statements"]]
        every = all if kind == "AndStatement" else any
        return lambda request: every(test(request) for test in tests)
    if kind == "NotStatement":
        inner = compile_statement(given["Statement"], resolve)
        return lambda request: not inner(request)
    if kind == "IPSetReferenceStatement":
        return _ip_set(given, resolve)
    if kind == "GeoMatchStatement":
        countries = set(given["CountryCodes"])
        return lambda request: request.headers.get("cloudfront-viewer-country", "") in countries
    if kind == "RateBasedStatement":
        return _Rate(given, resolve)
    if kind == "LabelMatchStatement":
        key = str(given["Key"])
        return lambda request: any(label == key or label.endswith(f":{key}") for label in request.labels)
    match = _field_test(kind, given, resolve)
    fields(WebRequest(method="GET", path="/", query="", headers={}, body=b"", ip=""), given)  # refuses what it lacks
    return lambda request: any(match(text) for text in fields(request, given))


def _field_test(kind: str, given: Spec, resolve: Resolve) -> Callable[[str], bool]:
    """A test of one text of the request."""
    if kind == "ByteMatchStatement":
        raw = given["SearchString"]
        wanted = raw.decode() if isinstance(raw, bytes) else _base64(str(raw))
        compare = _MATCH[str(given["PositionalConstraint"])]
        return lambda text: compare(text, wanted)
    if kind == "SizeConstraintStatement":
        size, compare_size = int(given["Size"]), _COMPARE[str(given["ComparisonOperator"])]
        return lambda text: compare_size(len(text.encode()), size)
    if kind == "RegexMatchStatement":
        return _any_regex([str(given["RegexString"])])
    if kind == "RegexPatternSetReferenceStatement":
        return _any_regex([one["RegexString"] for one in resolve(given["ARN"])["RegularExpressionList"]])
    if kind in {"SqliMatchStatement", "XssMatchStatement"}:
        return _any_regex([(_SQLI if kind == "SqliMatchStatement" else _XSS).pattern])
    raise UnsupportedStatementError(f"{kind} is not evaluated here")


def _any_regex(patterns: Sequence[str]) -> Callable[[str], bool]:
    searches = [re.compile(pattern).search for pattern in patterns]
    return lambda text: any(search(text) for search in searches)


def fields(request: WebRequest, given: Spec) -> list[str]:
    """The texts that a statement looks at, transformed in order."""
    (kind, detail), *_ = given["FieldToMatch"].items()
    name = str((detail or {}).get("Name", "")).lower()
    found = {
        "SingleHeader": lambda: [request.headers[name]] if name in request.headers else [],
        "Headers": lambda: [text for pair in request.headers.items() for text in pair],
        "Cookies": lambda: [request.headers.get("cookie", "")],
        "QueryString": lambda: [request.query],
        "SingleQueryArgument": lambda: [value for key, value in parse_qsl(request.query) if key.lower() == name],
        "AllQueryArguments": lambda: [value for _, value in parse_qsl(request.query)],
        "UriPath": lambda: [request.path],
        "Method": lambda: [request.method],
        "Body": lambda: [request.body[:MOST_BODY_BYTES].decode(errors="replace")],
        "JsonBody": lambda: [request.body[:MOST_BODY_BYTES].decode(errors="replace")],
    }.get(kind)
    if found is None:
        raise UnsupportedStatementError(f"FieldToMatch {kind} is not evaluated here")
    texts = found()
    for transformation in sorted(given.get("TextTransformations") or (), key=lambda one: int(one["Priority"])):
        transform = _TRANSFORM.get(str(transformation["Type"]))
        if transform is None:
            raise UnsupportedStatementError(f"the text transformation {transformation['Type']} is not evaluated here")
        texts = [transform(text) for text in texts]
    return texts


def _addresses(request: WebRequest, given: Spec) -> list[str]:
    """The client's address, or those at the asked position of what the configured header forwards."""
    forwarded = given.get("IPSetForwardedIPConfig") or given.get("ForwardedIPConfig")
    if not forwarded:
        return [request.ip]
    listed = [one.strip() for one in request.headers.get(str(forwarded["HeaderName"]).lower(), "").split(",")]
    position = str(forwarded.get("Position") or "FIRST")
    return listed if position == "ANY" else listed[-1:] if position == "LAST" else listed[:1]


def _ip_set(given: Spec, resolve: Resolve) -> Test:
    def inside(request: WebRequest) -> bool:
        networks = [ipaddress.ip_network(one, strict=False) for one in resolve(given["ARN"])["Addresses"]]
        return any(_is_in(text, networks) for text in _addresses(request, given))

    return inside


def _is_in(text: str, networks: Sequence[ipaddress.IPv4Network | ipaddress.IPv6Network]) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    return any(address in network for network in networks if network.version == address.version)


class _Rate:
    """True for a client that sent more than `Limit` requests within the window."""

    def __init__(self, given: Spec, resolve: Resolve) -> None:
        kind = str(given.get("AggregateKeyType", "IP"))
        if kind not in {"IP", "FORWARDED_IP", "CONSTANT"}:
            raise UnsupportedStatementError(
                f"the aggregate key {kind} of a rate-based statement is not evaluated here"
            )
        self._given, self._constant = given, kind == "CONSTANT"
        self._limit, self._window_s = int(given["Limit"]), float(given.get("EvaluationWindowSec") or 300)
        scope = given.get("ScopeDownStatement")
        self._counts = compile_statement(scope, resolve) if scope else (lambda _request: True)
        self._seen: dict[str, deque[float]] = {}

    def __call__(self, request: WebRequest) -> bool:
        forwarded = None if self._constant else self._given.get("ForwardedIPConfig")
        absent = forwarded is not None and str(forwarded["HeaderName"]).lower() not in request.headers
        if absent or not self._counts(request):  # without the header the rule is not applied, whatever its fallback
            return False
        client = "" if self._constant else _addresses(request, self._given)[0]
        if forwarded is not None and not _is_address(client):
            return bool(forwarded.get("FallbackBehavior") == "MATCH")
        now_s, seen = time.monotonic(), self._seen.setdefault(client, deque())
        seen.append(now_s)
        while seen and seen[0] < now_s - self._window_s:
            seen.popleft()
        return len(seen) > self._limit


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
