"""Experiments over boto3: states, order, targets, stop, heal, and what is refused."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from harness.cloud.call import AwsCall
from tests.waiting import until


def refusal(caught: Any) -> str:
    error = caught.value.response["Error"]
    return f"{error['Code']}: {error['Message']}"


def test_an_experiment_runs_hits_and_leaves_nothing(fis: Any, error: Any) -> None:
    template = fis.create(actions={"fail": error("PT10M")})
    experiment = fis.start(template)
    running = fis.wait(experiment, "running")
    assert running["experimentTemplateId"] == template
    report = fis.doors.faults.reports(owner=experiment)[0]
    assert report.rule.dose.probability == 0.3
    call = AwsCall(
        layer="invocation",
        service="lambda",
        operation="Invoke",
        region="us-east-1",
        account="000000000000",
        resource=report.rule.selector.resource,
    )
    hits = sum(bool(fis.doors.faults.decide(call)) for _ in range(1000))
    assert 230 < hits < 370
    fis.client.stop_experiment(id=experiment)
    experiment = fis.start(fis.create())
    ended = fis.wait(experiment, "completed")
    assert ended["actions"]["fail"]["state"]["status"] == "completed"
    assert ended["endTime"] > ended["startTime"]
    assert fis.doors.faults.reports() == []
    states = [e.detail["state"] for e in fis.doors.evidence.since(owner=experiment) if e.kind == "experiment_state"]
    assert states == ["initiating", "running", "completed"]


def test_a_zone_loses_its_power_and_gets_it_back(fis: Any, power: Any) -> None:
    experiment = fis.start(fis.create(targets={}, actions={"dark": power("us-east-1b")}))
    fis.wait(experiment, "completed")
    assert fis.house.events == ["lost use1-az2", "restored use1-az2"]


def test_actions_follow_each_other(fis: Any, power: Any, error: Any) -> None:
    wait = {"actionId": "aws:fis:wait", "parameters": {"duration": "PT1S"}}
    experiment = fis.start(fis.create(actions={"first": wait, "fail": error(startAfter=["first"])}))
    ended = fis.wait(experiment, "completed")
    assert ended["actions"]["fail"]["startTime"] >= ended["actions"]["first"]["endTime"]


def test_stop_heals_before_it_answers_and_may_be_repeated(fis: Any, power: Any, error: Any) -> None:
    experiment = fis.start(fis.create(actions={"fail": error("PT10M"), "dark": power(duration="PT10M")}))
    fis.wait(experiment, "running")
    assert until(fis.doors.faults.reports)
    assert until(fis.doors.zones.dark)
    stopped = fis.client.stop_experiment(id=experiment)["experiment"]
    assert stopped["state"]["status"] == "stopping"
    assert fis.doors.faults.reports() == []
    assert fis.doors.zones.dark() == {}
    assert fis.state(experiment)["state"]["status"] == "stopped"
    assert fis.client.stop_experiment(id=experiment)["experiment"]["state"]["status"] == "stopped"


@pytest.mark.parametrize(
    ("target", "names"),
    [
        ({"resourceTags": {"role": "fulfil"}}, ["fulfil"]),
        ({"resourceTags": {"app": "orders"}}, ["fulfil", "place"]),
        ({"resourceTags": {"app": "orders"}, "filters": [{"path": "Runtime", "values": ["nodejs20.x"]}]}, ["place"]),
    ],
)
def test_targets_by_tag_and_filter(fis: Any, error: Any, target: Any, names: list[str]) -> None:
    targets = {"fns": {"resourceType": "aws:lambda:function", "selectionMode": "ALL", **target}}
    experiment = fis.start(fis.create(targets=targets, actions={"fail": error("PT10M")}))
    fis.wait(experiment, "running")
    resolved = fis.client.list_experiment_resolved_targets(experimentId=experiment)["resolvedTargets"]
    assert [r["targetInformation"]["arn"].rpartition(":")[2] for r in resolved] == names
    fis.client.stop_experiment(id=experiment)


@pytest.mark.parametrize(
    ("mode", "count"), [("COUNT(1)", 1), ("PERCENT(50)", 1), ("PERCENT(99)", 1), ("COUNT(9)", 2)]
)
def test_selection_modes_round_down(fis: Any, error: Any, mode: str, count: int) -> None:
    targets = {
        "fns": {"resourceType": "aws:lambda:function", "selectionMode": mode, "resourceTags": {"app": "orders"}}
    }
    experiment = fis.start(fis.create(targets=targets, actions={"fail": error("PT10M")}))
    fis.wait(experiment, "running")
    assert len(fis.client.list_experiment_resolved_targets(experimentId=experiment)["resolvedTargets"]) == count
    fis.client.stop_experiment(id=experiment)


def test_an_empty_target_fails_and_a_missing_arn_always_does(fis: Any) -> None:
    empty = {"fns": {"resourceType": "aws:lambda:function", "selectionMode": "ALL", "resourceTags": {"no": "body"}}}
    failed = fis.wait(fis.start(fis.create(targets=empty)), "failed")
    assert failed["state"]["reason"] == "Target resolution returned empty set"
    assert failed["state"]["error"]["code"] == "InvalidTarget"
    skipped = fis.start(fis.create(targets=empty, experimentOptions={"emptyTargetResolutionMode": "skip"}))
    assert fis.wait(skipped, "completed")["actions"]["fail"]["state"]["status"] == "skipped"


def test_an_unknown_zone_fails_the_experiment_and_leaves_nothing(fis: Any, power: Any, error: Any) -> None:
    experiment = fis.start(fis.create(actions={"fail": error("PT10M"), "dark": power("use9-az9", "PT10M")}))
    ended = fis.wait(experiment, "failed")
    assert "no availability zone 'use9-az9'" in ended["state"]["reason"]
    assert ended["actions"]["fail"]["state"]["status"] == "stopped"
    assert fis.doors.faults.reports() == []


def test_skip_all_resolves_and_injects_nothing(fis: Any) -> None:
    experiment = fis.start(fis.create(), experimentOptions={"actionsMode": "skip-all"})
    assert fis.wait(experiment, "completed")["actions"]["fail"]["state"]["status"] == "skipped"
    assert not [e for e in fis.doors.evidence.since() if e.kind == "fault_injected"]


def test_the_same_client_token_makes_one_template_and_no_other(fis: Any) -> None:
    first = fis.create(clientToken="t1")
    assert fis.create(clientToken="t1") == first
    with pytest.raises(ClientError) as caught:
        fis.create(clientToken="t1", description="other")
    assert refusal(caught).startswith("ConflictException")


def test_a_running_experiment_keeps_its_own_copy_of_the_template(fis: Any, error: Any) -> None:
    template = fis.create(actions={"fail": error("PT5M")})
    experiment = fis.start(template)
    fis.client.update_experiment_template(id=template, actions={"fail": error("PT9M")})
    fis.client.delete_experiment_template(id=template)
    assert fis.state(experiment)["actions"]["fail"]["parameters"]["duration"] == "PT5M"
    with pytest.raises(ClientError) as caught:
        fis.client.get_experiment_template(id=template)
    assert refusal(caught).startswith("ResourceNotFoundException")
    fis.client.stop_experiment(id=experiment)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"actions": {}}, "at least one action"),
        ({"description": "x" * 600}, "length less than or equal to 512"),
        ({"stopConditions": [{"source": "aws:cloudwatch:alarm"}]}, "alarm's ARN"),
        ({"targets": {}}, "uses target fns, which is not defined"),
    ],
)
def test_a_wrong_template_is_refused_with_the_reason(fis: Any, changes: Any, says: str) -> None:
    with pytest.raises(ClientError) as caught:
        fis.create(**changes)
    assert refusal(caught).startswith("ValidationException")
    assert says in refusal(caught)


@pytest.mark.parametrize(
    ("action", "says"),
    [
        ({"actionId": "aws:lambda:invocation-eror"}, "did you mean 'aws:lambda:invocation-error'?"),
        ({"parameters": {"duration": "5m", "preventExecution": "true"}}, "ISO 8601"),
        ({"parameters": {"duration": "PT1M"}}, "Missing required parameter 'preventExecution'"),
        ({"parameters": {"duration": "PT1M", "preventExecution": "yes"}}, "true or false"),
        (
            {"parameters": {"duration": "PT1M", "preventExecution": "true", "invocationPercentage": "7000"}},
            "1 to 100",
        ),
        ({"parameters": {"duration": "PT1M", "preventExecutions": "true"}}, "did you mean 'preventExecution'?"),
        ({"targets": {"Function": "fns"}}, 'Unexpected target "Function"'),
        ({"startAfter": ["nothing"]}, "starts after nothing"),
        ({"startAfter": ["fail"]}, "wait for each other"),
    ],
)
def test_a_wrong_action_is_refused_with_the_reason(fis: Any, error: Any, action: Any, says: str) -> None:
    with pytest.raises(ClientError) as caught:
        fis.create(actions={"fail": error(**action)})
    assert says in refusal(caught)


@pytest.mark.parametrize(
    ("target", "says"),
    [
        ({"resourceType": "aws:lambda:functions"}, "did you mean 'aws:lambda:function'?"),
        ({"selectionMode": "SOME"}, "Invalid selection mode"),
        ({"selectionMode": "PERCENT(0)"}, "Invalid selection mode"),
        ({"resourceTags": {"a": "b"}}, "both resource ARNs and resource tags"),
        ({"resourceArns": []}, "resource ARNs, resource tags, or resource parameters"),
    ],
)
def test_a_wrong_target_is_refused_with_the_reason(fis: Any, target: Any, says: str) -> None:
    arn = "arn:aws:lambda:us-east-1:000000000000:function:fulfil"
    base = {"resourceType": "aws:lambda:function", "resourceArns": [arn], "selectionMode": "ALL"}
    with pytest.raises(ClientError) as caught:
        fis.create(targets={"fns": {**base, **target}})
    assert says in refusal(caught)


def test_actions_are_listed_with_their_parameters(fis: Any) -> None:
    ids = {action["id"] for action in fis.client.list_actions()["actions"]}
    assert {"aws:fis:wait", "aws:lambda:invocation-error", "blackstart:az:interrupt-power"} <= ids
    action = fis.client.get_action(id="aws:lambda:invocation-add-delay")["action"]
    assert action["targets"] == {"Functions": {"resourceType": "aws:lambda:function"}}
    assert action["parameters"]["startupDelayMilliseconds"]["required"] is False


def test_lists_come_in_pages(fis: Any) -> None:
    made = {fis.create(description=f"t{n}") for n in range(5)}
    first = fis.client.list_experiment_templates(maxResults=2)
    assert len(first["experimentTemplates"]) == 2
    pages = fis.client.get_paginator("list_experiment_templates").paginate(PaginationConfig={"PageSize": 2})
    assert {t["id"] for page in pages for t in page["experimentTemplates"]} == made


def test_tags_by_arn(fis: Any) -> None:
    arn = fis.client.get_experiment_template(id=fis.create(tags={"a": "1"}))["experimentTemplate"]["arn"]
    fis.client.tag_resource(resourceArn=arn, tags={"b": "2"})
    fis.client.untag_resource(resourceArn=arn, tagKeys=["a"])
    assert fis.client.list_tags_for_resource(resourceArn=arn)["tags"] == {"b": "2"}


class TestOnAGateWithoutZones:
    """A reverse proxy before a foreign endpoint."""

    @pytest.fixture
    def capabilities(self) -> frozenset[str]:
        return frozenset({"fis", "faults"})

    def test_an_action_it_cannot_carry_out_is_refused_by_name(self, fis: Any, power: Any) -> None:
        with pytest.raises(ClientError) as caught:
            fis.create(targets={}, actions={"dark": power()})
        assert "blackstart:az:interrupt-power is not supported on this target" in refusal(caught)
        assert "blackstart:az:interrupt-power" not in {a["id"] for a in fis.client.list_actions()["actions"]}
