"""FIS on ECS tasks: each action is felt by a client while it runs, and gone with it."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

import psutil
import pytest

from chaos.fis.role import stand_in
from harness import processes
from tests.integration.tasks.conftest import Cluster, fetch, url_of
from tests.waiting import awaited

ROLE = "arn:aws:iam::000000000000:role/fis"
Running = Callable[..., AbstractContextManager[str]]


@pytest.fixture
def running(cluster: Cluster) -> Running:
    """Runs an experiment of one action on the tasks of the cluster's service around a body."""
    stand_in(cluster.cloud.target, ROLE)
    fis = cluster.cloud.target.client("fis")

    @contextmanager
    def around(identity: str, **parameters: str) -> Iterator[str]:
        where = {"cluster": cluster.name, "service": "web"}
        target = {"resourceType": "aws:ecs:task", "selectionMode": "ALL", "parameters": where}
        template = fis.create_experiment_template(
            description="d",
            roleArn=ROLE,
            stopConditions=[{"source": "none"}],
            targets={"t": target},
            actions={"a": {"actionId": identity, "parameters": parameters, "targets": {"Tasks": "t"}}},
        )["experimentTemplate"]["id"]
        experiment = str(fis.start_experiment(experimentTemplateId=template)["experiment"]["id"])

        def state() -> str:
            return str(fis.get_experiment(id=experiment)["experiment"]["state"]["status"])

        awaited(lambda: state() in {"running", "completed", "failed"})
        if "duration" in parameters:
            shown = lambda: fis.get_experiment(id=experiment)["experiment"]["actions"]["a"]["state"]["status"]  # noqa: E731
            assert awaited(lambda: shown() == "running")
        try:
            yield experiment
        finally:
            if state() == "running":
                fis.stop_experiment(id=experiment)
            awaited(lambda: state() in {"stopped", "completed", "failed"})

    return around


@pytest.fixture
def url(cluster: Cluster) -> str:
    """Where the one task of the cluster's service answers."""
    cluster.serve(cluster.define(), 1)
    (task,) = cluster.steady(1)
    found = url_of(task)
    awaited(lambda: answers(found))
    return found


def answers(url: str, within_s: float = 60.0) -> bool:
    try:
        fetch(url, timeout_s=within_s)
    except OSError:
        return False
    return True


def fired(cluster: Cluster, experiment: str) -> bool:
    """Whether some fault of the experiment had an effect."""
    kinds = {"fault_fired", "environment_killed"}
    return any(event.kind in kinds for event in cluster.cloud.control.evidence(owner=experiment))


def test_a_stopped_task_is_replaced_by_its_service(cluster: Cluster, running: Running, url: str) -> None:
    (before,) = cluster.running()
    with running("aws:ecs:stop-task") as experiment:
        ended = cluster.stopped(before["taskArn"])
        assert (ended["stopCode"], ended["stoppedReason"]) == ("UserInitiated", "Task stopped by AWS FIS")
        assert fired(cluster, experiment)
    (after,) = cluster.steady(1)
    assert after["taskArn"] != before["taskArn"]


def test_a_killed_process_ends_its_task(cluster: Cluster, running: Running, url: str) -> None:
    (before,) = cluster.running()
    with running("aws:ecs:task-kill-process", processName="server.py", signal="SIGKILL"):
        ended = cluster.stopped(before["taskArn"])
    assert ended["containers"][0]["exitCode"] == 137


@pytest.mark.parametrize(
    ("identity", "parameters"),
    [
        ("aws:ecs:task-network-blackhole-port", {"port": "8080", "trafficType": "ingress"}),
        ("aws:ecs:task-network-latency", {"delayMilliseconds": "60000"}),
        ("aws:ecs:task-network-packet-loss", {"lossPercent": "100"}),
    ],
)
def test_a_client_gets_no_answer_while_the_network_is_broken(
    cluster: Cluster, running: Running, url: str, identity: str, parameters: dict[str, str]
) -> None:
    with running(identity, duration="PT10M", **parameters) as experiment:
        assert not answers(url, within_s=1.0)
        assert awaited(lambda: fired(cluster, experiment))
    assert answers(url)


def test_latency_delays_every_answer(running: Running, url: str) -> None:
    import time

    with running("aws:ecs:task-network-latency", duration="PT10M", delayMilliseconds="400", jitterMilliseconds="0"):
        began_s = time.monotonic()
        assert answers(url)
        assert time.monotonic() - began_s >= 0.4


def test_a_tasks_own_aws_calls_get_lost_where_its_egress_does(cluster: Cluster, running: Running) -> None:
    cluster.serve(cluster.define(taskRoleArn=cluster.role()), 1)
    url = url_of(cluster.steady(1)[0])
    assert awaited(lambda: answers(f"{url}aws", within_s=60.0))
    with running("aws:ecs:task-network-blackhole-port", duration="PT10M", port="443", trafficType="egress"):
        assert not answers(f"{url}aws", within_s=2.0)
        assert awaited(lambda: any(report.fired for report in cluster.cloud.control.rules()))
    assert answers(f"{url}aws", within_s=60.0)


def test_cpu_stress_holds_the_tasks_processes_up(cluster: Cluster, running: Running, url: str) -> None:
    arn = cluster.running()[0]["taskArn"]
    (pid,) = next(one["pids"] for one in cluster.cloud.control.tasks() if one["task"] == arn)
    process = psutil.Process(pid)
    with running("aws:ecs:task-cpu-stress", duration="PT10M", percent="100", workers="9") as experiment:
        assert awaited(lambda: process.status() == psutil.STATUS_STOPPED)
        assert awaited(lambda: fired(cluster, experiment))
        assert answers(url, within_s=60.0)
    assert awaited(lambda: process.status() != psutil.STATUS_STOPPED)


def test_io_stress_writes_until_it_ends(cluster: Cluster, running: Running, url: str) -> None:
    registry = cluster.cloud.settings.state_dir / "tasks" / "processes"

    def writers() -> list[int]:
        return [record.pid for record in processes.records(registry) if record.role == "io stress" and record.alive]

    with running("aws:ecs:task-io-stress", duration="PT10M", percent="1", workers="2"):
        first, _ = awaited(lambda: found if len(found := writers()) == 2 else None)
        assert awaited(lambda: psutil.Process(first).io_counters().write_chars > 1 << 20)
    assert awaited(lambda: not writers())
