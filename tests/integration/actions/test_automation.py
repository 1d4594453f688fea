"""Runbooks: SSM documents and automations, and experiments that break and mend with them."""

import json
from typing import Any

import pytest
import yaml

from tests.waiting import awaited

ROLE = "arn:aws:iam::000000000000:role/app/caller"
FIND = """
import boto3
def find(events, context):
    sqs = boto3.client("sqs")
    return [url for url in sqs.list_queues().get("QueueUrls", [])
            if sqs.list_queue_tags(QueueUrl=url).get("Tags", {}).get(events["key"]) == "True"]
"""
DENY = """
import boto3, json
def deny(events, context):
    statement = {"Sid": "FaultDeny", "Effect": "Deny", "Principal": "*", "Action": "sqs:SendMessage", "Resource": "*"}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]}) if events["on"] == "yes" else ""
    for url in events["queues"]:
        boto3.client("sqs").set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy})
    return {"queues": events["queues"]}
"""


def script(
    name: str, handler: str, code: str, payload: dict[str, Any], outputs: Any = (), **more: Any
) -> dict[str, Any]:
    inputs = {"Runtime": "python3.11", "Handler": handler, "Script": code, "InputPayload": payload}
    return {"name": name, "action": "aws:executeScript", "inputs": inputs, "outputs": list(outputs), **more}


def runbook(*steps: dict[str, Any], **parameters: Any) -> str:
    content = {
        "schemaVersion": "0.3",
        "assumeRole": "{{ AutomationAssumeRole }}",
        "parameters": {"AutomationAssumeRole": {"type": "String", "default": ""}, **parameters},
        "mainSteps": list(steps),
    }
    return str(yaml.safe_dump(content, sort_keys=False))


IMPAIR = runbook(
    script(
        "find",
        "find",
        FIND,
        {"key": "{{ tagKey }}"},
        [{"Name": "queues", "Selector": "$.Payload", "Type": "StringList"}],
    ),
    script(
        "deny",
        "deny",
        DENY,
        {"queues": "{{ find.queues }}", "on": "yes"},
        onFailure="step:allow",
        onCancel="step:allow",
    ),
    {
        "name": "hold",
        "action": "aws:sleep",
        "inputs": {"Duration": "{{ duration }}"},
        "onFailure": "step:allow",
        "onCancel": "step:allow",
    },
    script("allow", "deny", DENY, {"queues": "{{ find.queues }}", "on": "no"}, isEnd=True),
    tagKey={"type": "String", "default": "FIS-Ready"},
    duration={"type": "String", "default": "PT10M"},
)


@pytest.fixture
def document(aws: Any) -> Any:
    ssm, made = aws.client("ssm"), []

    def make(content: str, name: str = "impair") -> str:
        ssm.create_document(Name=name, Content=content, DocumentType="Automation", DocumentFormat="YAML")
        made.append(name)
        return f"arn:aws:ssm:us-east-1:000000000000:document/{name}"

    yield make
    for name in made:
        ssm.delete_document(Name=name)


def automation(arn: str, **given: str) -> dict[str, Any]:
    parameters = {"documentArn": arn, "documentParameters": json.dumps(given), "maxDuration": "PT1M"}
    return {"a": {"actionId": "aws:ssm:start-automation-execution", "parameters": parameters, "targets": {}}}


@pytest.fixture
def send(aws: Any, caller: Any) -> Any:
    """Sends as the callers' role; the policy of the queue is asked."""
    queue = aws.client("sqs").create_queue(QueueName="impaired", tags={"FIS-Ready": "True"})["QueueUrl"]
    yield lambda: caller("sqs", "send_message", QueueUrl=queue, MessageBody="x")
    aws.client("sqs").delete_queue(QueueUrl=queue)


def wait_for(call: Any, wanted: str) -> None:
    awaited(lambda: call() == wanted)


def test_a_runbook_impairs_a_queue_and_mends_it_when_its_time_is_over(aws: Any, document: Any, send: Any) -> None:
    assert send() == "ok"
    arn = document(IMPAIR)

    def felt(duration: str) -> bool:
        """Whether it was felt before it was over, which takes a machine that is quick enough."""
        experiment = aws.start(automation(arn, duration=duration, AutomationAssumeRole=ROLE))
        ended = {"completed", "failed"}
        answer = awaited(
            lambda: said if (said := send()) != "ok" else "over" if aws.status(experiment) in ended else ""
        )
        shown = aws.wait(experiment, *ended)
        assert shown["state"]["status"] == "completed", shown
        assert send() == "ok"
        fired = [e.detail for e in aws.cloud.control.evidence(owner=experiment) if e.kind == "fault_fired"]
        assert fired == [{"resource": arn, "step": "find"}]  # a script: it may change something
        return answer == "AccessDenied"

    assert any(felt(duration) for duration in ("PT3S", "PT15S", "PT45S"))


