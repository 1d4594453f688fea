"""Every operation of the service model over boto3: answers, limits, errors."""

import urllib.request
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

WAIT = {"w": {"actionId": "aws:fis:wait", "parameters": {"duration": "PT10M"}}}


def code(caught: Any) -> tuple[str, int]:
    response = caught.value.response
    return response["Error"]["Code"], response["ResponseMetadata"]["HTTPStatusCode"]


def test_every_operation_of_the_model_is_there(fis: Any) -> None:
    from chaos.fis.operations import OPERATIONS

    assert set(OPERATIONS) == set(fis.client.meta.service_model.operation_names)


def test_target_accounts_are_kept_and_experiments_keep_their_own(fis: Any) -> None:
    template = fis.create(targets={}, actions=WAIT, experimentOptions={"accountTargeting": "multi-account"})
    with pytest.raises(ClientError, match="needs a target account configuration"):
        fis.start(template)
    role = "arn:aws:iam::111122223333:role/target"
    account = {"experimentTemplateId": template, "accountId": "111122223333"}
    made = fis.client.create_target_account_configuration(**account, roleArn=role, clientToken="t")
    assert made["targetAccountConfiguration"] == {"accountId": "111122223333", "roleArn": role}
    assert fis.client.create_target_account_configuration(**account, roleArn=role, clientToken="t")
    with pytest.raises(ClientError) as caught:
        fis.client.create_target_account_configuration(**account, roleArn=role)
    assert code(caught) == ("ConflictException", 409)
    experiment = fis.start(template)
    changed = fis.client.update_target_account_configuration(**account, description="changed")
    assert changed["targetAccountConfiguration"]["description"] == "changed"
    assert changed["targetAccountConfiguration"]["roleArn"] == role
    of_experiment = fis.client.list_experiment_target_account_configurations(experimentId=experiment)
    assert of_experiment["targetAccountConfigurations"] == [made["targetAccountConfiguration"]]
    one = fis.client.get_experiment_target_account_configuration(experimentId=experiment, accountId="111122223333")
    assert one["targetAccountConfiguration"]["roleArn"] == role
    shown = fis.client.get_experiment_template(id=template)["experimentTemplate"]
    assert shown["targetAccountConfigurationsCount"] == 1
    assert fis.client.delete_target_account_configuration(**account)["targetAccountConfiguration"]
    with pytest.raises(ClientError) as caught:
        fis.client.get_target_account_configuration(**account)
    assert code(caught) == ("ResourceNotFoundException", 404)
    assert (
        fis.client.list_target_account_configurations(experimentTemplateId=template)["targetAccountConfigurations"]
        == []
    )
    fis.client.stop_experiment(id=experiment)


def test_a_single_account_template_takes_no_target_account(fis: Any) -> None:
    with pytest.raises(ClientError, match="accountTargeting"):
        fis.client.create_target_account_configuration(
            experimentTemplateId=fis.create(),
            accountId="111122223333",
            roleArn="arn:aws:iam::111122223333:role/target",
        )


def test_the_safety_lever(fis: Any) -> None:
    lever = fis.client.get_safety_lever(id="default")["safetyLever"]
    assert lever["state"]["status"] == "disengaged"
    assert lever["arn"] == "arn:aws:fis:us-east-1:000000000000:safety-lever/default"
    experiment = fis.start(fis.create(targets={}, actions=WAIT))
    fis.client.update_safety_lever_state(id="default", state={"status": "engaged", "reason": "storm"})
    assert fis.state(experiment)["state"]["status"] == "stopped"
    assert fis.wait(fis.start(fis.create()), "cancelled")["actions"]["fail"]["state"]["status"] == "cancelled"
    with pytest.raises(ClientError) as caught:
        fis.client.get_safety_lever(id="other")
    assert code(caught) == ("ResourceNotFoundException", 404)


def test_resource_types_and_their_parameters(fis: Any) -> None:
    pages = fis.client.get_paginator("list_target_resource_types").paginate(PaginationConfig={"PageSize": 5})
    types = [row["resourceType"] for page in pages for row in page["targetResourceTypes"]]
    assert len(types) == len(set(types)) == 24
    one = fis.client.get_target_resource_type(resourceType="aws:ec2:subnet")["targetResourceType"]
    assert set(one["parameters"]) == {"availabilityZoneIdentifier", "vpc"}
    with pytest.raises(ClientError, match="did you mean 'aws:ec2:subnet'"):
        fis.client.get_target_resource_type(resourceType="aws:ec2:subnets")


def test_actions_come_in_pages_without_parameters(fis: Any) -> None:
    pages = list(fis.client.get_paginator("list_actions").paginate(PaginationConfig={"PageSize": 7}))
    assert len(pages) > 2
    rows = [row for page in pages for row in page["actions"]]
    assert all("parameters" not in row for row in rows)
    assert all(row["arn"].endswith(f":action/{row['id']}") for row in rows)
    action = fis.client.get_action(id="aws:network:disrupt-connectivity")["action"]
    assert action["parameters"]["prefixListIdentifier"]["required"] is False
    assert action["targets"] == {"Subnets": {"resourceType": "aws:ec2:subnet"}}


def test_quotas_answer_402(fis: Any) -> None:
    template = fis.create(targets={}, actions=WAIT)
    running = [fis.start(template) for _ in range(5)]
    with pytest.raises(ClientError) as caught:
        fis.start(template)
    assert code(caught) == ("ServiceQuotaExceededException", 402)
    for experiment in running:
        fis.client.stop_experiment(id=experiment)
    fis.client.stop_experiment(id=fis.start(template))


