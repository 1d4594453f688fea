"""Loaded by Locust beside the user's locustfile: keeps the exact time of every request.

Locust's own histogram rounds (147 ms becomes 150), and it swallows errors of listeners; so this keeps its own
list, in each process that sends, and writes it at the end; what it comes to is judged later. It imports nothing but
the standard library and Locust: boto3 must not be imported before gevent has patched the sockets.
"""

import json
import os
import time
from pathlib import Path

from locust import LoadTestShape, events

from harness.load.shapes import SHAPES, users_at

SUMMARY_VARIABLE = "BLACKSTART_LOAD_SUMMARY"
SHAPE_VARIABLE = "BLACKSTART_LOAD_SHAPE"
"""`NAME USERS RATE SECONDS`, where the load has a shape of ours; a shape in the locustfile goes with `steady`."""


class Record:
    """Every request of this process: second since the start, name, milliseconds, failed or not."""

    def __init__(self) -> None:
        self.started_s = time.monotonic()
        self.requests: list[tuple[int, str, float | None, bool]] = []

    def add(
        self, *, request_type: str, name: str, response_time: float, exception: BaseException | None, **_: object
    ) -> None:
        """Locust's `request` event."""
        self._keep(f"{request_type} {name}", float(response_time or 0.0), failed=exception is not None)

    def stumbled(self, *, user_instance: object, **_: object) -> None:
        """Locust's `user_error` event: an exception in a task, which Locust itself does not count as a failure."""
        user = getattr(user_instance, "user", user_instance)
        self._keep(f"{type(user).__name__} (a check of its own)", None, failed=True)

    def _keep(self, name: str, ms: float | None, *, failed: bool) -> None:
        self.requests.append((int(time.monotonic() - self.started_s), name, ms, failed))

    def written(self) -> str:
        """How long it took, and every request."""
        return json.dumps({"duration_s": time.monotonic() - self.started_s, "requests": self.requests})


if _wanted := os.environ.get(SHAPE_VARIABLE, "").split():
    _NAME, _USERS, _RATE, _SECONDS = _wanted[0], int(_wanted[1]), float(_wanted[2]), float(_wanted[3])
    assert _NAME in SHAPES  # noqa: S101 - `blackstart load` has looked

    class Shape(LoadTestShape):  # type: ignore[misc] # Locust ships no types
        """So many users at this instant."""

        def tick(self) -> tuple[int, float] | None:
            """Users, and how many of them start or stop in a second; None at the end."""
            users = users_at(_NAME, self.get_run_time(), _SECONDS, _USERS)
            return None if users is None else (users, max(_RATE, float(_USERS)))


@events.init.add_listener  # type: ignore[untyped-decorator] # Locust ships no types
def _on_init(environment: object, **_others: object) -> None:
    record = Record()
    environment.events.request.add_listener(record.add)  # type: ignore[attr-defined]
    environment.events.user_error.add_listener(record.stumbled)  # type: ignore[attr-defined]

    @environment.events.test_start.add_listener  # type: ignore[attr-defined, untyped-decorator]
    def _start(**_more: object) -> None:
        record.started_s = time.monotonic()
        record.requests.clear()

    @environment.events.test_stop.add_listener  # type: ignore[attr-defined, untyped-decorator]
    def _stop(**_more: object) -> None:
        path = Path(os.environ[SUMMARY_VARIABLE])
        path.with_name(f"{path.stem}-{os.getpid()}{path.suffix}").write_text(record.written())
