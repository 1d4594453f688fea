"""One embedded cloud for all tests of this folder, reset between them."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.client import CloudSettings, RunningCloud, start_cloud


@pytest.fixture(scope="session")
def running_cloud(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningCloud]:
    state_dir = tmp_path_factory.mktemp("cloud")
    cloud = start_cloud(CloudSettings(state_dir=state_dir, detection_s=0.5, ttl_delay_s=2.0, lifecycle_day_s=1.0))
    yield cloud
    cloud.stop()
    cloud.stop()


@pytest.fixture
def cloud(running_cloud: RunningCloud) -> Iterator[RunningCloud]:
    yield running_cloud
    running_cloud.control.reset()


@pytest.fixture
def table(cloud: RunningCloud) -> Any:
    """A DynamoDB client without retries, and a table `orders` with the key `id`."""
    client = cloud.target.client("dynamodb", retries={"total_max_attempts": 1}, read_timeout=60)
    client.create_table(
        TableName="orders",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    return client


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cloud"
