"""A killed drill leaves its standby and its stores in a cloud that runs on; the next command takes them away."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from chaos.failover.parts import StandbyPart
from chaos.failover.standby import put_up
from chaos.marked import TAG, Marked
from chaos.remains import take_away
from chaos.stores.beside import Beside
from harness import leftovers, processes
from harness.clock import SystemClock
from harness.cloud.client import RunningCloud
from harness.errors import BlackstartError
from harness.measure.journal import JournalWriter
from harness.stack import RunningStack, save
from harness.workspace import Workspace, open_workspace

STORES = ["sqs-queue", "events-fan-out", "dynamodb-register", "s3-versions"]
PROGRAM = "import pulumi_aws as aws\n\naws.sqs.Queue('warm', name='warm-standby')\n"


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    (tmp_path / "blackstart.toml").write_text("")
    program = tmp_path / "program"
    program.mkdir()
    (program / "Pulumi.yaml").write_text("name: small\nruntime: python\n")
    (program / "__main__.py").write_text(PROGRAM)
    return open_workspace(tmp_path / "blackstart.toml")


@pytest.fixture
def killed(workspace: Workspace, cloud: RunningCloud) -> Iterator[Path]:
    """The folder of a run whose process is gone, with all that its drill had put into the cloud."""
    folder = workspace.runs / "killed"
    stack = RunningStack(name="dev", target=cloud.target)
    save(stack, workspace.stack_file)
    part = StandbyPart(program="program", region="us-west-2")
    put_up(stack, part, beside=workspace.root, folder=folder / "standby-lost-1", tell=lambda _text: None)
    with JournalWriter(folder / "journals" / "lost-1.jsonl") as journal:
        clients = Beside(
            target=cloud.target, stores=STORES, prefix="killed", seed=5, journal=journal, clock=SystemClock()
        )
        left = ExitStack()
        left.enter_context(clients.running())
        clients._stopping.set()  # its threads die with the process that is killed
    notes = {"stack_file": str(workspace.stack_file), "folder": str(folder), "aws_account": ""}
    processes.record(2**22 + 1, role="fault", registry=workspace.claims, notes=notes)  # no process has such an id
    yield folder
    left.pop_all()


def names(cloud: RunningCloud) -> list[str]:
    """Everything of the killed drill that is there."""
    here, there = (cloud.target.client("sqs", region=region) for region in ("us-east-1", "us-west-2"))
    urls = [*here.list_queues().get("QueueUrls", ()), *there.list_queues().get("QueueUrls", ())]
    return sorted(
        [
            *(url.rpartition("/")[2] for url in urls),
            *cloud.target.client("dynamodb").list_tables()["TableNames"],
            *(bucket["Name"] for bucket in cloud.target.client("s3").list_buckets()["Buckets"]),
            *(bus["Name"] for bus in cloud.target.client("events").list_event_buses()["EventBuses"]),
        ]
    )


def test_the_next_command_takes_away_what_a_killed_drill_left(
    cloud: RunningCloud, workspace: Workspace, killed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = set(names(cloud))
    assert {"warm-standby", "killed-sqs-queue", "killed-dynamodb-register", "killed-s3-versions"} <= before

    def refuses(*_given: object) -> None:
        raise BlackstartError("AWS refused")

    with monkeypatch.context() as patched:
        patched.setattr("chaos.failover.standby.destroy", refuses)
        cleared = leftovers.clear(workspace)
        assert cleared.failed == ("standby dev-standby: AWS refused",)
        assert cleared.removed == tuple(f"store {name}" for name in STORES)
    assert set(names(cloud)) == {"warm-standby", "default"}

    told: list[str] = []
    cleared = leftovers.clear(workspace, told.append)  # what stayed is tried again
    assert str(cleared) == "1 cloud healed, standby dev-standby taken away"
    assert told == ["taking down the standby that a killed drill left in us-west-2"]
    assert names(cloud) == ["default"]
    assert not list(workspace.claims.iterdir())
    assert not leftovers.clear(workspace)
    with pytest.raises(ClientError):
        cloud.target.client("s3").head_bucket(Bucket="killed-s3-versions")


def test_the_template_and_the_restored_table_of_a_killed_drill_go_too(cloud: RunningCloud, tmp_path: Path) -> None:
    fis, tables = cloud.target.client("fis"), cloud.target.client("dynamodb", region="us-west-2")
    table = {
        "AttributeDefinitions": [{"AttributeName": "id", "AttributeType": "S"}],
        "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}],
        "BillingMode": "PAY_PER_REQUEST",
    }
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1M"}}
    template = {
        "description": "d",
        "roleArn": "arn:aws:iam::000000000000:role/fis",
        "stopConditions": [{"source": "none"}],
        "targets": {},
        "actions": {"wait": wait},
    }
    (tmp_path / "journals").mkdir()
    others, killed = Marked(mark="others-1"), Marked(mark="killed-1", table_region="us-west-2")
    for one in (others, killed):
        fis.create_experiment_template(**template, tags={TAG: one.mark})
        tables.create_table(**table, TableName=one.mark)
    drill = killed.noted(tmp_path / "journals" / "lost-1.jsonl")
    drill.__enter__()  # and never left: it is killed
    gone, stuck = take_away(tmp_path, cloud.target, lambda _text: None)
    assert (len(gone), gone[1:], stuck) == (2, ["restored table killed-1"], [])
    assert [one["tags"][TAG] for one in fis.list_experiment_templates()["experimentTemplates"]] == ["others-1"]
    assert tables.list_tables()["TableNames"] == ["others-1"]
    assert take_away(tmp_path, cloud.target, lambda _text: None) == ([], [])
    with others.noted(tmp_path / "journals" / "fine-1.jsonl"):
        pass
    assert not list((tmp_path / "journals").iterdir())
    assert others.take_away(cloud.target)[0].startswith("experiment template ")
    tables.delete_table(TableName="others-1")
