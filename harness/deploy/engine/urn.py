"""URNs: `urn:pulumi:<stack>::<project>::<parent types$type>::<name>`."""

from __future__ import annotations

STACK_TYPE = "pulumi:pulumi:Stack"


def make_urn(stack: str, project: str, parent: str, kind: str, name: str) -> str:
    """The URN of a resource. The root stack's type is no prefix; every other parent's is.

    Source: pulumi's sdk/go/common/resource/urn.
    """
    parent_type = qualified_type(parent) if parent else ""
    prefix = f"{parent_type}$" if parent_type and parent_type != STACK_TYPE else ""
    return f"urn:pulumi:{stack}::{project}::{prefix}{kind}::{name}"


def qualified_type(urn: str) -> str:
    """The type in a URN with its parents' types in front."""
    return urn.split("::")[2]


def own_type(urn: str) -> str:
    """The type in a URN without its parents' types."""
    return qualified_type(urn).rpartition("$")[2]


def own_name(urn: str) -> str:
    """The name in a URN."""
    return urn.split("::", 3)[3]


def short(urn: str) -> str:
    """`type name`, for people."""
    _, _, kind, name = urn.split("::", 3)
    return f"{kind.rsplit('$', 1)[-1]} {name}"
