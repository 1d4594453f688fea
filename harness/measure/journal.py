"""The journal of one drill run: everything observed, one JSON record per line, judged afterwards.

Three kinds of record, told apart by `"record"`: an *operation* is one request of the prober, an *event* is
something the drill or the cloud did, a *reading* is one key read back during verification. All instants are
seconds of one monotonic clock (`harness.clock`). Several processes may append to the same file: every write
is made of whole lines on a descriptor opened for appending.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count
from operator import attrgetter
from pathlib import Path
from types import TracebackType
from typing import Any, Literal, Self

import msgspec

from harness.errors import NotReadyError

Outcome = Literal["ok", "fail", "unknown"]
"""`ok`: acknowledged. `fail`: certainly not applied. `unknown`: may or may not have been applied."""

# Names of the events that a drill writes; the detail of each is listed in docs/measures.md.
DRILL_STARTED = "drill_started"
BASELINE_STARTED = "baseline_started"
BASELINE_ENDED = "baseline_ended"
EXPERIMENT_STARTED = "experiment_started"
FAULT_FIRED = "fault_fired"
EXPERIMENT_ENDED = "experiment_ended"
FAULT_HEALED = "fault_healed"
OBSERVATION_ENDED = "observation_ended"
VERIFICATION_STARTED = "verification_started"
VERIFICATION_ENDED = "verification_ended"
EVIDENCE = "evidence"
CLOUD_EVENT = "cloud_event"
CONTROL_PLANE_CALL = "control_plane_call"
ALARM = "alarm"
ALARMS_WATCHED = "alarms_watched"
CLOCK = "clock"
WORKLOAD = "workload"
REPLICA_LOOK = "replica_look"
STORE_CHECKED = "store_checked"
STORE_FINDING = "store_finding"
ROLLBACK = "rollback"
CPU = "cpu"
MACHINE = "machine"
PROBE = "probe"
RESTORE = "restore"
STRAY_EFFECT = "stray_effect"
COUNTER_READ = "counter_read"
QUEUES_WAITING = "queues_waiting"
PROCEDURE_STARTED = "procedure_started"
PROCEDURE_STEP = "procedure_step"
PROCEDURE_ENDED = "procedure_ended"
NAME_ANSWERED = "name_answered"
CHECK_FAILED = "check_failed"
DRILL_ENDED = "drill_ended"


class Operation(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="record", tag="operation"):
    """One request of the prober, answered or not.

    `kind` names the workload's operation, `key` is the business key it wrote or read. `sequence` orders
    writes. `zone` is the caller's zone, or ''. `status` is the HTTP status, 0 without an answer. `valid` is
    false when the answer's content was wrong. Latency counts from `scheduled_s`, not from `started_s`.
    """

    id: int
    kind: str
    scheduled_s: float
    started_s: float
    ended_s: float
    outcome: Outcome
    key: str = ""
    zone: str = ""
    detail: str = ""
    status: int = 0
    write: bool = False
    valid: bool = True
    sequence: int | None = None

    @property
    def latency_s(self) -> float:
        """Seconds from the instant the request was due to the end of its answer."""
        return self.ended_s - self.scheduled_s


class Event(msgspec.Struct, frozen=True, kw_only=True, tag_field="record", tag="event"):
    """Something the drill or the cloud did at `at_s`. `detail` is JSON; each name has its own fields."""

    at_s: float
    name: str
    detail: dict[str, Any] = {}  # JSON that differs by name


class Reading(msgspec.Struct, frozen=True, kw_only=True, gc=False, tag_field="record", tag="reading"):
    """One key read back, strongly consistent, from the recovery target.

    `effects` counts what the write caused (receipts, charges), None where nothing is counted. Where several effects
    are counted it is the most frequent one's count, and `fewest` the rarest one's. `settled` says
    whether the key reached its final state, None where the drill asks for none.
    """

    at_s: float
    pass_number: int
    key: str
    present: bool
    effects: int | None = None
    fewest: int | None = None
    settled: bool | None = None
    fields: dict[str, Any] | None = None  # the item as read, for people


Record = Operation | Event | Reading

_DECODER: msgspec.json.Decoder[Record] = msgspec.json.Decoder(Record)
_BUFFER_BYTES = 64 * 1024
_CHUNK_BYTES = 8 * 1024 * 1024
"""A journal is decoded in pieces of whole lines: its text is never in memory at once."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Journal:
    """A journal as read: operations by scheduled instant, events and readings by instant.

    `complete` is false when the drill never wrote its end or a line is damaged; `flaw` then says why. Figures
    of an incomplete journal are shown, but no verdict is drawn from them.
    """

    operations: tuple[Operation, ...] = ()
    events: tuple[Event, ...] = ()
    readings: tuple[Reading, ...] = ()
    complete: bool = True
    flaw: str = ""

    def named(self, name: str) -> Iterator[Event]:
        """The events with this name, oldest first."""
        return (event for event in self.events if event.name == name)

    def first(self, name: str) -> Event | None:
        """The oldest event with this name."""
        return next(self.named(name), None)

    def instant(self, name: str) -> float | None:
        """When the oldest event with this name happened."""
        event = self.first(name)
        return None if event is None else event.at_s


