"""Services: as many tasks as there should be, in the zones that have power; deployments that complete or go back."""

import os
import signal
from collections import Counter
from pathlib import Path
from typing import Any

import psutil

from harness.image_folders import changed, renew
from tests.integration.tasks.conftest import Cluster, fetch, url_of
from tests.waiting import awaited

OWNER = "test"


def zones(tasks: list[dict[str, Any]]) -> Counter[str]:
    return Counter(task["availabilityZone"][-1] for task in tasks)


def pids(cluster: Cluster, arn: str) -> list[int]:
    shown = cluster.cloud.control.tasks()
    return next((one["pids"] for one in shown if one["task"] == arn), [])


def said(url: str) -> str:
    """The answer of a task, once it listens."""

    def answer() -> str:
        try:
            return fetch(url)
        except OSError:
            return ""

    return awaited(answer)


def test_a_service_is_spread_over_zones_and_replaced_where_there_is_power(cluster: Cluster) -> None:
    cluster.serve(cluster.define(), 3)
    before = cluster.steady(3)
    assert zones(before) == {"a": 1, "b": 1, "c": 1}
    lost = next(task for task in before if task["availabilityZone"] == "us-east-1b")
    (pid,) = pids(cluster, lost["taskArn"])
    assert cluster.cloud.control.cut_power("use1-az2", owner=OWNER) == 1
    awaited(lambda: not psutil.pid_exists(pid))
    ended = cluster.stopped(lost["taskArn"])
    assert ended["stopCode"] == "TerminationNotice"
    assert ended["containers"][0]["exitCode"] == 137
    after = awaited(lambda: found if len(found := cluster.running()) == 3 else None)
    assert zones(after)["b"] == 0
    assert cluster.service()["deployments"][0]["failedTasks"] == 0


def test_a_crashed_task_is_replaced(cluster: Cluster) -> None:
    cluster.serve(cluster.define(), 1)
    (task,) = cluster.steady(1)
    (pid,) = pids(cluster, task["taskArn"])
    os.kill(pid, signal.SIGKILL)
    assert cluster.stopped(task["taskArn"])["containers"][0]["exitCode"] == 137
    (new,) = cluster.steady(1)
    assert new["taskArn"] != task["taskArn"]


def test_an_unhealthy_container_is_replaced(cluster: Cluster) -> None:
    program = "import urllib.request as u; u.urlopen('http://localhost:8080/health')"
    check = {
        "command": ["CMD", "python", "-c", program],
        "interval": 5,
        "timeout": 60,
        "retries": 1,
        "startPeriod": 60,
    }
    cluster.serve(cluster.define(healthCheck=check), 1)
    (task,) = cluster.steady(1)
    assert task["healthStatus"] == "HEALTHY"
    fetch(url_of(task, "/sicken"))
    assert cluster.stopped(task["taskArn"])["stoppedReason"] == "Task failed container health checks"
    awaited(lambda: [one["healthStatus"] for one in cluster.running()] == ["HEALTHY"])


def test_a_deployment_replaces_every_task_and_never_runs_fewer(cluster: Cluster) -> None:
    cluster.serve(cluster.define(), 2)
    cluster.steady(2)
    second = cluster.define(environment=[{"name": "VERSION", "value": "2"}])
    cluster.ecs.update_service(cluster=cluster.name, service="web", taskDefinition=second)

    def done() -> list[dict[str, Any]]:
        shown = cluster.service()
        assert shown["runningCount"] >= 2
        state = shown["deployments"]
        return cluster.running() if len(state) == 1 and state[0]["rolloutState"] == "COMPLETED" else []

    tasks = awaited(done)
    assert {task["taskDefinitionArn"] for task in tasks} == {second}
    assert all(said(url_of(task)).startswith("2 ") for task in tasks)


def test_the_circuit_breaker_rolls_a_broken_deployment_back(cluster: Cluster) -> None:
    breaker = {"deploymentCircuitBreaker": {"enable": True, "rollback": True}}
    good = cluster.define()
    cluster.serve(good, 1, deploymentConfiguration=breaker)
    (before,) = cluster.steady(1)
    cluster.ecs.update_service(cluster=cluster.name, service="web", taskDefinition=cluster.define("broken"))
    awaited(lambda: any("deployment failed" in event["message"] for event in cluster.service()["events"]))
    (after,) = cluster.steady(1)
    assert after["taskArn"] == before["taskArn"]
    assert cluster.service()["taskDefinition"] == good


def test_a_deleted_service_ends_its_tasks(cluster: Cluster) -> None:
    cluster.serve(cluster.define(), 2)
    tasks = cluster.steady(2)
    cluster.ecs.delete_service(cluster=cluster.name, service="web", force=True)
    assert all(cluster.stopped(task["taskArn"])["stopCode"] == "ServiceSchedulerInitiated" for task in tasks)
    awaited(lambda: cluster.service()["status"] == "INACTIVE")


def test_a_service_is_deployed_anew_when_the_folder_of_its_image_has_changed(
    cluster: Cluster, tmp_path: Path
) -> None:
    folder, note = tmp_path / "web", tmp_path / "note.json"
    folder.mkdir()
    (folder / "server.py").write_text("first")
    folders = {"web": folder, "sleeper": tmp_path / "nowhere"}
    cluster.serve(cluster.define("registry.example/shop/web:1"))
    (before,) = cluster.steady(1)
    assert changed(folders, note) == set()
    (folder / "__pycache__").mkdir()
    (folder / "__pycache__" / "server.pyc").write_text("compiled")
    assert changed(folders, note) == set()
    (folder / "server.py").write_text("another")
    assert changed(folders, note) == {"web"}
    assert changed(folders, note) == set()
    target = cluster.cloud.target
    assert list(renew(target, {"sleeper"})) == []
    assert [line for line in renew(target, {"web"}) if "files have changed: its tasks are replaced" in line]
    assert cluster.stopped(before["taskArn"])["startedBy"] == before["startedBy"]
    (after,) = cluster.steady(1)
    assert after["taskArn"] != before["taskArn"]
