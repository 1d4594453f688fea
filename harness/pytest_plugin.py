"""The pytest plugin: scenarios get the running stack, AWS clients, faults that heal, and patience.

Heavy imports happen inside fixtures: a plugin is imported by every pytest run of its environment, also by
those that have nothing to do with us.
"""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol, TypeVar

import pytest

if TYPE_CHECKING:
    from harness.cloud.faults import Dose, Effect, Selector
    from harness.stack import RunningStack
    from harness.target import Target

Answer = TypeVar("Answer")

NOT_SUPPORTED = "not_supported"
DEFAULT_PATIENCE_S = 60.0
PATIENCE_VARIABLE = "BLACKSTART_PATIENCE_S"
"""The most that `eventually` waits, whatever a scenario allows: for who expects scenarios to fail."""

FAULT_LEASE_S = 30.0
"""A test that is killed leaves its faults in force no longer than this."""


class ClientFactory(Protocol):
    """Makes boto3 clients for the target: `blackstart_aws("sqs")`."""

    def __call__(self, service: str, *, region: str | None = None, attempts: int | None = None) -> Any:
        """A client of `service` in `region`, by default the stack's, that tries each call so often at the most."""
        ...


class Eventually(Protocol):
    """Waits for something to become true."""

    def __call__(
        self, question: Callable[[], Answer], *, within_s: float = DEFAULT_PATIENCE_S, what: str = ""
    ) -> Answer:
        """The first truthy answer of `question`; fails the test after `within_s` with the last one."""
        ...


def pytest_addoption(parser: pytest.Parser) -> None:
    """`--blackstart-target` and `--blackstart-stack`."""
    group = parser.getgroup("blackstart", "run scenarios against a deployed stack")
    group.addoption("--blackstart-target", default="embedded", help="embedded, endpoint=URL or aws")
    group.addoption("--blackstart-stack", default="", help="a stack file, or the name of the stack that `up` left")


def pytest_configure(config: pytest.Config) -> None:
    """The markers that scenarios use."""
    for line in (
        "blackstart_scenario: an end-to-end scenario against a deployed stack",
        "blackstart_drill(name): run this drill around the test's stack",
        "blackstart_covers(*services): what happens inside, beside the test's own calls; for the coverage table",
        "blackstart_requires(*capabilities): what the target must have; reported as not_supported where it lacks it",
    ):
        config.addinivalue_line("markers", line)


@pytest.fixture(scope="session")
def blackstart_stack(pytestconfig: pytest.Config) -> RunningStack:
    """The deployed stack: `outputs`, and `target` with its endpoint."""
    return stack_of(pytestconfig)


@functools.cache
def stack_of(config: pytest.Config) -> RunningStack:
    """The deployed stack, for hooks, which have no fixtures yet."""
    from harness.stack import STACK_FILE_VARIABLE, load

    named = config.getoption("--blackstart-stack")
    given = os.environ.get(STACK_FILE_VARIABLE, "")
    path = Path(named if Path(named).suffix == ".json" else given or config.rootpath / ".blackstart/stack.json")
    stack = load(path)
    if named and not Path(named).suffix and stack.name != named:
        pytest.fail(f"the running stack is {stack.name!r}, not {named!r}", pytrace=False)
    return stack


@pytest.fixture(scope="session")
def blackstart_aws(blackstart_stack: RunningStack) -> ClientFactory:
    """A factory of boto3 clients for the target; one client for each set of arguments is kept."""
    made: dict[tuple[object, ...], Any] = {}

    def client(
        service: str, *, region: str | None = None, url: str | None = None, attempts: int | None = None
    ) -> Any:
        key = (service, region, url, attempts)
        if key not in made:
            retries = None if attempts is None else {"mode": "standard", "total_max_attempts": attempts}
            made[key] = blackstart_stack.target.client(service, region=region, url=url, retries=retries)
            made[key].meta.events.register("before-call", lambda **_: _touched.add(service))
        return made[key]

    return client


_touched: set[str] = set()
"""Services that the running test has called; a worker of xdist runs one test at a time."""


@pytest.fixture(autouse=True)
def _blackstart_coverage(
    request: pytest.FixtureRequest, record_property: Callable[[str, object], None]
) -> Iterator[None]:
    """Record what a test covers: its own calls, and what it declares, held against what the gate saw."""
    _touched.clear()
    yield
    declared = {str(name) for marker in request.node.iter_markers("blackstart_covers") for name in marker.args}
    if _touched:
        record_property("blackstart.direct", " ".join(sorted(_touched)))
    if declared:
        record_property("blackstart.declared", " ".join(sorted(declared)))
        unseen = declared - _seen(request)
        if unseen:
            record_property("blackstart.unseen", " ".join(sorted(unseen)))


