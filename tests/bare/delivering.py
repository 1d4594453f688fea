"""What AWS promises about delivery, and what it limits. A check says what it saw instead; '' when all is well."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import quote

from botocore.exceptions import ClientError

from tests.bare.observing import Check
from tests.bare.subject import ACCOUNT, PATIENCE_S, REGION, Subject, asked
from tests.waiting import until


def destinations(at: Subject) -> str:
    good, dead = at.queue("good"), at.queue("dead")
    functions = at.client("lambda")
    at.function("told", DeadLetterConfig={"TargetArn": dead})
    functions.put_function_event_invoke_config(
        FunctionName="told", MaximumRetryAttempts=0, DestinationConfig={"OnSuccess": {"Destination": good}}
    )
    functions.invoke(FunctionName="told", InvocationType="Event", Payload=b'{"order": 1}')
    functions.invoke(FunctionName="told", InvocationType="Event", Payload=b'"poison"')
    letter = at.received(dead).get("Body", "")
    if letter != '"poison"':
        return f"the dead letter is {letter[:60] or 'missing'}"
    return "" if at.received(good) else "OnSuccess is never sent"


def weights(at: Subject) -> str:
    functions = at.client("lambda")
    at.function("weighed")
    first = functions.publish_version(FunctionName="weighed")["Version"]
    functions.update_function_configuration(FunctionName="weighed", Description="second")
    second = functions.publish_version(FunctionName="weighed")["Version"]
    routing = {"AdditionalVersionWeights": {second: 0.5}}
    functions.create_alias(FunctionName="weighed", Name="live", FunctionVersion=first, RoutingConfig=routing)
    invoke = {"FunctionName": "weighed", "Qualifier": "live", "Payload": b"{}"}
    ran = {functions.invoke(**invoke).get("ExecutedVersion") for _ in range(40)}
    return "" if ran == {first, second} else f"only version {ran} runs"


def stream_limits(at: Subject) -> str:
    given_up, kinesis = at.queue("given-up"), at.client("kinesis")
    at.function("streamed")
    arn = at.stream("orders")
    kinesis.put_record(StreamName="orders", Data=b"ok", PartitionKey="a")
    mapping = {"EventSourceArn": arn, "FunctionName": "streamed", "StartingPosition": "TRIM_HORIZON"}
    at.client("lambda").create_event_source_mapping(
        **mapping, MaximumRetryAttempts=0, DestinationConfig={"OnFailure": {"Destination": given_up}}
    )
    poisoned = {"EventSourceArn": arn, "FunctionName": "streamed", "StartingPosition": "TRIM_HORIZON"}
    at.client("lambda").update_function_code(FunctionName="streamed", ZipFile=_broken())
    kinesis.put_record(StreamName="orders", Data=b"more", PartitionKey="a")
    if not at.received(given_up):
        return "a poison batch is tried for ever, nothing is told"
    try:
        at.client("lambda").create_event_source_mapping(**{**poisoned, "TumblingWindowInSeconds": 30})
    except ClientError:
        return ""
    return "a tumbling window is taken and ignored"


def _broken() -> bytes:
    import io
    import zipfile

    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", "def handler(event, _):\n    raise ValueError('poison')\n")
    return archive.getvalue()


def topic_dead_letters(at: Subject) -> str:
    sns, dead = at.client("sns"), at.queue("topic-dead")
    topic = sns.create_topic(Name="lost")["TopicArn"]
    gone = f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone"
    sns.subscribe(
        TopicArn=topic, Protocol="sqs", Endpoint=gone,
        Attributes={"RedrivePolicy": json.dumps({"deadLetterTargetArn": dead})},
    )  # fmt: skip
    sns.publish(TopicArn=topic, Message="hello")
    return "" if at.received(dead) else "what a subscription cannot deliver vanishes"


def rule_dead_letters(at: Subject) -> str:
    dead = at.queue("rule-dead")
    at.rule("lost", Arn=f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone", DeadLetterConfig={"Arn": dead})
    at.put_event("lost")
    return "" if at.received(dead) else "what a target cannot take vanishes"


def other_buses(at: Subject) -> str:
    west, told = at.client("events", "us-west-2"), at.queue("west", "us-west-2")
    bus = west.create_event_bus(Name="copy")["EventBusArn"]
    west.put_rule(Name="all", EventBusName="copy", EventPattern=json.dumps({"source": ["abroad"]}))
    west.put_targets(Rule="all", EventBusName="copy", Targets=[{"Id": "q", "Arn": told}])
    at.rule("abroad", Arn=bus, RoleArn=at.role)
    at.put_event("abroad")
    return "" if at.received(told) else "a bus of another region gets nothing"


def pipe(at: Subject) -> str:
    source, target = at.queue("pipe-in"), at.queue("pipe-out")
    pattern = {"body": {"keep": [True]}}
    at.client("pipes").create_pipe(
        Name="p", RoleArn=at.role, Source=source, Target=target,
        SourceParameters={"FilterCriteria": {"Filters": [{"Pattern": json.dumps(pattern)}]}},
    )  # fmt: skip
    sqs = at.client("sqs")
    url = sqs.get_queue_url(QueueName="pipe-in")["QueueUrl"]
    for keep in (False, True):
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps({"keep": keep}))
    found = at.received(target)
    return "" if "true" in found.get("Body", "") else "a pipe from a queue moves nothing"


def schemas(at: Subject) -> str:
    registry = at.client("schemas")
    registry.create_discoverer(SourceArn=f"arn:aws:events:{REGION}:{ACCOUNT}:event-bus/default")
    at.put_event("learned", {"id": "a"})
    names = {"RegistryName": "discovered-schemas", "SchemaName": "learned@Order"}
    return "" if '"id"' in registry.describe_schema(**names)["Content"] else "no schema was discovered"


def errors_by_name(at: Subject) -> str:
    arn, states = at.function("declines", "declined"), at.client("stepfunctions")
    definition = {
        "StartAt": "Pay",
        "States": {
            "Pay": {
                "Type": "Task", "Resource": arn, "End": True,
                "Catch": [{"ErrorEquals": ["CardDeclinedError"], "Next": "Tell"}],
            },
            "Tell": {"Type": "Pass", "Result": "declined", "End": True},
        },
    }  # fmt: skip
    machine = states.create_state_machine(name="pay", definition=json.dumps(definition), roleArn=at.role)
    started = states.start_execution(stateMachineArn=machine["stateMachineArn"])["executionArn"]

    def ended() -> dict[str, Any]:
        found: dict[str, Any] = states.describe_execution(executionArn=started)
        return found if found["status"] != "RUNNING" else {}

    found = until(ended, PATIENCE_S) or {}
    return "" if found.get("output") == '"declined"' else f"Catch on CardDeclinedError: {found.get('status')}"


def provisioned_table(at: Subject) -> str:
    table = at.client("dynamodb")
    table.create_table(
        TableName="small", KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        ProvisionedThroughput={"ReadCapacityUnits": 1, "WriteCapacityUnits": 1},
    )  # fmt: skip
    try:
        for n in range(20):  # 100 units each, of the 300 that five minutes may leave
            table.put_item(TableName="small", Item={"id": {"S": str(n)}, "x": {"S": "x" * 100_000}})
    except ClientError as error:
        return "" if "ThroughputExceeded" in str(error) else str(error)
    return "2,000 units were written at one unit a second"


def stage_throttle(at: Subject) -> str:
    api, url = at.rest_api("slow")
    settings = (("burstLimit", "1"), ("rateLimit", "0.01"))
    changes = [{"op": "replace", "path": f"/*/*/throttling/{name}", "value": value} for name, value in settings]
    at.client("apigateway").update_stage(restApiId=api, stageName="live", patchOperations=changes)
    statuses = [asked(url) for _ in range(3)]
    return "" if 429 in statuses else f"a stage at one request in 100 s answers {statuses}"


def web_acl(at: Subject) -> str:
    api, url = at.rest_api("guarded")
    waf = at.client("wafv2")
    seen = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "m"}
    managed = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesSQLiRuleSet"}}
    rule = {
        "Name": "sqli",
        "Priority": 0,
        "Statement": managed,
        "OverrideAction": {"None": {}},
        "VisibilityConfig": seen,
    }
    acl = waf.create_web_acl(
        Name="w", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen, Rules=[rule]
    )["Summary"]["ARN"]
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/live")
    status = asked(f"{url}?id={quote(chr(39) + ' OR 1=1 --')}")
    return "" if status == 403 else f"SQL injection behind a web ACL answers {status}"


CHECKS: dict[str, dict[str, Check]] = {
    "5 delivery": {
        "success destination, raw dead letter": destinations,
        "alias weights": weights,
        "stream retry limits, tumbling windows refused": stream_limits,
        "dead letters of a subscription": topic_dead_letters,
        "dead letters of a rule's target": rule_dead_letters,
        "bus of another region": other_buses,
        "pipe from a queue with a filter": pipe,
        "schema registry with discovery": schemas,
        "Step Functions errors by name": errors_by_name,
    },
    "6 limits": {
        "provisioned throughput": provisioned_table,
        "stage throttling": stage_throttle,
        "WAF: SQL injection": web_acl,
    },
}
