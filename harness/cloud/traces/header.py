"""The tracing header, and the trace that the work under way belongs to.

https://docs.aws.amazon.com/xray/latest/devguide/xray-concepts.html#xray-concepts-tracingheader
"""

from __future__ import annotations

import re
import secrets
import time
from contextvars import ContextVar
from dataclasses import dataclass, replace

NAME = "x-amzn-trace-id"

_ROOT = re.compile(r"1-[0-9a-f]{8}-[0-9a-f]{24}")
_PARENT = re.compile(r"[0-9a-f]{16}")


@dataclass(frozen=True, slots=True)
class TraceHeader:
    """`root` is the trace, `parent` the segment that calls; `sampled` is None while nobody has decided."""

    root: str
    parent: str = ""
    sampled: bool | None = None

    def under(self, parent: str) -> TraceHeader:
        """The same trace, as a segment passes it on."""
        return replace(self, parent=parent)

    def __str__(self) -> str:
        parent = f";Parent={self.parent}" if self.parent else ""
        sampled = "" if self.sampled is None else f";Sampled={int(self.sampled)}"
        return f"Root={self.root}{parent}{sampled}"


CURRENT: ContextVar[TraceHeader | None] = ContextVar("trace", default=None)
"""The trace of the request or invocation under way in this task or thread."""


def new_trace() -> str:
    """An id for a trace that begins now."""
    return f"1-{int(time.time()):08x}-{secrets.token_hex(12)}"


def new_id() -> str:
    """An id for a segment."""
    return secrets.token_hex(8)


def read_header(text: str) -> TraceHeader | None:
    """The header in `text`; None when it has no valid root.

    >>> read_header("Root=1-5759e988-bd862e3fe1be46a994272793;Parent=53995c3f42cd8ad8;Sampled=1").sampled
    True
    """
    parts = dict(part.strip().split("=", 1) for part in text.split(";") if "=" in part)
    root, parent, sampled = (parts.get(key, "") for key in ("Root", "Parent", "Sampled"))
    if not _ROOT.fullmatch(root):
        return None
    return TraceHeader(root, parent if _PARENT.fullmatch(parent) else "", {"1": True, "0": False}.get(sampled))
