"""One task: from PROVISIONING to STOPPED, in a thread of its own.

States: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/task-lifecycle-explanation.html
Reasons: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/stopped-task-error-codes.html
"""

from __future__ import annotations

import contextlib
import logging
import threading
import time
import uuid
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any, Literal

import psutil

from harness.cloud.loop_thread import free_port
from harness.cloud.tasks import emulated, timing
from harness.cloud.tasks.container import Container
from harness.cloud.tasks.emulated import Record
from harness.cloud.tasks.images import CannotPullContainerError
from harness.cloud.tasks.interface import TaskInterface
from harness.cloud.tasks.ports import ports_that_are_wrong
from harness.cloud.tasks.records import attachment, environment_of, overridden
from harness.cloud.tasks.served import ServedTask
from harness.cloud.tasks.site import Site, Target
from harness.cloud.zones import Zone

StopCode = Literal[
    "TaskFailedToStart", "EssentialContainerExited", "UserInitiated", "ServiceSchedulerInitiated", "TerminationNotice"
]
_LOOK_S = 0.05
_PORTS_LOOK_S, _PORTS_PATIENCE_S, _PORTS_WATCHED_S = 0.5, 2.0, 60.0
_LOG = logging.getLogger(__name__)


class _CannotStartError(Exception):
    """Why a task does not come up; the text is its stopped reason."""


