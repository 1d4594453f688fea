"""Tasks: real processes with an address, logs, metadata, a role, and true ends."""

import json
import socket
from typing import Any

import pytest

from tests.integration.tasks.conftest import Cluster, fetch, url_of
from tests.waiting import awaited


def up(cluster: Cluster, task: dict[str, Any]) -> dict[str, Any]:
    """The task, once it answers."""

    def answers() -> dict[str, Any] | None:
        shown = cluster.task(task["taskArn"])
        assert shown["lastStatus"] != "STOPPED", shown
        if shown["lastStatus"] != "RUNNING":
            return None
        try:
            fetch(url_of(shown))
        except OSError:
            return None
        return shown

    return dict(awaited(answers))


def test_a_task_runs_as_a_process_and_tells_its_metadata_and_logs(cluster: Cluster) -> None:
    logs = cluster.cloud.target.client("logs")
    logs.create_log_group(logGroupName=cluster.name)
    options = {"awslogs-group": cluster.name, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"}
    definition = cluster.define(command=["hello"], logConfiguration={"logDriver": "awslogs", "options": options})
    asked = cluster.run(definition)
    assert asked["lastStatus"] == "PROVISIONING"
    task = up(cluster, asked)
    address = next(d["value"] for d in task["attachments"][0]["details"] if d["name"] == "privateIPv4Address")
    metadata_url = fetch(url_of(task)).split()[1]
    metadata = json.loads(fetch(f"{metadata_url}/task"))
    assert metadata["TaskARN"] == task["taskArn"]
    assert metadata["AvailabilityZone"] == task["availabilityZone"]
    assert json.loads(fetch(metadata_url))["Networks"][0]["IPv4Addresses"] == [address]
    assert json.loads(fetch(f"{metadata_url}/stats"))["memory_stats"]["usage"] > 1 << 20
    stream = f"p/web/{task['taskArn'].rpartition('/')[2]}"
    awaited(lambda: logs.describe_log_streams(logGroupName=cluster.name)["logStreams"])
    events = awaited(lambda: logs.get_log_events(logGroupName=cluster.name, logStreamName=stream)["events"])
    assert events[0]["message"] == "listening ['hello']"


def test_a_tasks_aws_calls_are_made_with_the_session_of_its_role(cluster: Cluster) -> None:
    task = up(cluster, cluster.run(cluster.define(taskRoleArn=cluster.role())))
    said = fetch(url_of(task, "/aws"), timeout_s=60)
    assert f":assumed-role/{cluster.name}/" in said


def test_a_stopped_task_is_told_by_sigterm_and_ends_with_its_reason(cluster: Cluster) -> None:
    task = up(cluster, cluster.run(cluster.define()))
    cluster.ecs.stop_task(cluster=cluster.name, task=task["taskArn"], reason="enough")
    ended = cluster.stopped(task["taskArn"])
    assert (ended["stopCode"], ended["stoppedReason"]) == ("UserInitiated", "enough")
    assert ended["containers"][0]["exitCode"] == 0


def test_the_end_of_an_essential_container_is_the_tasks(cluster: Cluster) -> None:
    beside = {"name": "beside", "image": "sleeper", "essential": False}
    task = up(cluster, cluster.run(cluster.define(sidecars=[beside])))
    with pytest.raises(OSError, match=r"reset|closed|refused"):
        fetch(url_of(task, "/crash"))
    ended = cluster.stopped(task["taskArn"])
    assert ended["stopCode"] == "EssentialContainerExited"
    assert {one["name"]: one["exitCode"] for one in ended["containers"]} == {"web": 3, "beside": 143}


def test_a_task_that_cannot_start_says_why(cluster: Cluster) -> None:
    missing = cluster.stopped(cluster.run(cluster.define("nowhere:1"))["taskArn"])
    assert missing["stopCode"] == "TaskFailedToStart"
    assert missing["stoppedReason"].startswith("CannotPullContainerError: no entry for image 'nowhere:1'")
    options = {"awslogs-group": "no-such-group", "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p"}
    logless = cluster.define(logConfiguration={"logDriver": "awslogs", "options": options})
    assert "no log group no-such-group" in cluster.stopped(cluster.run(logless)["taskArn"])["stoppedReason"]


def test_a_container_that_listens_on_another_port_is_told_so_by_name(cluster: Cluster, stubborn: int) -> None:
    options = {
        "awslogs-group": cluster.name, "awslogs-region": "us-east-1", "awslogs-stream-prefix": "p",
        "awslogs-create-group": "true",
    }  # fmt: skip
    command = ["-c", f"import socket, time; s = socket.create_server(('127.0.0.1', {stubborn})); time.sleep(600)"]
    definition = cluster.define(
        "python", command=command, logConfiguration={"logDriver": "awslogs", "options": options}
    )
    arn = cluster.run(definition)["taskArn"]
    reason = awaited(lambda: cluster.task(arn)["containers"][0].get("reason", ""))
    assert f"it listens on {stubborn}, not on $PORT (" in reason
    assert "let it take its port from $PORT" in reason
    logs = cluster.cloud.target.client("logs")
    assert awaited(lambda: logs.filter_log_events(logGroupName=cluster.name, filterPattern="blackstart")["events"])


@pytest.fixture
def stubborn() -> int:
    """A free port."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def test_a_container_waits_for_the_health_of_what_it_depends_on(cluster: Cluster) -> None:
    check = {"command": ["CMD-SHELL", "exit 1"], "interval": 5, "retries": 1}
    never = {"name": "never", "image": "sleeper", "essential": False, "healthCheck": check}
    needs = [{"containerName": "never", "condition": "HEALTHY"}]
    definition = cluster.define(dependsOn=needs, startTimeout=2, sidecars=[never])
    ended = cluster.stopped(cluster.run(definition)["taskArn"])
    assert ended["stoppedReason"] == (
        "ContainerDependencyError: container web: dependency never did not become HEALTHY"
    )
