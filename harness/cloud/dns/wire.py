"""DNS messages, as far as a server of hosted zones needs them (RFC 1035, RFC 2782)."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Sequence
from dataclasses import dataclass

TYPES = {"A": 1, "NS": 2, "CNAME": 5, "SOA": 6, "MX": 15, "TXT": 16, "AAAA": 28, "SRV": 33}
_NAMES = {number: name for name, number in TYPES.items()}
_IN = 1
NO_ERROR, FORMAT_ERROR, NO_SUCH_NAME, REFUSED = 0, 1, 3, 5
_RESPONSE, _AUTHORITATIVE, _TRUNCATED = 0x8000, 0x0400, 0x0200
_RECURSION_DESIRED = 0x0100
UDP_BYTES = 512
"""A longer answer over UDP is cut, and the client asks again over TCP."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What is asked. `kind` is '' for a type that is not served."""

    id: int
    flags: int
    name: str
    kind: str
    raw: bytes
    """The question section, to be repeated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Line:
    """One record of an answer. `value` is the record's value as Route 53 writes it."""

    name: str
    kind: str
    ttl_s: int
    value: str


def read_question(message: bytes) -> Question | None:
    """The first question of a query; None when this is no query."""
    if len(message) < 17:
        return None
    number, flags, questions = struct.unpack_from("!HHH", message)
    if flags & _RESPONSE or questions < 1:
        return None
    labels, at = [], 12
    while at < len(message) and (length := message[at]):
        if length > 63:
            return None
        labels.append(message[at + 1 : at + 1 + length].decode("latin-1"))
        at += 1 + length
    end = at + 5
    if end > len(message):
        return None
    (kind,) = struct.unpack_from("!H", message, at + 1)
    name = ".".join(labels).lower() + "."
    return Question(id=number, flags=flags, name=name, kind=_NAMES.get(kind, ""), raw=message[12:end])


def write_answer(question: Question, lines: Sequence[Line], code: int = NO_ERROR, *, limit: int = 0) -> bytes:
    """The answer to a question; cut to nothing but its head when it is longer than `limit` bytes."""
    body = b"".join(_record(line) for line in lines)
    flags = _RESPONSE | _AUTHORITATIVE | (question.flags & _RECURSION_DESIRED) | code
    count = len(lines)
    if limit and 12 + len(question.raw) + len(body) > limit:
        flags, body, count = flags | _TRUNCATED, b"", 0
    return struct.pack("!HHHHHH", question.id, flags, 1, count, 0, 0) + question.raw + body


def _record(line: Line) -> bytes:
    data = _data(line.kind, line.value)
    return _name(line.name) + struct.pack("!HHIH", TYPES[line.kind], _IN, line.ttl_s, len(data)) + data


def _name(name: str) -> bytes:
    labels = [label.encode("latin-1")[:63] for label in name.rstrip(".").split(".") if label]
    return b"".join(bytes([len(label)]) + label for label in labels) + b"\0"


def _data(kind: str, value: str) -> bytes:
    match kind:
        case "A" | "AAAA":
            return ipaddress.ip_address(value).packed
        case "CNAME" | "NS":
            return _name(value)
        case "MX":
            preference, _, host = value.partition(" ")
            return struct.pack("!H", int(preference)) + _name(host)
        case "SRV":
            priority, weight, port, host = value.split()
            return struct.pack("!HHH", int(priority), int(weight), int(port)) + _name(host)
        case "SOA":
            master, mailbox, *numbers = value.split()
            return _name(master) + _name(mailbox) + struct.pack("!IIIII", *(int(one) for one in numbers))
    texts = [part.encode() for part in value.split('"') if part.strip()] or [b""]  # TXT: quoted strings
    return b"".join(bytes([len(text[:255])]) + text[:255] for text in texts)
