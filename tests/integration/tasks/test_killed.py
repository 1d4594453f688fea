"""A cloud that is killed leaves no task behind, even before the next command."""

import os
import signal
from pathlib import Path

from harness import processes
from harness.cloud.client import CloudSettings, start_cloud
from tests.integration.tasks.conftest import IMAGES, Cluster
from tests.waiting import awaited


def test_no_task_outlives_a_cloud_that_was_killed(tmp_path: Path) -> None:
    cloud = start_cloud(CloudSettings(state_dir=tmp_path, images=IMAGES))
    try:
        cluster = Cluster(cloud)
        cluster.ecs.create_cluster(clusterName=cluster.name)
        cluster.serve(cluster.define("sleeper"), 2)
        cluster.steady(2)
        registry = tmp_path / "tasks" / "processes"
        found = processes.records(registry)
        assert [record.alive for record in found] == [True, True]
        os.kill(cloud.pid, signal.SIGKILL)
        awaited(lambda: not any(record.alive for record in found))
    finally:
        cloud.stop()
        processes.reap(tmp_path / "tasks" / "processes", everything=True)