def test_tags_of_templates_and_experiments(fis: Any) -> None:
    template = fis.create(tags={"a": "1"})
    arn = fis.client.get_experiment_template(id=template)["experimentTemplate"]["arn"]
    fis.client.tag_resource(resourceArn=arn, tags={"b": "2", "c": ""})
    fis.client.untag_resource(resourceArn=arn, tagKeys=["a", "nothing"])
    assert fis.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2", "c": ""}
    with pytest.raises(ClientError, match="at most 50 tags"):
        fis.client.tag_resource(resourceArn=arn, tags={f"k{n}": "" for n in range(49)})
    experiment = fis.start(template, tags={"d": "3"})
    assert fis.state(experiment)["tags"] == {"d": "3"}
    fis.client.stop_experiment(id=experiment)
    for gone in (f"{arn}x", arn.replace("us-east-1", "eu-west-1")):
        with pytest.raises(ClientError) as caught:
            fis.client.list_tags_for_resource(resourceArn=gone)
        assert code(caught) == ("ResourceNotFoundException", 404)


def test_an_empty_log_configuration_turns_logging_off(fis: Any) -> None:
    logs = {
        "logSchemaVersion": 2,
        "cloudWatchLogsConfiguration": {"logGroupArn": "arn:aws:logs:us-east-1:000000000000:log-group:g:*"},
    }
    template = fis.create(logConfiguration=logs)
    assert fis.client.get_experiment_template(id=template)["experimentTemplate"]["logConfiguration"] == logs
    off = fis.client.update_experiment_template(id=template, logConfiguration={})["experimentTemplate"]
    assert "logConfiguration" not in off
    with pytest.raises(ClientError, match="at least one log destination"):
        fis.create(logConfiguration={"logSchemaVersion": 2})


def test_an_update_is_checked_as_a_whole(fis: Any) -> None:
    template = fis.create()
    with pytest.raises(ClientError, match="uses target fns, which is not defined"):
        fis.client.update_experiment_template(id=template, targets={})
    with pytest.raises(ClientError, match="actionId is required"):
        fis.client.update_experiment_template(id=template, actions={"a": {"parameters": {"duration": "PT1M"}}})
    kept = fis.client.get_experiment_template(id=template)["experimentTemplate"]
    assert set(kept["targets"]) == {"fns"}
    changed = fis.client.update_experiment_template(
        id=template, description="other", experimentOptions={"emptyTargetResolutionMode": "skip"}
    )["experimentTemplate"]
    assert changed["description"] == "other"
    assert changed["experimentOptions"] == {
        "accountTargeting": "single-account",
        "emptyTargetResolutionMode": "skip",
    }
    assert changed["lastUpdateTime"] >= changed["creationTime"]


@pytest.mark.parametrize(
    ("members", "says"),
    [
        ({"description": ""}, "length greater than or equal to|regular expression"),
        ({"roleArn": "arn:aws:iam::000000000000:user/me"}, "not the ARN of an IAM role"),
        ({"stopConditions": []}, "at least one stop condition"),
        ({"experimentOptions": {"emptyTargetResolutionMode": "maybe"}}, r"enum value set: \[fail, skip\]"),
        ({"experimentReportConfiguration": {"postExperimentDuration": "soon"}}, "ISO 8601"),
        ({"tags": {"k" * 129: "v"}}, "length less than or equal to 128"),
    ],
)
def test_limits_are_those_of_the_model(fis: Any, members: dict[str, Any], says: str) -> None:
    with pytest.raises(ClientError, match=says) as caught:
        fis.create(**members)
    assert code(caught) == ("ValidationException", 400)


def test_a_report_that_cannot_be_drawn_is_not_called_completed(fis: Any) -> None:
    report = {"outputs": {"s3Configuration": {"bucketName": "reports"}}}
    template = fis.create(experimentReportConfiguration=report)
    one = fis.client.start_experiment(experimentTemplateId=template)["experiment"]
    assert one["experimentReport"]["state"]["status"] == "pending"
    assert fis.wait(one["id"], "completed")["experimentReport"]["state"]["status"] == "failed"
    preview = fis.start(
        fis.create(experimentReportConfiguration=report), experimentOptions={"actionsMode": "skip-all"}
    )
    assert "experimentReport" not in fis.wait(preview, "completed")


def test_a_path_that_is_no_operation_is_not_found(fis: Any) -> None:
    url = f"{fis.client.meta.endpoint_url}/nothing/here"
    with pytest.raises(urllib.error.HTTPError) as caught:
        urllib.request.urlopen(url)  # noqa: S310 - loopback
    assert caught.value.code == 404
    assert caught.value.headers["x-amzn-errortype"] == "ResourceNotFoundException"
    caught.value.close()


def test_heal_ends_every_experiment_of_every_region(fis: Any) -> None:
    import asyncio

    west = boto3.client(
        "fis",
        endpoint_url=fis.client.meta.endpoint_url,
        region_name="us-west-2",
        aws_access_key_id="test",
        aws_secret_access_key="test",
    )
    here = fis.start(fis.create(targets={}, actions=WAIT))
    template = west.create_experiment_template(
        description="d",
        roleArn="arn:aws:iam::000000000000:role/fis",
        stopConditions=[{"source": "none"}],
        targets={},
        actions=WAIT,
    )["experimentTemplate"]
    assert template["arn"].startswith("arn:aws:fis:us-west-2:")
    there = west.start_experiment(experimentTemplateId=template["id"])["experiment"]["id"]
    loop = fis.service.region("us-east-1").experiment(here)._life.get_loop()
    healed = asyncio.run_coroutine_threadsafe(fis.service.heal(), loop).result(60)
    assert set(healed) == {here, there}
    assert fis.state(here)["state"]["status"] == "stopped"
    assert west.get_experiment(id=there)["experiment"]["state"]["status"] == "stopped"
    west.close()
