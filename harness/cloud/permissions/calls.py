"""The call that IAM is asked about, as it came: what it says beside its resource is read when it is wanted."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator, Mapping
from contextvars import ContextVar
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from harness.cloud.identify import decode


@dataclass(frozen=True, kw_only=True)
class Call:
    """A request to one of the emulator's services, by ministack's name of it."""

    service: str
    path: str
    headers: Mapping[str, str]
    """By lower-case name."""
    params: Mapping[str, Any]
    """Of the query, or of the form of a query call: a value or several."""
    body: bytes

    @cached_property
    def document(self) -> Mapping[str, Any]:
        """The body as JSON, or as CBOR where it is; empty when it is neither."""
        if "smithy-protocol" in self.headers:
            return decode("cbor", self.body)
        return decode("json", self.body) if self.body.lstrip().startswith(b"{") else {}

    def param(self, name: str) -> str:
        """One value of the query or the form; '' when there is none."""
        found = self.params.get(name)
        return str(found[0] if isinstance(found, list) and found else found or "")

    def values(self, member: str) -> list[str]:
        """All strings at a member: a path through the JSON (`Targets.RoleArn`, lists on the way), or a parameter."""
        found: list[Any] = [self.document]
        for name in member.split("."):
            inner = [one.get(name) for one in found if isinstance(one, Mapping)]
            found = [each for one in inner for each in (one if isinstance(one, list) else [one])]
        named = [one for one in found if isinstance(one, str) and one]
        return named or [one for one in [self.param(member)] if one]


_call: ContextVar[Call | tuple[Any, ...] | None] = ContextVar("call that IAM is asked about", default=None)
"""As it came until somebody wants to know what it says: most calls are asked for nothing but their resource."""


def call_of(service: str) -> Call | None:
    """The call under way when it is one of this service's, else None."""
    found = _call.get()
    if isinstance(found, tuple):
        of, path, headers, body, params = found
        found = Call(service=of, path=path, headers=headers, params=params or {}, body=body)
        _call.set(found)
    return found if found is not None and found.service == service else None


@contextlib.contextmanager
def during(call: Call | None) -> Iterator[None]:
    """What is asked inside is asked for this call; for none, for no call of anybody's."""
    before = _call.set(call)
    try:
        yield
    finally:
        _call.reset(before)


def install(name: Callable[[str, str], str]) -> None:
    """Let each call be remembered while IAM is asked about it; `name` corrects the ARN, for the service."""
    from ministack.core import iam_actions

    resource_of = iam_actions.extract_resource_arn

    def remembered(service: str, method: str, path: str, *rest: Any) -> Any:  # the ARN
        _call.set((service, path, *rest[:3]))
        return name(service, resource_of(service, method, path, *rest))

    iam_actions.extract_resource_arn = remembered
