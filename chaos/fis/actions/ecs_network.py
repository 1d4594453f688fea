"""aws:ecs:task-network-blackhole-port, -task-network-latency, -task-network-packet-loss.

Two places are touched: the task's interface, where what comes in passes and answers leave, and the gate, where the
task's AWS calls arrive. Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#ecs-actions-reference
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Parameter, Work
from chaos.fis.actions.ecs_tasks import DEPENDENCIES, NO_AGENT, TaskAction
from chaos.fis.actions.values import check_one_of, check_percentage, check_whole
from chaos.fis.errors import ActionError
from chaos.fis.finding import Resource
from harness.cloud.faults import Blackhole, Dose, Effect, Latency, Selector
from harness.cloud.tasks.faults import TaskFault
from harness.cloud.tasks.interface import Impairment

_AWS_PORT = "443"
_RETRANSMIT_S = 0.2  # see harness.cloud.tasks.interface
_ENDPOINTS = Parameter("Whether the task definition enables fault injection; not needed here.", required=False)
_SOURCES = Parameter("DYNAMODB, S3, names or addresses, comma separated; all traffic by default.", required=False)
_WHERE = (
    "felt where requests come in and answers leave, and on the task's AWS calls; not on connections that it opens to "
    "databases and caches"
)


class _TrafficAction(TaskAction):
    difference: ClassVar[str] = f"{NO_AGENT}; {_WHERE}; of `sources` only AWS services are told apart"

    def effect(self, work: Work) -> tuple[Effect, float]:
        """What happens to an AWS call, and to which share of calls."""
        raise NotImplementedError

    def inject(self, work: Work) -> None:
        """The interface, unless only AWS services are meant; then the gate."""
        super().inject(work)
        effect, share = self.effect(work)
        for task in work.resources["Tasks"]:
            for service in _services(work) or [""]:
                selector = Selector(service=service, caller_task=task.arn)
                work.put(f"{task.name}/{service}", selector, effect, Dose(probability=share))

    def heal(self, work: Work) -> None:
        """Both places."""
        super().heal(work)
        work.remove_rules()


class TaskNetworkLatency(_TrafficAction):
    """What leaves the task arrives later."""

    id: ClassVar = "aws:ecs:task-network-latency"
    description: ClassVar = "Adds latency and jitter to the network of the target tasks."
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "duration": DURATION,
        "delayMilliseconds": Parameter("Milliseconds, 200 by default.", required=False),
        "jitterMilliseconds": Parameter("Milliseconds, 10 by default.", required=False),
        "flowsPercent": Parameter("The share of connections, 100 by default.", required=False),
        "sources": _SOURCES,
        "installDependencies": DEPENDENCIES,
        "useEcsFaultInjectionEndpoints": _ENDPOINTS,
    }

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, milliseconds and share."""
        super().check(parameters)
        check_whole(parameters.get("delayMilliseconds", "200"), "delayMilliseconds", 0, 60_000)
        check_whole(parameters.get("jitterMilliseconds", "10"), "jitterMilliseconds", 0, 60_000)
        check_percentage(parameters.get("flowsPercent", "100"), "flowsPercent")

    def fault(self, work: Work, task: Resource) -> TaskFault | None:
        """At the interface."""
        del task
        if _services(work):
            return None
        return Impairment(
            delay_s=_delay_s(work),
            jitter_s=int(work.parameters.get("jitterMilliseconds", "10")) / 1000,
            flows=check_percentage(work.parameters.get("flowsPercent", "100")),
        )

    def effect(self, work: Work) -> tuple[Effect, float]:
        """At the gate."""
        return Latency(delay_s=_delay_s(work)), check_percentage(work.parameters.get("flowsPercent", "100"))


class TaskNetworkPacketLoss(_TrafficAction):
    """What leaves the task is lost now and then, and sent again."""

    id: ClassVar = "aws:ecs:task-network-packet-loss"
    description: ClassVar = "Adds packet loss to the network of the target tasks."
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "duration": DURATION,
        "lossPercent": Parameter("The share of packets, 7 by default.", required=False),
        "flowsPercent": Parameter("The share of connections, 100 by default.", required=False),
        "sources": _SOURCES,
        "installDependencies": DEPENDENCIES,
        "useEcsFaultInjectionEndpoints": _ENDPOINTS,
    }
    difference: ClassVar[str] = f"{_TrafficAction.difference}; a lost packet costs what its retransmission takes"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration and shares."""
        super().check(parameters)
        check_percentage(parameters.get("lossPercent", "7"), "lossPercent")
        check_percentage(parameters.get("flowsPercent", "100"), "flowsPercent")

    def fault(self, work: Work, task: Resource) -> TaskFault | None:
        """At the interface."""
        del task
        if _services(work):
            return None
        flows = check_percentage(work.parameters.get("flowsPercent", "100"))
        return Impairment(loss=check_percentage(work.parameters.get("lossPercent", "7")), flows=flows)

    def effect(self, work: Work) -> tuple[Effect, float]:
        """At the gate: a share of calls takes a retransmission longer."""
        return Latency(delay_s=_RETRANSMIT_S), check_percentage(work.parameters.get("lossPercent", "7"))


class TaskNetworkBlackholePort(TaskAction):
    """Traffic of a port vanishes."""

    id: ClassVar = "aws:ecs:task-network-blackhole-port"
    description: ClassVar = "Drops inbound or outbound traffic of a port of the target tasks."
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "duration": DURATION,
        "port": Parameter("The port, 0 to 65535."),
        "trafficType": Parameter("ingress or egress."),
        "protocol": Parameter("tcp or udp, tcp by default.", required=False),
        "installDependencies": DEPENDENCIES,
        "useEcsFaultInjectionEndpoints": _ENDPOINTS,
    }
    difference: ClassVar[str] = (
        f"{NO_AGENT}; of egress only port 443, the task's AWS calls: any other fails the action"
    )

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, port and direction."""
        super().check(parameters)
        check_whole(parameters["port"], "port", 0, 65535)
        check_one_of(parameters["trafficType"], "trafficType", ("ingress", "egress"))
        check_one_of(parameters.get("protocol", "tcp"), "protocol", ("tcp", "udp"))

    def inject(self, work: Work) -> None:
        """At the interface, or at the gate.

        Raises:
            ActionError: egress of a port that no AWS call takes.
        """
        if work.parameters["trafficType"] == "ingress":
            super().inject(work)
        elif work.parameters["port"] == _AWS_PORT:
            for task in work.resources["Tasks"]:
                work.put(task.name, Selector(caller_task=task.arn), Blackhole(hold_s=work.duration_s))
        else:
            raise ActionError("of egress only port 443 can be cut here: a task's AWS calls", "Unsupported")

    def fault(self, work: Work, task: Resource) -> TaskFault:
        """A closed port."""
        del task
        tcp = work.parameters.get("protocol", "tcp") == "tcp"  # nothing here speaks UDP
        return Impairment(closed=frozenset({int(work.parameters["port"])} if tcp else ()))

    def heal(self, work: Work) -> None:
        """Both places."""
        super().heal(work)
        work.remove_rules()


def _services(work: Work) -> list[str]:
    """The AWS services among `sources`; empty for all traffic."""
    return list(_named(work.parameters.get("sources", "")))


def _named(text: str) -> Iterator[str]:
    for source in (word.strip() for word in text.split(",")):
        if source in {"DYNAMODB", "S3"}:
            yield source.lower()
        elif source.endswith(".amazonaws.com"):
            yield source.partition(".")[0]


def _delay_s(work: Work) -> float:
    return int(work.parameters.get("delayMilliseconds", "200")) / 1000
