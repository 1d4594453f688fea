"""Which calls a fault rule is about."""

from __future__ import annotations

import fnmatch
import re

import msgspec

from harness.cloud.call import AwsCall, Layer

_PATTERN = re.compile(r"[*?\[]")


class Selector(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which calls a rule is about. An empty field matches all; the others are shell patterns (`Put*`, an ARN)."""

    layer: Layer = "api"
    service: str = ""
    operation: str = ""
    region: str = ""
    account: str = ""
    resource: str = ""
    caller_zone: str = ""
    caller_subnet: str = ""
    caller_function: str = ""
    caller_task: str = ""
    """The ARN of an ECS task."""
    except_services: tuple[str, ...] = ()
    caller_role: str = ""
    """The ARN of the role that signs, without its path: `arn:aws:iam::000000000000:role/orders`."""

    def may_match(self, layer: Layer, service: str) -> bool:
        """True when some call of this service on this layer can fit."""
        return self.layer == layer and service not in self.except_services and _fits(self.service, service)

    def may_be_operation(self, operation: str) -> bool:
        """True when calls of this operation can fit."""
        return _fits(self.operation, operation)

    def matches(self, call: AwsCall) -> bool:
        """True when every given field fits the call."""
        return self.may_match(call.layer, call.service) and all(
            _fits(getattr(self, name), value_of(call, name)) for name in _FIELDS if getattr(self, name)
        )

    def exact(self) -> tuple[str, str] | None:
        """The most telling field that is given without a pattern, and its value: rules are kept by it."""
        for name in _INDEXED:
            value = getattr(self, name)
            if value and not _PATTERN.search(value):
                return name, value
        return None


_FIELDS = (
    "operation", "resource", "caller_function", "caller_task", "caller_subnet", "caller_role", "caller_zone",
    "region", "account",
)  # fmt: skip
_INDEXED = (
    "resource",
    "caller_function",
    "caller_task",
    "caller_subnet",
    "caller_role",
    "caller_zone",
    "region",
    "account",
)
_OF_CALLER = {
    "caller_zone": "zone_id",
    "caller_subnet": "subnet_id",
    "caller_function": "function",
    "caller_task": "task",
}


def value_of(call: AwsCall, name: str) -> str:
    """What a call has in a selector's field; '' when it is not known."""
    if name in _OF_CALLER:
        return str(getattr(call.caller, _OF_CALLER[name], ""))
    return str(getattr(call, name))


def _fits(pattern: str, value: str) -> bool:
    return not pattern or pattern == value or fnmatch.fnmatchcase(value, pattern)