def _seen(request: pytest.FixtureRequest) -> set[str]:
    """The services that the gate has seen called, by anybody; nothing where no gate of ours tells."""
    from harness.cloud.control_client import ControlClient

    stack: RunningStack = request.getfixturevalue("blackstart_stack")
    if not stack.target.control_url:
        return set()
    calls = ControlClient(stack.target).calls()
    return {call["service"] for call in calls} | ({"lambda"} if any(call["function"] for call in calls) else set())


@pytest.fixture(scope="session")
def blackstart_container() -> Iterator[Target]:
    """An emulator in a container as an endpoint target; `not_supported` where no Docker engine runs.

    The image is `EMULATOR_IMAGE`, the token `LOCALSTACK_AUTH_TOKEN`, as in docker-compose.yml.
    """
    from harness.containers import EmulatorContainer, emulator_container
    from harness.errors import NotSupportedError

    try:
        with emulator_container(EmulatorContainer.from_environment(), regions=["us-east-1", "us-west-2"]) as target:
            yield target
    except NotSupportedError as error:
        pytest.skip(f"{NOT_SUPPORTED}: {error.what}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip, as `not_supported`, what the target cannot do. Never in silence: the report counts it apart.

    Before any fixture, of whatever scope: they would fail of what is not there.
    """
    wanted = {str(name) for marker in item.iter_markers("blackstart_requires") for name in marker.args}
    if wanted:
        target = stack_of(item.config).target
        lacking = sorted(wanted - target.capabilities)
        if lacking:
            pytest.skip(f"{NOT_SUPPORTED}: target {target.kind} lacks {', '.join(lacking)}")


class Faults:
    """Puts faults in force for one test; all of them are healed when it ends, however it ends."""

    def __init__(self, stack: RunningStack, owner: str) -> None:
        from harness.cloud.control_client import ControlClient

        self._control = ControlClient(stack.target)
        self._owner = owner
        self._count = 0

    def inject(self, selector: Selector, effect: Effect, dose: Dose | None = None, *, seed: int = 0) -> str:
        """Put one fault in force; returns the rule's id."""
        from harness.cloud.faults import Dose, FaultRule

        self._count += 1
        rule_id = f"{self._owner}/{self._count}"
        self._control.put_rule(
            FaultRule(
                id=rule_id,
                owner=self._owner,
                selector=selector,
                effect=effect,
                dose=dose or Dose(),
                seed=seed,
                lease_s=FAULT_LEASE_S,
            )
        )
        return rule_id

    def cut_power(self, zone_id: str) -> int:
        """Take a zone's power until the test ends; returns how many processes died."""
        return self._control.cut_power(zone_id, self._owner, FAULT_LEASE_S)

    def fired(self) -> int:
        """How many calls the faults of this test have hit so far."""
        return sum(report.fired for report in self._control.rules() if report.rule.owner == self._owner)

    def heal(self) -> None:
        """End all faults of this test; may be repeated."""
        self._control.remove(owner=self._owner)
        for zone in self._control.zones():
            if self._owner in zone["owners"]:
                self._control.restore_power(zone["id"], self._owner)


@pytest.fixture
def blackstart_faults(blackstart_stack: RunningStack, request: pytest.FixtureRequest) -> Iterator[Faults]:
    """Faults for this test, healed at teardown even when the test fails."""
    faults = Faults(blackstart_stack, owner=f"test:{request.node.nodeid}:{os.getpid()}")
    try:
        yield faults
    finally:
        faults.heal()


@pytest.fixture(scope="session")
def eventually() -> Eventually:
    """Wait until a question is answered with something truthy."""

    def wait(question: Callable[[], Answer], *, within_s: float = DEFAULT_PATIENCE_S, what: str = "") -> Answer:
        within_s = min(within_s, float(os.environ.get(PATIENCE_VARIABLE, within_s)))
        deadline = time.monotonic() + within_s
        pause_s = 0.02
        while True:
            answer = question()
            if answer:
                return answer
            if time.monotonic() > deadline:
                pytest.fail(f"{what or 'it'} did not happen within {within_s:g} s; last answer: {answer!r}")
            time.sleep(pause_s)
            pause_s = min(pause_s * 1.5, 0.5)

    return wait
