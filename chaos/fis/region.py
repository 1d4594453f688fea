"""All that FIS holds in one region: templates, experiments, tokens, the safety lever, quotas."""

from __future__ import annotations

import secrets
import string
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from chaos.fis.clients import Clients
from chaos.fis.errors import ConflictException, ResourceNotFoundException
from harness.cloud.doors import Doors

if TYPE_CHECKING:
    from chaos.fis.experiment import Experiment

Members = dict[str, Any]  # JSON by FIS's own member names
Template = dict[str, Any]  # the same: an experiment template as GetExperimentTemplate shows it

_WORKERS = 8


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """AWS's defaults, as service-quota lists give them; most are adjustable there as here."""

    templates: int = 500
    active_experiments: int = 5
    actions: int = 20
    parallel_actions: int = 10
    stop_conditions: int = 5
    target_accounts: int = 40


AWS_QUOTAS = Quotas()


@dataclass(slots=True)
class Lever:
    """The safety lever; there is one, `default`."""

    status: str = "disengaged"
    reason: str = "The safety lever is disengaged."


@dataclass(slots=True)
class Region:
    """FIS in one region. Used by one event loop; `workers` are for what blocks, `writer` logs and tells, in order."""

    name: str
    doors: Doors
    quotas: Quotas
    clients: Clients
    workers: ThreadPoolExecutor
    writer: ThreadPoolExecutor
    templates: dict[str, Template] = field(default_factory=dict)
    accounts: dict[str, dict[str, Members]] = field(default_factory=dict)
    """Template id → account id → its target account configuration."""
    experiments: dict[str, Experiment] = field(default_factory=dict)
    lever: Lever = field(default_factory=Lever)
    _tokens: dict[tuple[str, str], tuple[str, Members]] = field(default_factory=dict)
    _origin_s: float = 0.0

    def __post_init__(self) -> None:
        self._origin_s = time.time() - self.doors.clock.now_s()

    def epoch_s(self) -> float:
        """Seconds since 1970, moving with the injected clock."""
        return self._origin_s + self.doors.clock.now_s()

    def arn(self, kind: str, identity: str) -> str:
        """An ARN of ours in this region."""
        return f"arn:aws:fis:{self.name}:{self.doors.target.account_id}:{kind}/{identity}"

    def close(self) -> None:
        """Take no more work."""
        for pool in (self.workers, self.writer):
            pool.shutdown(wait=False)

    def template(self, identity: str) -> Template:
        """The template.

        Raises:
            ResourceNotFoundException: there is none.
        """
        if identity not in self.templates:
            raise ResourceNotFoundException(f"Experiment template {identity} not found.")
        return self.templates[identity]

    def experiment(self, identity: str) -> Experiment:
        """The experiment.

        Raises:
            ResourceNotFoundException: there is none.
        """
        if identity not in self.experiments:
            raise ResourceNotFoundException(f"Experiment {identity} not found.")
        return self.experiments[identity]

    def known(self, operation: str, members: Members) -> str:
        """What an earlier request with the same token made; '' when the token is new.

        Raises:
            ConflictException: the token was used for another request.
        """
        identity, before = self._tokens.get((operation, members.get("clientToken", "")), ("", {}))
        if identity and before != members:
            raise ConflictException("The client token was already used for a request with other parameters.")
        return identity

    def remember(self, operation: str, members: Members, identity: str) -> None:
        """Keep what a request made, for a repetition of it."""
        if members.get("clientToken"):
            self._tokens[operation, members["clientToken"]] = (identity, members)

    def forget(self, identity: str) -> None:
        """A resource is gone: its token makes a new one."""
        self._tokens = {key: kept for key, kept in self._tokens.items() if kept[0] != identity}


def make_region(name: str, doors: Doors, quotas: Quotas) -> Region:
    """An empty region."""
    target = replace(doors.target, region=name)
    here = replace(doors, target=target)
    workers = ThreadPoolExecutor(max_workers=_WORKERS, thread_name_prefix=f"fis-{name}")
    writer = ThreadPoolExecutor(max_workers=1, thread_name_prefix=f"fis-log-{name}")
    return Region(name=name, doors=here, quotas=quotas, clients=Clients(target), workers=workers, writer=writer)


def identifier(prefix: str) -> str:
    """`EXT` or `EXP` and 15 letters and digits, as in AWS's samples."""
    alphabet = string.ascii_letters + string.digits
    return prefix + "".join(secrets.choice(alphabet) for _ in range(15))
