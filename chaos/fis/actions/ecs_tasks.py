"""aws:ecs:stop-task, -drain-container-instances, -task-cpu-stress, -task-io-stress, -task-kill-process.

Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#ecs-actions-reference
"""

from __future__ import annotations

import signal
from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, LEASE_S, Action, Parameter, Work
from chaos.fis.actions.values import check_one_of, check_percentage, check_whole
from chaos.fis.errors import ActionError
from chaos.fis.finding import Resource
from harness.cloud.tasks.faults import CpuStress, IoStress, TaskFault

NO_AGENT = "no SSM agent in a sidecar and no setting of the task definition is needed"
DEPENDENCIES = Parameter("Whether to install what is missing; nothing ever is here.", required=False)
_CPU_UNITS = 1024
_SIGNALS = ("SIGABRT", "SIGHUP", "SIGINT", "SIGKILL", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2")


class TaskAction(Action):
    """An action on tasks through their door, in force until it is healed."""

    targets: ClassVar[Mapping[str, str]] = {"Tasks": "aws:ecs:task"}
    capability: ClassVar[str] = "ecs"
    difference: ClassVar[str] = NO_AGENT

    def fault(self, work: Work, task: Resource) -> TaskFault | None:
        """What happens to a task; None for nothing of this kind."""
        raise NotImplementedError

    def inject(self, work: Work) -> None:
        """One fault for each task.

        Raises:
            ActionError: none of the tasks runs any more.
        """
        put = [
            work.doors.tasks.put(fault_id(work, task), task.arn, fault, owner=work.owner, lease_s=LEASE_S)
            for task in work.resources["Tasks"]
            if (fault := self.fault(work, task)) is not None
        ]
        if put and not any(put):
            raise ActionError("none of the target tasks runs any more", "TargetNotFound")

    def heal(self, work: Work) -> None:
        """End the faults."""
        work.doors.tasks.remove(prefix=f"{work.owner}/{work.name}/")


def fault_id(work: Work, task: Resource) -> str:
    """The fault's name: experiment, action, task."""
    return f"{work.owner}/{work.name}/{task.name}"


class StopTask(Action):
    """Tasks are stopped as by StopTask; their service replaces them."""

    id: ClassVar = "aws:ecs:stop-task"
    description: ClassVar = "Stops the target tasks."
    targets: ClassVar[Mapping[str, str]] = {"Tasks": "aws:ecs:task"}
    capability: ClassVar[str] = "ecs"

    def inject(self, work: Work) -> None:
        """Stop each task."""
        for task in work.resources["Tasks"]:
            if task.arn in work.undo:
                continue
            cluster = str(task.described["ClusterArn"])
            work.clients.get("ecs").stop_task(cluster=cluster, task=task.arn, reason="Task stopped by AWS FIS")
            work.undo[task.arn] = True
            work.doors.evidence.add("environment_killed", owner=work.owner, resource=task.arn, zone=task.zone)

    def heal(self, work: Work) -> None:
        """There is no way back, and no need of one: the service starts another."""


class DrainContainerInstances(Action):
    """Container instances of a cluster are drained."""

    id: ClassVar = "aws:ecs:drain-container-instances"
    description: ClassVar = "Drains a share of the container instances of the target clusters."
    parameters: ClassVar = {
        "drainagePercentage": Parameter("The share of instances, 1 to 100."),
        "duration": DURATION,
    }
    targets: ClassVar[Mapping[str, str]] = {"Clusters": "aws:ecs:cluster"}
    capability: ClassVar[str] = "ecs"
    parity: ClassVar = "state only"
    difference: ClassVar[str] = "tasks run as on Fargate: a cluster has no container instances that could be drained"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration and share."""
        super().check(parameters)
        check_percentage(parameters["drainagePercentage"], "drainagePercentage")

    def inject(self, work: Work) -> None:
        """No cluster has any."""

    def heal(self, work: Work) -> None:
        """Nothing was drained."""


class _StressAction(TaskAction):
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "duration": DURATION,
        "percent": Parameter("How much, 1 to 100.", required=False),
        "workers": Parameter("How many stressors.", required=False),
        "installDependencies": DEPENDENCIES,
    }

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration, share and number."""
        super().check(parameters)
        check_percentage(parameters.get("percent", "100"), "percent")
        check_whole(parameters.get("workers", "1"), "workers", 0, 64)


class TaskCpuStress(_StressAction):
    """The task's processes get less of the CPU."""

    id: ClassVar = "aws:ecs:task-cpu-stress"
    description: ClassVar = "Runs CPU stress on the target tasks."
    difference: ClassVar[str] = (
        f"{NO_AGENT}; the task's processes are throttled as stressors on its CPUs would throttle them (100 % by one "
        "worker on each CPU takes half), so that neighbours on this machine are spared"
    )

    def fault(self, work: Work, task: Resource) -> TaskFault:
        """`workers` 0, the default, is one on each of the task's CPUs."""
        cpus = max(1, int(str(task.described.get("Cpu") or _CPU_UNITS)) // _CPU_UNITS)
        workers = int(work.parameters.get("workers", "0")) or cpus
        load = check_percentage(work.parameters.get("percent", "100"), "percent")
        return CpuStress(load=load, workers=max(1, workers // cpus))


class TaskIoStress(_StressAction):
    """Processes of the task write to disk without pause."""

    id: ClassVar = "aws:ecs:task-io-stress"
    description: ClassVar = "Runs I/O stress on the target tasks."
    difference: ClassVar[str] = (
        f"{NO_AGENT}; each worker keeps at most 256 MB on disk, whatever `percent` of the free space is; the disk is "
        "this machine's, so that neighbours feel it too"
    )

    def fault(self, work: Work, task: Resource) -> TaskFault:
        """One worker and 80 % by default."""
        del task
        share = check_percentage(work.parameters.get("percent", "80"), "percent")
        return IoStress(share=share, workers=int(work.parameters.get("workers", "1")) or 1)


class TaskKillProcess(Action):
    """Processes of the task get a signal."""

    id: ClassVar = "aws:ecs:task-kill-process"
    description: ClassVar = "Sends a signal to processes of the target tasks."
    parameters: ClassVar = {
        "processName": Parameter("The name of the processes."),
        "signal": Parameter("SIGTERM by default.", required=False),
        "installDependencies": DEPENDENCIES,
    }
    targets: ClassVar[Mapping[str, str]] = {"Tasks": "aws:ecs:task"}
    capability: ClassVar[str] = "ecs"
    difference: ClassVar[str] = f"{NO_AGENT}; a name also fits the program or script that a process runs"

    def check(self, parameters: Mapping[str, str]) -> None:
        """A signal's name."""
        check_one_of(_signal_of(parameters), "signal", _SIGNALS)

    def inject(self, work: Work) -> None:
        """Send it once.

        Raises:
            ActionError: no task has such a process.
        """
        number, name = signal.Signals[_signal_of(work.parameters)], work.parameters["processName"]
        if not work.undo:
            hit = sum(
                work.doors.tasks.kill_process(task.arn, name, number, owner=work.owner)
                for task in work.resources["Tasks"]
            )
            work.undo["hit"] = hit
            if not hit:
                raise ActionError(f"no process {name} in the target tasks", "TargetNotFound")

    def heal(self, work: Work) -> None:
        """There is no way back."""


def _signal_of(parameters: Mapping[str, str]) -> str:
    given = parameters.get("signal", "SIGTERM").upper()
    return given if given.startswith("SIG") else f"SIG{given}"
