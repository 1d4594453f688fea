"""Nothing outlives the cloud: not its end, not its reset, and not its death once the next command has run."""

import signal
import time
from pathlib import Path
from typing import Any

import psutil

from harness import leftovers, processes
from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.workspace import open_workspace
from tests.waiting import until


def shop(cloud: RunningCloud) -> list[processes.ProcessRecord]:
    """A DB instance and a cache node; the records of their processes."""
    rds: Any = cloud.target.client("rds")
    rds.create_db_instance(
        DBInstanceIdentifier="shop", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
        MasterUsername="app", MasterUserPassword="a-password",
    )  # fmt: skip
    cloud.target.client("elasticache").create_cache_cluster(
        CacheClusterId="shop", Engine="valkey", CacheNodeType="cache.t4g.micro", NumCacheNodes=1
    )
    return processes.records(cloud.settings.state_dir / "databases" / "processes")


def gone(pids: list[int]) -> bool:
    return until(lambda: not any(psutil.pid_exists(pid) for pid in pids))


def test_reset_and_the_next_command_after_a_kill_leave_no_process_and_no_data(tmp_path: Path) -> None:
    (tmp_path / "blackstart.toml").write_text("")
    folder = tmp_path / ".blackstart" / "cloud"
    cloud = start_cloud(CloudSettings(state_dir=folder))
    try:
        first = shop(cloud)
        assert sorted(record.role for record in first) == ["postgres shop", "valkey shop"]
        cloud.control.reset()
        assert gone([record.pid for record in first])
        assert not list((folder / "databases" / "clusters").glob("*"))

        second = shop(cloud)
        children = [child.pid for record in second for child in psutil.Process(record.pid).children(recursive=True)]
        psutil.Process(cloud.pid).send_signal(signal.SIGKILL)
        time.sleep(0.2)
        assert all(record.alive for record in second)
        cleared = leftovers.clear(open_workspace(tmp_path / "blackstart.toml"))
        assert {"postgres shop", "valkey shop"} <= set(cleared.processes)
        assert gone([*(record.pid for record in second), *children])
        cloud.stop()
        cloud = start_cloud(CloudSettings(state_dir=folder))  # where the killed one left its template
        assert len(shop(cloud)) == 2
    finally:
        cloud.stop()