def test_a_runbook_that_only_looks_is_no_proof(aws: Any, document: Any) -> None:
    looks = {"name": "look", "action": "aws:executeAwsApi", "inputs": {"Service": "sqs", "Api": "ListQueues"}}
    experiment = aws.start(automation(document(runbook(looks))))
    assert aws.wait(experiment, "completed", "failed")["state"]["status"] == "completed"
    assert not [e for e in aws.cloud.control.evidence(owner=experiment) if e.kind == "fault_fired"]


def test_stopping_the_experiment_cancels_the_runbook_which_mends(aws: Any, document: Any, send: Any) -> None:
    experiment = aws.start(automation(document(IMPAIR), duration="PT10M", AutomationAssumeRole=ROLE))
    wait_for(send, "AccessDenied")
    aws.client("fis").stop_experiment(id=experiment)
    assert aws.wait(experiment, "stopped")["actions"]["a"]["state"]["status"] == "stopped"
    assert send() == "ok"
    (execution,) = [
        one
        for one in aws.client("ssm").describe_automation_executions()["AutomationExecutionMetadataList"]
        if one["AutomationExecutionStatus"] == "Cancelled"
    ]
    steps = aws.client("ssm").get_automation_execution(AutomationExecutionId=execution["AutomationExecutionId"])
    assert [s["StepName"] for s in steps["AutomationExecution"]["StepExecutions"]][-1] == "allow"


NOBODY = {"Service": "sqs", "Api": "GetQueueUrl", "QueueName": "nobody"}


@pytest.mark.parametrize(
    ("steps", "says"),
    [
        ([{"name": "x", "action": "aws:runCommand"}], "action aws:runCommand is not carried out here"),
        ([script("x", "f", "def f(e, c):\n    raise OSError('no luck')", {})], "no luck"),
        (
            [{"name": "x", "action": "aws:executeAwsApi", "inputs": NOBODY}],
            "QueueDoesNotExist",
        ),
        ([{"name": "x", "action": "aws:sleep", "inputs": {"Duration": "{{ nothing }}"}}], "names no parameter"),
    ],
)  # fmt: skip
def test_a_runbook_that_fails_fails_the_experiment_with_the_reason(
    aws: Any, document: Any, steps: list[dict[str, Any]], says: str
) -> None:
    shown = aws.wait(aws.start(automation(document(runbook(*steps)))), "failed")
    assert says in shown["actions"]["a"]["state"]["reason"]


def test_calls_branches_and_waits(aws: Any, document: Any) -> None:
    aws.client("sqs").create_queue(QueueName="counted")
    steps = [
        {
            "name": "ask",
            "action": "aws:executeAwsApi",
            "inputs": {"Service": "sqs", "Api": "ListQueues", "QueueNamePrefix": "counted"},
            "outputs": [{"Name": "url", "Selector": "$.QueueUrls[0]", "Type": "String"}],
        },
        {
            "name": "choose",
            "action": "aws:branch",
            "inputs": {
                "Choices": [{"Variable": "{{ ask.url }}", "EndsWith": "/counted", "NextStep": "wait"}],
                "Default": "wrong",
            },
        },
        {"name": "wrong", "action": "aws:sleep", "inputs": {"Duration": "nonsense"}},
        {
            "name": "wait",
            "action": "aws:waitForAwsResourceProperty",
            "inputs": {
                "Service": "sqs",
                "Api": "GetQueueAttributes",
                "QueueUrl": "{{ ask.url }}",
                "AttributeNames": ["VisibilityTimeout"],
                "PropertySelector": "$.Attributes.VisibilityTimeout",
                "DesiredValues": ["30"],
            },
        },
    ]
    arn = document(runbook(*steps))
    assert aws.wait(aws.start(automation(arn)), "completed", "failed")["state"]["status"] == "completed"


def test_documents_have_versions(aws: Any, document: Any) -> None:
    ssm = aws.client("ssm")
    document(IMPAIR)
    with pytest.raises(ssm.exceptions.DocumentAlreadyExists):
        ssm.create_document(Name="impair", Content="{}", DocumentType="Automation")
    other = IMPAIR.replace("PT10M", "PT9M")
    assert (
        ssm.update_document(Name="impair", Content=other, DocumentFormat="YAML", DocumentVersion="$LATEST")[
            "DocumentDescription"
        ]["DocumentVersion"]
        == "2"
    )
    assert ssm.get_document(Name="impair")["Content"] == IMPAIR
    assert ssm.get_document(Name="impair", DocumentVersion="2")["Content"] == other
    ssm.update_document_default_version(Name="impair", DocumentVersion="2")
    assert ssm.describe_document(Name="impair")["Document"]["DefaultVersion"] == "2"
    with pytest.raises(ssm.exceptions.InvalidDocument):
        ssm.get_document(Name="nobody")
