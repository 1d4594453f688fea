"""The scenarios of chaos/experiments, each run once for a second on resources that carry its tags."""

import json
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from chaos.fis.actions import ELSEWHERE
from tests.waiting import until

ON_A_STACK = {"cache-loss", "deploy-gone-wrong", "writer-loss"}
"""They aim at a cache, a release and a database of the shop: their drills run them (docs/fis.md)."""
FOLDER = Path(__file__).parents[3] / "chaos" / "experiments"
FILES = sorted(path for path in FOLDER.glob("*.json") if path.stem not in ON_A_STACK)
DURATIONS = ("duration", "startInstancesAfterDuration")


@pytest.fixture(scope="module")
def stage(aws: Any, vpc: Any, caller: Any) -> Any:
    """One resource of each type that the scenarios aim at; returns a function that tags one as a template asks."""
    ec2, iam = aws.client("ec2"), aws.client("iam")
    instance = ec2.run_instances(ImageId="ami-12345678", MinCount=1, MaxCount=1, SubnetId=vpc.there)
    made = {
        "aws:ec2:instance": instance["Instances"][0]["InstanceId"],
        "aws:ec2:subnet": vpc.there,
    }
    try:
        iam.create_role(RoleName="az-impairment", AssumeRolePolicyDocument="{}")
    except ClientError:
        iam.get_role(RoleName="az-impairment")

    def run_tasks(tags: dict[str, str]) -> None:
        ecs = aws.client("ecs")
        ecs.register_task_definition(family="idle", containerDefinitions=[{"name": "idle", "image": "idle"}])
        pairs = [{"key": key, "value": value} for key, value in tags.items()]
        tasks = ecs.run_task(taskDefinition="idle", count=2, launchType="FARGATE", tags=pairs)["tasks"]
        arns = [task["taskArn"] for task in tasks]

        def states() -> set[str]:
            return {task["lastStatus"] for task in ecs.describe_tasks(tasks=arns)["tasks"]}

        assert until(lambda: states() == {"RUNNING"})

    def tag(kind: str, tags: dict[str, str]) -> None:
        pairs = [{"Key": key, "Value": value} for key, value in tags.items()]
        if kind in made:
            ec2.create_tags(Resources=[made[kind]], Tags=pairs)
        elif kind == "aws:lambda:function":
            arn = "arn:aws:lambda:us-east-1:000000000000:function:caller"
            aws.client("lambda").tag_resource(Resource=arn, Tags=tags)
        elif kind == "aws:iam:role":
            iam.tag_role(RoleName="caller", Tags=pairs)
        elif kind == "aws:ecs:task":
            run_tasks(tags)

    return tag


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_scenario_runs_to_its_end_and_leaves_nothing(aws: Any, stage: Any, path: Path) -> None:
    template = json.loads(path.read_text())
    for target in template["targets"].values():
        stage(target["resourceType"], target.get("resourceTags", {}))
    for action in template["actions"].values():
        for name in DURATIONS:
            if name in action.get("parameters", {}):
                action["parameters"][name] = "PT1S"
    template["roleArn"] = "arn:aws:iam::000000000000:role/fis"
    fis = aws.client("fis")
    identity = fis.create_experiment_template(**template)["experimentTemplate"]["id"]
    experiment = fis.start_experiment(experimentTemplateId=identity)["experiment"]["id"]
    shown = aws.wait(experiment, "completed", "failed")
    assert shown["state"]["status"] == "completed", shown["state"]
    resolved = {
        r["targetName"] for r in fis.list_experiment_resolved_targets(experimentId=experiment)["resolvedTargets"]
    }
    for name, action in shown["actions"].items():
        empty = set(action.get("targets", {}).values()) - resolved
        elsewhere = action["actionId"] in ELSEWHERE
        assert action["state"]["status"] == ("skipped" if empty or elsewhere else "completed"), name
    assert any(a["state"]["status"] == "completed" for a in shown["actions"].values()) or path.stem in {
        "az-application-slowdown",
        "cross-az-traffic-slowdown",
        "replication-lag",
    }
    assert [r for r in aws.cloud.control.rules() if r.rule.owner == experiment] == []


def test_expired_credentials_are_refused_as_aws_does(aws: Any, caller: Any) -> None:
    action = aws.action("blackstart:iam:expire-credentials", percentage="100")
    role = {"resourceType": "aws:iam:role", "resourceArns": ["arn:aws:iam::000000000000:role/app/caller"]}
    with aws.running(action, role):
        assert caller("dynamodb", "list_tables") == "ExpiredTokenException"
        assert caller("s3", "list_buckets") == "ExpiredToken"
        assert aws.code_of(aws.client("dynamodb").list_tables) == "ok"
    assert caller("dynamodb", "list_tables") == "ok"