@dataclass(slots=True)
class JournalWriter:
    """Appends records to `path`. Safe from any thread; other processes may append to the same file.

    Operations and readings are buffered; an event is written at once with everything before it, so that a
    killed drill leaves its story behind. Use it as a context manager, or call `close`.
    """

    path: Path
    _descriptor: int = -1
    _buffer: bytearray = field(default_factory=bytearray)
    _encoder: msgspec.json.Encoder = field(default_factory=msgspec.json.Encoder)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def __post_init__(self) -> None:
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._descriptor = os.open(self.path, os.O_WRONLY | os.O_CREAT | os.O_APPEND | os.O_CLOEXEC, 0o644)
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def append(self, record: Record) -> None:
        """Add one record.

        Raises:
            NotReadyError: the file system refuses (full disk).
        """
        with self._lock:
            self._buffer += self._encoder.encode(record)
            self._buffer += b"\n"
            if isinstance(record, Event) or len(self._buffer) >= _BUFFER_BYTES:
                self._write()

    def event(self, name: str, at_s: float, /, **detail: Any) -> None:
        """Add an event; `detail` must be JSON values, under any names."""
        self.append(Event(at_s=at_s, name=name, detail=detail))

    def flush(self) -> None:
        """Hand everything appended so far to the operating system."""
        with self._lock:
            self._write()

    def close(self) -> None:
        """Flush and close; may be repeated."""
        with self._lock:
            if self._descriptor < 0:
                return
            try:
                self._write()
            finally:
                os.close(self._descriptor)
                self._descriptor = -1

    def _write(self) -> None:
        try:
            while self._buffer:
                written = os.write(self._descriptor, self._buffer)
                del self._buffer[:written]
        except OSError as error:
            raise _unwritable(self.path, error) from error

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None
    ) -> None:
        self.close()


def journal_path(folder: Path, drill: str, run: int) -> Path:
    """Where the journal of run number `run` (from 1) of a drill is, in the folder of a `blackstart run`."""
    return folder / "journals" / f"{drill}-{run}.jsonl"


def read_journal(path: Path) -> Journal:
    """The journal in `path`. A cut or damaged line makes it incomplete; whatever can be read is kept.

    Raises:
        NotReadyError: there is no such file or it cannot be opened.
    """
    found = _Found()
    try:
        with path.open("rb") as file:
            while lines := file.readlines(_CHUNK_BYTES):
                found.add(lines)
    except OSError as error:
        raise NotReadyError(f"cannot read the journal: {error.strerror}", where=str(path)) from error
    if not found.flaw and not any(event.name == DRILL_ENDED for event in found.events):
        found.flaw = "the journal has no end: the drill was cut off"
    found.operations.sort(key=attrgetter("scheduled_s"))
    found.events.sort(key=attrgetter("at_s"))
    found.readings.sort(key=attrgetter("at_s"))
    return Journal(
        operations=tuple(found.operations),
        events=tuple(found.events),
        readings=tuple(found.readings),
        complete=not found.flaw,
        flaw=found.flaw,
    )


@dataclass(slots=True)
class _Found:
    """What was read so far, by kind; `flaw` is the first thing wrong with the rest."""

    operations: list[Operation] = field(default_factory=list)
    events: list[Event] = field(default_factory=list)
    readings: list[Reading] = field(default_factory=list)
    flaw: str = ""
    _lines: int = 0

    def add(self, lines: list[bytes]) -> None:
        """Decode the next lines; a damaged one is left out and told by its number."""
        try:
            records = _DECODER.decode_lines(b"".join(lines))
        except msgspec.MsgspecError:
            records = [record for record in map(self._decode, lines, count(self._lines + 1)) if record is not None]
        else:
            if not lines[-1].endswith(b"\n"):
                self.flaw = self.flaw or "the last line of the journal was cut off"
        self._lines += len(lines)
        self.operations += [r for r in records if type(r) is Operation]
        self.readings += [r for r in records if type(r) is Reading]
        self.events += [r for r in records if type(r) is Event]

    def _decode(self, line: bytes, number: int) -> Record | None:
        try:
            return _DECODER.decode(line)
        except msgspec.MsgspecError as error:
            self.flaw = self.flaw or f"line {number} of the journal is damaged: {error}"
            return None


def _unwritable(path: Path, error: OSError) -> NotReadyError:
    return NotReadyError(
        f"cannot write the journal: {error.strerror}",
        where=str(path),
        hint="free some space or choose a writable folder; what was written before is kept",
    )
