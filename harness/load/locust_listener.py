"""Loaded by Locust beside the user's locustfile: keeps the exact time of every request.

Locust's own histogram rounds (147 ms becomes 150), and it swallows errors of listeners; so this keeps its own
list and writes a summary at the end. It imports nothing but the standard library and Locust: boto3 must
not be imported before gevent has patched the sockets.
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
_PERCENTILES = (50, 95, 99)


class Record:
    """Every request of this process: second since the start, milliseconds, failed or not."""

    def __init__(self) -> None:
        self.started_s = time.monotonic()
        self.requests: list[tuple[int, float, bool]] = []

    def add(self, response_time: float, exception: BaseException | None, **_others: object) -> None:
        """Locust's `request` event."""
        second = int(time.monotonic() - self.started_s)
        self.requests.append((second, float(response_time or 0.0), exception is not None))

    def summary(self) -> dict[str, object]:
        """The figures, and a row for each second."""
        seconds = range(max((second for second, _, _ in self.requests), default=-1) + 1)
        return {
            "duration_s": time.monotonic() - self.started_s,
            **_figures(self.requests),
            "series": [{"at_s": s, **_figures([r for r in self.requests if r[0] == s])} for s in seconds],
        }


def _figures(requests: list[tuple[int, float, bool]]) -> dict[str, object]:
    times = sorted(ms for _, ms, _ in requests)
    nearest_rank = {p: times[max(0, -(-p * len(times) // 100) - 1)] if times else None for p in _PERCENTILES}
    return {
        "requests": len(requests),
        "failures": sum(failed for _, _, failed in requests),
        **{f"p{p}_ms": value for p, value in nearest_rank.items()},
    }


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

    @environment.events.test_start.add_listener  # type: ignore[attr-defined, untyped-decorator]
    def _start(**_more: object) -> None:
        record.started_s = time.monotonic()
        record.requests.clear()

    @environment.events.test_stop.add_listener  # type: ignore[attr-defined, untyped-decorator]
    def _stop(**_more: object) -> None:
        path = Path(os.environ[SUMMARY_VARIABLE])
        path.with_name(f"{path.stem}-{os.getpid()}{path.suffix}").write_text(json.dumps(record.summary()))