@dataclass(slots=True, kw_only=True, eq=False)
class Task:
    """A placed task. `stop` and `kill` may be called from any thread, and again; `changed` is told of every state."""

    site: Site
    scope: tuple[str, str]
    record: Record
    definition: Record
    zone: Zone
    subnet: str
    targets: tuple[Target, ...] = ()
    changed: Callable[[Task], None]
    id: str = field(default_factory=lambda: uuid.uuid4().hex[:12])
    containers: list[Container] = field(default_factory=list)
    interface: TaskInterface | None = None
    address: str = ""
    began_s: float = 0.0
    lost: bool = False
    """Its zone's power went while it ran: nothing of it is left, though ECS may not know yet."""
    _secret: str = field(default_factory=lambda: uuid.uuid4().hex)
    _wake: threading.Event = field(default_factory=threading.Event)
    _asked: tuple[str, StopCode] | None = None

    @property
    def arn(self) -> str:
        """Its ARN."""
        return str(self.record["taskArn"])

    @property
    def status(self) -> str:
        """Its last status."""
        return str(self.record["lastStatus"])

    @property
    def stopping(self) -> bool:
        """True once it is to end."""
        return bool(self.record["desiredStatus"] == "STOPPED")

    @property
    def caller_id(self) -> str:
        """How its AWS calls name it, by the SDK's app id."""
        return f"bs.{self.zone.id}.{self.id}"

    @property
    def role(self) -> str:
        """The ARN of its task role; '' without."""
        return str(self.record["overrides"].get("taskRoleArn") or self.definition.get("taskRoleArn") or "")

    def begin(self) -> None:
        """Start its thread."""
        threading.Thread(target=self._run, name=f"task {self.id}", daemon=True).start()

    def stop(self, reason: str, code: StopCode) -> None:
        """Ask it to end in order."""
        with self.site.lock:
            if self._asked is None and self.status != "STOPPED":
                self._asked = (reason, code)
                self.record["desiredStatus"] = "STOPPED"
        self._wake.set()

    def processes(self) -> list[psutil.Process]:
        """Those of its containers that run now."""
        return [process for container in self.containers for process in container.family()]

    def kill(self) -> bool:
        """End its processes at once; True when any ran. What ECS makes of it, its thread does."""
        return sum(container.kill() for container in self.containers) > 0

    def power_lost(self) -> bool:
        """Its zone is dark: nothing of it is left. ECS notices after the detection time."""
        if self.status == "STOPPED" or self.lost:
            return False
        self.lost = True
        ran = self.kill()
        self._wake.set()
        return ran

    def healthy(self) -> bool:
        """Whether it counts as healthy for its service: its containers' checks, and its target groups'."""
        checked = [one.health for one in self.containers if one.essential and one.definition.get("healthCheck")]
        return (
            self.status == "RUNNING"
            and all(health == "HEALTHY" for health in checked)
            and all(health in {"healthy", "unused"} for health in self.target_health())
        )

    def target_health(self) -> list[str]:
        """What its target groups say of it."""
        with emulated.in_scope(*self.scope):
            groups = self.site.target_groups
            return [groups.health(one.group, self.address, one.port) for one in self.targets if self.address]

    # -- its thread --------------------------------------------------------------------------------------------

    def _run(self) -> None:
        with emulated.in_scope(*self.scope):
            try:
                self._start()
                reason, code = self._last()
            except (_CannotStartError, CannotPullContainerError, emulated.SecretError) as error:
                reason, code = str(error), "TaskFailedToStart"
            self._end(reason, code)

    def _start(self) -> None:
        if self.site.timing.start_s:
            self._wake.wait(self.site.timing.start_s)
        self._refuse_the_dark()
        self._attach()
        self._enter("PENDING", pullStartedAt=time.time())
        for definition in self.definition["containerDefinitions"]:
            self.containers.append(self._container(overridden(definition, self.record["overrides"])))
        with self.site.lock:
            self.record["pullStoppedAt"] = time.time()
        for container in _in_order(self.containers):
            self._await_what_it_needs(container)
            if self.stopping:
                return
            try:
                container.start()
            except OSError as error:
                said = f"CannotStartContainerError: {container.launch.argv[0]}: {error.strerror}"
                raise _CannotStartError(said) from error
        self._refuse_the_dark()
        self.began_s = time.monotonic()
        if self.targets:
            self._enter("ACTIVATING")
            for one in self.targets:
                self.site.target_groups.register(one.group, self.address, one.port, self.zone.name)
        self._enter("RUNNING", startedAt=time.time(), connectivityAt=time.time())
        self.site.evidence.add("task_running", task=self.arn, zone=self.zone.id, group=self.record["group"])

    def _refuse_the_dark(self) -> None:
        """Nothing starts in a zone without power; ECS gives up when it has noticed."""
        if not self.site.zones.powered(self.zone):
            self.kill()
            self._wake_or(self.site.timing.detection_s)
            raise _CannotStartError(f"ResourceInitializationError: no capacity in {self.zone.name}")

    def _attach(self) -> None:
        ports = {
            int(mapping["containerPort"]): free_port()
            for definition in self.definition["containerDefinitions"]
            for mapping in definition.get("portMappings") or ()
        }
        self.interface = made = TaskInterface(
            zone=self.zone,
            keeper=self.site.zones,
            thread=self.site.thread,
            backends=ports,
            subnet=self.subnet,
            has_come=self.site.network.carried.__contains__,
        )
        made.open()
        _, cidr = emulated.subnet_of(self.subnet)
        self.address = self.site.network.attach(cidr, lambda _address: made)
        with self.site.lock:
            self.record["attachments"] = [attachment(self.subnet, self.address)]

    def _container(self, definition: Mapping[str, Any]) -> Container:
        launch = self.site.images.launch(
            str(definition["image"]), definition.get("command") or (), definition.get("entryPoint") or ()
        )
        backends = self.interface.backends if self.interface else {}
        mine = [int(mapping["containerPort"]) for mapping in definition.get("portMappings") or ()]
        served = ServedTask(task=self)
        given = {
            **environment_of(definition),
            **emulated.secrets_of(definition),
            **{f"PORT_{port}": str(backends[port]) for port in mine},
            **({"PORT": str(backends[mine[0]])} if mine else {}),
            "AWS_ENDPOINT_URL": self.site.endpoint,
            "AWS_REGION": self.scope[1],
            "AWS_DEFAULT_REGION": self.scope[1],
            "AWS_EXECUTION_ENV": f"AWS_ECS_{self.record['launchType']}",
            "AWS_SDK_UA_APP_ID": self.caller_id,
            **{
                name: value.format(container=definition["name"])
                for name, value in self.site.agent.add(self._secret, served).items()
            },
        }
        return Container(
            definition=definition,
            launch=launch,
            environment=given,
            ports=backends,
            registry=self.site.registry,
            write_log=self._log_of(definition),
            changed=self._container_changed,
        )

    def _log_of(self, definition: Mapping[str, Any]) -> Callable[[Sequence[str]], None] | None:
        """The awslogs driver: https://docs.aws.amazon.com/AmazonECS/latest/developerguide/using_awslogs.html."""
        logging = definition.get("logConfiguration") or {}
        options = logging.get("options") or {}
        if logging.get("logDriver") != "awslogs" or "awslogs-group" not in options:
            return None
        group, account = options["awslogs-group"], self.scope[0]
        region = options.get("awslogs-region") or self.scope[1]
        stream = f"{options.get('awslogs-stream-prefix', '')}/{definition['name']}/{self.arn.rpartition('/')[2]}"
        with emulated.in_scope(account, region):
            if options.get("awslogs-create-group") != "true" and not emulated.log_group_exists(group):
                said = "ResourceInitializationError: failed to validate logger args: create stream has been retried 1"
                raise _CannotStartError(f"{said} times: ResourceNotFoundException: no log group {group} in {region}")
        return partial(_append, (account, region), group, stream.lstrip("/"))

    def _await_what_it_needs(self, container: Container) -> None:
        """`dependsOn`: https://docs.aws.amazon.com/AmazonECS/latest/APIReference/API_ContainerDependency.html."""
        named = {one.name: one for one in self.containers}
        limit_s = float(container.definition.get("startTimeout") or timing.START_TIMEOUT_S)
        for needed in container.definition.get("dependsOn") or ():
            other, until_s = named[needed["containerName"]], time.monotonic() + limit_s
            while not self.stopping and not _meets(other, needed["condition"]):
                self._wake_or(_LOOK_S)
                failed = other.ended and needed["condition"] in {"HEALTHY", "SUCCESS"} and not _meets(
                    other, needed["condition"]
                )  # fmt: skip
                if failed or time.monotonic() > until_s:
                    said = f"dependency {other.name} did not become {needed['condition']}"
                    raise _CannotStartError(f"ContainerDependencyError: container {container.name}: {said}")

    def _last(self) -> tuple[str, StopCode]:
        """Wait for its end; returns why."""
        while True:
            if self._asked is not None:
                return self._asked
            if self.lost:
                self._wake_or(self.site.timing.detection_s)
                return f"The host of the task lost its power in {self.zone.name}", "TerminationNotice"
            if any(one.ended for one in self.containers if one.essential):
                # Its end and the power's are told by different threads; a dark zone explains both.
                self._wake.wait(0 if self.site.zones.powered(self.zone) else _LOOK_S)
                if not self.lost:
                    return "Essential container in task exited", "EssentialContainerExited"
            self._wake.wait(_PORTS_LOOK_S if self._silent_ports() else None)
            self._wake.clear()

    def _silent_ports(self) -> bool:
        """Whether a container has not come to listen on its `$PORT` yet; one that listens elsewhere is told so."""
        silent, waited_s = False, time.monotonic() - self.began_s
        for container in self.containers if waited_s < _PORTS_WATCHED_S else ():
            ports = {
                int(mapping["containerPort"]) for mapping in container.definition.get("portMappings") or ()
            } if container.pid else set()  # fmt: skip
            said = ports_that_are_wrong(container, ports, self.interface.backends if self.interface else {})
            silent = silent or said is not None
            if said and waited_s >= _PORTS_PATIENCE_S:
                self._blame(container, said)
        return silent

    def _blame(self, container: Container, said: str) -> None:
        shown = next(one for one in self.record["containers"] if one["name"] == container.name)
        if shown.get("reason") != said:
            shown["reason"] = said
            _LOG.warning("%s: container %s: %s", self.arn, container.name, said)
            if container.write_log is not None:
                container.write_log([f"blackstart: {said}"])

    def _wake_or(self, duration_s: float) -> None:
        """Wait so long; what else happens in between is looked at later."""
        time.sleep(duration_s)

    def _end(self, reason: str, code: StopCode) -> None:
        with self.site.lock:
            self.record.update(desiredStatus="STOPPED", stoppedReason=reason, stopCode=code, stoppingAt=time.time())
        groups = self.site.target_groups
        if self.address and self.targets:
            self._enter("DEACTIVATING")
            for one in self.targets:
                groups.deregister(one.group, self.address, one.port)
            while any(one.pid for one in self.containers if one.essential) and not all(
                groups.drained(one.group, self.address, one.port) for one in self.targets
            ):
                time.sleep(_LOOK_S)
        self._enter("STOPPING")
        for container in reversed(_in_order(self.containers)):
            limit_s = float(container.definition.get("stopTimeout") or timing.STOP_TIMEOUT_S)
            if container.started_s:
                container.stop(within_s=limit_s)
        self._enter("DEPROVISIONING")
        self._detach()
        self._enter("STOPPED", stoppedAt=time.time(), executionStoppedAt=time.time())
        self.site.evidence.add(
            "task_stopped", task=self.arn, zone=self.zone.id, group=self.record["group"], code=code, reason=reason
        )

    def _detach(self) -> None:
        self.site.agent.remove(self._secret)
        self.site.network.detach(self.address)
        if self.interface is not None:
            with contextlib.suppress(RuntimeError):  # the cloud is closing
                self.interface.close()
        with self.site.lock:
            for one in self.record["attachments"]:
                one["status"] = "DELETED"

    # -- its record --------------------------------------------------------------------------------------------

    def _container_changed(self) -> None:
        with self.site.lock:
            self._write_containers(stopped=self.status == "STOPPED")
        self._wake.set()
        self.changed(self)

    def _enter(self, status: str, **fields: Any) -> None:
        with self.site.lock:
            self._write_containers(stopped=status == "STOPPED")
            self.record.update(**fields, version=self.record["version"] + 1)
            self.record["lastStatus"] = status  # last: some read it without the lock, and then the rest
        self.changed(self)

    def _write_containers(self, *, stopped: bool) -> None:
        shown = {one["name"]: one for one in self.record["containers"]}
        for container in self.containers:
            one = shown[container.name]
            one["healthStatus"] = container.health
            if container.started_s:
                one["runtimeId"] = one["runtimeId"] or uuid.uuid4().hex
                one["networkBindings"] = self._bindings(container)
            if self.address:
                one["networkInterfaces"] = [{"attachmentId": self.record["attachments"][0]["id"],
                                             "privateIpv4Address": self.address}]  # fmt: skip
            if container.ended and container.exit_code is not None:
                one["exitCode"] = container.exit_code
            if container.started_s:
                one["lastStatus"] = "STOPPED" if container.ended else "RUNNING"
        checked = [one.health for one in self.containers if one.essential and one.definition.get("healthCheck")]
        if checked:
            worst = ("UNHEALTHY", "UNKNOWN", "HEALTHY")
            self.record["healthStatus"] = min(checked, key=worst.index)
        if stopped:
            for one in shown.values():
                one["lastStatus"] = "STOPPED"

    def _bindings(self, container: Container) -> list[Record]:
        """Where on this machine each port is reached; awsvpc tasks on AWS have none."""
        found = []
        for mapping in container.definition.get("portMappings") or ():
            port = int(mapping["containerPort"])
            front = self.interface.port_of(port) if self.interface else 0
            protocol = mapping.get("protocol") or "tcp"
            found.append({"bindIP": "127.0.0.1", "containerPort": port, "hostPort": front, "protocol": protocol})
        return found


def _append(scope: tuple[str, str], group: str, stream: str, lines: Sequence[str]) -> None:
    with emulated.in_scope(*scope):
        emulated.append_log(group, stream, lines)


def _meets(container: Container, condition: str) -> bool:
    match condition:
        case "START":
            return container.started_s > 0
        case "HEALTHY":
            return container.health == "HEALTHY"
        case "COMPLETE":
            return container.ended
        case _:  # SUCCESS
            return container.ended and container.exit_code == 0


def _in_order(containers: Sequence[Container]) -> list[Container]:
    """Each after those that it depends on; of a circle, whatever is left in the order given."""
    left, ordered = list(containers), list[Container]()
    while left:
        done = {one.name for one in ordered}
        ready = [
            one
            for one in left
            if all(needed["containerName"] in done for needed in one.definition.get("dependsOn") or ())
        ]
        ordered += ready or left
        left = [one for one in left if one not in ordered]
    return ordered
