"""Which invocation gets which environment, and when another one is started."""

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from harness.clock import SystemClock
from harness.cloud.functions.fleet import STARTS_AT_ONCE, Fleet
from harness.cloud.zones import Zone, zones_of
from tests.waiting import PATIENCE_S, until

A, B, C = zones_of("us-east-1", 3)


@dataclass(frozen=True)
class Spec:
    """What the fleet needs to know of a function."""

    fingerprint: str = "f1"
    arn: str = "arn:f"


@dataclass(eq=False)
class Environment:
    """An environment without a process."""

    zone: Zone
    spec: Spec = Spec()
    alive: bool = True
    in_flight: bool = False
    closed: bool = False
    idle_since_s: float = 0.0
    provisioned: bool = False
    started_s: float = 0.0
    id: str = field(default_factory=lambda: str(time.monotonic_ns()))

    def kill(self, owner: str = "") -> bool:
        del owner
        was, self.alive = self.alive, False
        return was

    def close(self) -> None:
        self.alive, self.closed = False, True


@dataclass
class Starts:
    """Cold starts that take `start_s` seconds, and how many ran together at most."""

    fleet: Any
    start_s: float = 0.0
    begun: int = 0
    together: int = 0
    most_together: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def of(self, zone: Zone, spec: Spec = Spec()) -> Callable[[], Any]:
        def start() -> Environment:
            with self.lock:
                self.begun += 1
                self.together += 1
                self.most_together = max(self.most_together, self.together)
            time.sleep(self.start_s)
            environment = Environment(zone, spec, started_s=time.monotonic())
            self.fleet.add(environment)
            with self.lock:
                self.together -= 1
            return environment

        return start


@pytest.fixture
def fleet() -> Any:
    return Fleet(SystemClock())


def test_a_warm_environment_is_used_again(fleet: Any) -> None:
    starts = Starts(fleet)
    first = fleet.acquire(Spec(), A, [], starts.of(A))
    fleet.give_back(first, took_s=0.01, reusable=True)
    assert fleet.acquire(Spec(), A, [], starts.of(A)) is first
    assert starts.begun == 1


def test_every_zone_gets_an_environment_of_its_own(fleet: Any) -> None:
    starts = Starts(fleet)
    for zone, others in ((A, [B, C]), (B, [A, C]), (C, [A, B])):
        fleet.give_back(fleet.acquire(Spec(), zone, others, starts.of(zone)), took_s=0.01, reusable=True)
    assert {environment.zone for environment in fleet.everything()} == {A, B, C}


def test_another_function_never_gets_it(fleet: Any) -> None:
    starts = Starts(fleet)
    fleet.give_back(fleet.acquire(Spec(), A, [], starts.of(A)), took_s=0.01, reusable=True)
    other = Spec("f2", "arn:g")
    assert fleet.acquire(other, A, [], starts.of(A, other)).spec is other


def test_what_cannot_be_used_again_is_ended(fleet: Any) -> None:
    environment = fleet.acquire(Spec(), A, [], Starts(fleet).of(A))
    fleet.give_back(environment, took_s=0.01, reusable=False)
    assert environment.closed
    assert fleet.everything() == []


def test_a_dead_warm_environment_is_passed_over(fleet: Any) -> None:
    starts = Starts(fleet)
    dead = fleet.acquire(Spec(), A, [], starts.of(A))
    fleet.give_back(dead, took_s=0.01, reusable=True)
    dead.alive = False
    assert fleet.acquire(Spec(), A, [], starts.of(A)) is not dead
    assert dead.closed


def test_a_lost_zone_hands_out_nothing_more(fleet: Any) -> None:
    starts = Starts(fleet)
    there = fleet.acquire(Spec(), A, [], starts.of(A))
    fleet.give_back(there, took_s=0.01, reusable=True)
    assert fleet.in_zone(A) == [there]
    assert fleet.acquire(Spec(), A, [], starts.of(A)) is not there


@pytest.mark.parametrize("given_back_first", [True, False])
def test_one_that_ends_while_its_invocation_does_is_not_kept(fleet: Any, given_back_first: bool) -> None:
    starts, clock = Starts(fleet), fleet.clock
    ended = fleet.acquire(Spec(), A, [], starts.of(A))
    steps = [lambda: fleet.give_back(ended, took_s=0.01, reusable=True), lambda: fleet.discard(ended)]
    for step in steps if given_back_first else steps[::-1]:
        step()
        ended.alive = True  # a killed process may be seen alive for a moment
    fleet.clock = Later(clock)  # the next acquisition sweeps
    assert fleet.acquire(Spec(), A, [], starts.of(A)) is not ended
    assert fleet.acquire(Spec("f2", "arn:g"), A, [], starts.of(A, Spec("f2", "arn:g"))) is not ended


@dataclass
class Later:
    """A clock that is a minute ahead."""

    clock: Any

    def now_s(self) -> float:
        return float(self.clock.now_s()) + 60.0


def _together(call: Callable[[], None], times: int) -> None:
    threads = [threading.Thread(target=call) for _ in range(times)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(PATIENCE_S)


def test_a_burst_of_short_calls_is_worked_off_and_not_met_by_a_storm_of_starts(fleet: Any) -> None:
    starts = Starts(fleet, start_s=0.2)

    def call() -> None:
        environment = fleet.acquire(Spec(), A, [], starts.of(A))
        time.sleep(0.002)
        fleet.give_back(environment, took_s=0.002, reusable=True)

    _together(call, times=60)
    assert starts.most_together <= STARTS_AT_ONCE
    assert starts.begun < 30  # one for each call would be 60


def test_calls_that_take_long_get_environments_of_their_own(fleet: Any) -> None:
    starts, all_run = Starts(fleet, start_s=0.05), threading.Barrier(8)

    def call() -> None:
        environment = fleet.acquire(Spec(), A, [], starts.of(A))
        all_run.wait(PATIENCE_S)
        fleet.give_back(environment, took_s=0.5, reusable=True)

    _together(call, times=8)
    assert starts.begun == 8


def test_a_closed_fleet_starts_nothing(fleet: Any) -> None:
    environment = fleet.acquire(Spec(), A, [], Starts(fleet).of(A))
    fleet.give_back(environment, took_s=0.01, reusable=True)
    fleet.close()
    fleet.close()
    assert environment.closed
    assert fleet.acquire(Spec(), A, [], Starts(fleet).of(A)) is None


def test_new_code_ends_the_environments_of_the_old(fleet: Any) -> None:
    starts = Starts(fleet)
    old, new = Spec("before"), Spec("after")
    outdated = fleet.acquire(old, A, [], starts.of(A, old))
    fleet.give_back(outdated, took_s=0.01, reusable=True)
    fleet.give_back(fleet.acquire(new, A, [], starts.of(A, new)), took_s=0.01, reusable=True)
    time.sleep(1.05)  # it sweeps once a second
    fleet.acquire(new, A, [], starts.of(A, new))
    assert until(lambda: outdated.closed)
