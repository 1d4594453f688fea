"""Who gives a role to a service must be allowed to pass it on, and the role must let the service take it on."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.delivery.clerks import ANYBODY, allow, clients_of, role

Clients = Callable[[str], Any]
MACHINE = json.dumps({"StartAt": "End", "States": {"End": {"Type": "Succeed"}}})
QUEUE = "arn:aws:sqs:us-east-1:000000000000:any"


def function(as_: Clients, arn: str) -> Any:
    code = {"ZipFile": b"PK\x05\x06" + b"\0" * 18}
    return as_("lambda").create_function(
        FunctionName="passed", Role=arn, Code=code, Handler="app.handler", Runtime="python3.12"
    )


def machine(as_: Clients, arn: str) -> Any:
    return as_("stepfunctions").create_state_machine(name="passed", definition=MACHINE, roleArn=arn)


def target(as_: Clients, arn: str) -> Any:
    as_("events").put_rule(Name="passed", ScheduleExpression="rate(1 day)")
    return as_("events").put_targets(Rule="passed", Targets=[{"Id": "1", "Arn": QUEUE, "RoleArn": arn}])


def schedule(as_: Clients, arn: str) -> Any:
    window = {"Mode": "OFF"}
    return as_("scheduler").create_schedule(
        Name="passed",
        ScheduleExpression="rate(1 day)",
        FlexibleTimeWindow=window,
        Target={"Arn": QUEUE, "RoleArn": arn},
    )


def project(as_: Clients, arn: str) -> Any:
    return as_("codebuild").create_project(
        name="passed",
        serviceRole=arn,
        source={"type": "NO_SOURCE", "buildspec": "version: 0.2"},
        artifacts={"type": "NO_ARTIFACTS"},
        environment={"type": "LINUX_CONTAINER", "image": "any", "computeType": "BUILD_GENERAL1_SMALL"},
    )


def definition(as_: Clients, arn: str) -> Any:
    container = {"name": "web", "image": "web"}
    return as_("ecs").register_task_definition(family="passed", taskRoleArn=arn, containerDefinitions=[container])


def replication(as_: Clients, arn: str) -> Any:
    rule = {"Status": "Enabled", "Prefix": "", "Destination": {"Bucket": "arn:aws:s3:::passed-there"}}
    return as_("s3").put_bucket_replication(
        Bucket="passed-here", ReplicationConfiguration={"Role": arn, "Rules": [rule]}
    )


def stack(as_: Clients, arn: str) -> Any:
    body = "Resources: {Queue: {Type: 'AWS::SQS::Queue'}}"
    return as_("cloudformation").create_stack(StackName="passed", TemplateBody=body, RoleARN=arn)


GIVEN: dict[str, tuple[Callable[[Clients, str], Any], str, str]] = {
    "lambda": (function, "InvalidParameterValueException", "The role defined for the function cannot be assumed by"),
    "states": (machine, "AccessDeniedException", "Neither the global service principal states.amazonaws.com, nor"),
    "events": (target, "ValidationException", "cannot be assumed by principal 'events.amazonaws.com'"),
    "scheduler": (schedule, "ValidationException", "must allow AWS EventBridge Scheduler to assume the role"),
    "codebuild": (project, "InvalidInputException", "CodeBuild is not authorized to perform: sts:AssumeRole on arn"),
    "ecs-tasks": (definition, "", ""),
    "s3": (replication, "", ""),
    "cloudformation": (stack, "ValidationError", "is invalid or cannot be assumed"),
}
"""A service → how it is given a role, and what it says to one that does not trust it (when it looks at once)."""


def buckets(shop: Any) -> None:
    for name in ("passed-here", "passed-there"):
        shop.cloud.target.client("s3").create_bucket(Bucket=name)
        shop.cloud.target.client("s3").put_bucket_versioning(
            Bucket=name, VersioningConfiguration={"Status": "Enabled"}
        )


@pytest.mark.usefixtures("shop")
def test_a_role_is_given_to_the_service_that_it_may_be_passed_to(shop: Any) -> None:
    buckets(shop)
    does = ("lambda:*", "states:*", "events:*", "scheduler:*", "codebuild:*", "ecs:*", "s3:*", "cloudformation:*")
    as_clerk = clients_of(shop, role(shop, "clerk", ANYBODY))
    for service, (give, code, said) in GIVEN.items():
        principal = {"Service": f"{service}.amazonaws.com"}
        arn, foreign = (
            role(shop, f"to-{service}", principal),
            role(shop, f"not-{service}", {"Service": "ec2.amazonaws.com"}),
        )
        allow(shop, "clerk", *does)
        with pytest.raises(ClientError, match=f"iam:PassRole on resource: {arn} because no identity-based") as denied:
            give(as_clerk, arn)
        assert denied.value.response["Error"]["Code"].startswith("AccessDenied"), service
        passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
        for to in ("ec2", service):
            only = {"StringEquals": {"iam:PassedToService": f"{to}.amazonaws.com"}}
            allow(shop, "clerk", *does, also=[passing | {"Condition": only}])
            if to == "ec2":
                with pytest.raises(ClientError, match="iam:PassRole"):
                    give(as_clerk, arn)
        if code:
            with pytest.raises(ClientError) as untrusted:
                give(as_clerk, foreign)
            told = untrusted.value.response["Error"]
            assert (told["Code"], said in told["Message"]) == (code, True), told
            assert untrusted.value.response["ResponseMetadata"]["HTTPStatusCode"] == 400
        give(as_clerk, arn)


def test_a_role_may_be_passed_for_one_resource_only(shop: Any) -> None:
    worker = role(shop, "worker", {"Service": "states.amazonaws.com"})
    as_clerk = clients_of(shop, role(shop, "clerk", ANYBODY))
    machine_arn = "arn:aws:states:us-east-1:000000000000:stateMachine:"
    for name in ("other", "passed"):
        only = {"ArnLike": {"iam:AssociatedResourceArn": f"{machine_arn}{name}"}}
        passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": worker, "Condition": only}
        allow(shop, "clerk", "states:*", also=[passing])
        if name == "other":
            with pytest.raises(ClientError, match="iam:PassRole"):
                machine(as_clerk, worker)
    machine(as_clerk, worker)


def test_who_runs_a_task_passes_the_roles_of_its_definition_or_what_is_put_in_their_place(shop: Any) -> None:
    ours = shop.cloud.target.client
    ecs, clerk = ours("ecs"), role(shop, "clerk", ANYBODY)
    arn, foreign = role(shop, "task", {"Service": "ecs-tasks.amazonaws.com"}), role(shop, "none", {"Service": "ecs"})
    ecs.create_cluster(clusterName="passed")
    definition(ours, arn)
    as_clerk = clients_of(shop, clerk)
    for passed, overrides, said in (
        ("*", {"taskRoleArn": foreign}, f"ECS was unable to assume the role '{foreign}'"),
        (foreign, {}, f"iam:PassRole on resource: {arn}"),
        (arn, {"taskRoleArn": foreign}, f"iam:PassRole on resource: {foreign}"),
    ):
        allow(shop, "clerk", "ecs:*", also=[{"Effect": "Allow", "Action": "iam:PassRole", "Resource": passed}])
        with pytest.raises(ClientError) as denied:
            as_clerk("ecs").run_task(cluster="passed", taskDefinition="passed", overrides=overrides)
        assert said in denied.value.response["Error"]["Message"]


def test_services_that_the_emulator_lacks_ask_too(shop: Any) -> None:
    foreign = role(shop, "foreign", {"Service": "ec2.amazonaws.com"})
    trusting = {to: role(shop, to, {"Service": f"{to}.amazonaws.com"}) for to in ("fis", "codepipeline")}
    as_clerk = clients_of(shop, role(shop, "clerk", ANYBODY))

    def template() -> Any:
        action = {"a": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1S"}}}
        given = {"roleArn": trusting["fis"], "actions": action, "targets": {}, "stopConditions": [{"source": "none"}]}
        return as_clerk("fis").create_experiment_template(clientToken="t", description="d", **given)

    def pipeline(arn: str) -> Any:
        kinds = (("Source", "S3"), ("Deploy", "S3"))
        stages = [
            {"name": category, "actions": [{
                "name": "a",
                "actionTypeId": {"category": category, "owner": "AWS", "provider": provider, "version": "1"},
            }]} for category, provider in kinds
        ]  # fmt: skip
        store = {"type": "S3", "location": "any"}
        given = {"name": "p", "roleArn": arn, "artifactStore": store, "stages": stages}
        return as_clerk("codepipeline").create_pipeline(pipeline=given)

    gives: tuple[tuple[str, Callable[[], Any]], ...] = (
        ("fis:CreateExperimentTemplate", template),
        ("codepipeline:CreatePipeline", lambda: pipeline(trusting["codepipeline"])),
    )
    for action, give in gives:
        for allowed, missing in ((("sts:GetCallerIdentity",), action), ((action,), "iam:PassRole")):
            allow(shop, "clerk", *allowed)
            with pytest.raises(ClientError, match=f"is not authorized to perform: {missing} ") as denied:
                give()
            assert denied.value.response["Error"]["Code"] == "AccessDeniedException"
        passing = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}
        allow(shop, "clerk", action, resource=f"arn:aws:{action.partition(':')[0]}:*:*:*", also=[passing])
        give()
    with pytest.raises(ClientError, match=f"CodePipeline is not authorized to perform AssumeRole on role {foreign}"):
        pipeline(foreign)
