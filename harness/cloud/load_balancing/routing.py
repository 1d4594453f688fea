"""Which rule a request meets and what is to be done with it: pure.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/rule-condition-types.html
"""

from __future__ import annotations

import fnmatch
import ipaddress
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

Record = Mapping[str, Any]  # as Elastic Load Balancing's API shows it


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request as far as rules look at it. Header names are lower case; `path` has no query."""

    method: str
    path: str
    query: str
    headers: Mapping[str, str]
    source: str
    protocol: str = "http"
    port: int = 80

    @property
    def host(self) -> str:
        """The Host header without its port."""
        return self.headers.get("host", "").partition(":")[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One rule; a listener's default rule comes last."""

    priority: float
    conditions: tuple[Record, ...]
    actions: tuple[Record, ...]


def rules_in_order(records: Sequence[Record]) -> tuple[Rule, ...]:
    """A listener's rules, the first to be tried first."""
    made = [
        Rule(
            priority=float("inf") if record["Priority"] == "default" else float(record["Priority"]),
            conditions=tuple(record.get("Conditions") or ()),
            actions=tuple(record.get("Actions") or ()),
        )
        for record in records
    ]
    return tuple(sorted(made, key=lambda rule: rule.priority))


def action_for(rules: Sequence[Rule], asked: Asked) -> Record | None:
    """The last action of the first rule whose conditions all fit; None when there is none."""
    for rule in rules:
        if all(_fits(condition, asked) for condition in rule.conditions):
            return max(rule.actions, key=lambda action: int(action.get("Order") or 1), default=None)
    return None


def groups_of(action: Record) -> tuple[tuple[str, int], ...]:
    """The target groups of a forward action with their weights; empty for any other action."""
    if action["Type"] != "forward":
        return ()
    found = (action.get("ForwardConfig") or {}).get("TargetGroups")
    if found:
        return tuple((str(one["TargetGroupArn"]), int(one.get("Weight", 1))) for one in found)
    return ((str(action["TargetGroupArn"]), 1),) if action.get("TargetGroupArn") else ()


def group_for(action: Record, draw: float) -> str:
    """The group that a draw from [0, 1) falls on, by weight; '' when every weight is 0."""
    groups = groups_of(action)
    left = draw * sum(weight for _, weight in groups)
    for arn, weight in groups:
        if left < weight:
            return arn
        left -= weight
    return ""


def redirect(action: Record, asked: Asked) -> tuple[int, str]:
    """Status and Location of a redirect action."""
    config = action["RedirectConfig"]
    values = {
        "protocol": asked.protocol, "host": asked.host, "port": str(asked.port), "path": asked.path.lstrip("/"),
        "query": asked.query,
    }  # fmt: skip

    def filled(name: str, default: str) -> str:
        return re.sub(r"#\{(\w+)\}", lambda found: values.get(found[1], ""), str(config.get(name) or default))

    protocol = filled("Protocol", "#{protocol}").lower()
    port, query = filled("Port", "#{port}"), filled("Query", "#{query}")
    path = filled("Path", "/#{path}")
    where = f"{protocol}://{filled('Host', '#{host}')}"
    where += "" if (protocol, port) in {("http", "80"), ("https", "443")} else f":{port}"
    return int(str(config["StatusCode"]).removeprefix("HTTP_")), where + path + (f"?{query}" if query else "")


def _fits(condition: Record, asked: Asked) -> bool:
    values = [str(value) for value in condition.get("Values") or ()]
    match condition["Field"]:
        case "path-pattern":
            return any(fnmatch.fnmatchcase(asked.path, value) for value in values)
        case "host-header":
            return any(fnmatch.fnmatchcase(asked.host.lower(), value.lower()) for value in values)
        case "http-request-method":
            return asked.method in values
        case "source-ip":
            source = ipaddress.ip_address(asked.source)
            return any(source in ipaddress.ip_network(value, strict=False) for value in values)
        case "http-header":
            config = condition["HttpHeaderConfig"]
            sent = asked.headers.get(str(config["HttpHeaderName"]).lower())
            return sent is not None and any(_like(sent, str(value)) for value in config.get("Values") or ())
        case "query-string":
            sent_pairs = parse_qsl(asked.query, keep_blank_values=True)
            wanted = (condition.get("QueryStringConfig") or {}).get("Values") or ()
            return any(_pair_fits(pair, sent_pairs) for pair in wanted)
    return False


def _pair_fits(wanted: Record, sent: Sequence[tuple[str, str]]) -> bool:
    key, value = wanted.get("Key"), str(wanted["Value"])
    return any((not key or _like(name, str(key))) and _like(given, value) for name, given in sent)


def _like(text: str, pattern: str) -> bool:
    return fnmatch.fnmatchcase(text.lower(), pattern.lower())
