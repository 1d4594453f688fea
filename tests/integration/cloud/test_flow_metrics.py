"""What SNS, EventBridge, SQS, Step Functions, DynamoDB and asynchronous Lambda publish, over boto3."""

import io
import json
import urllib.error
import urllib.request
import zipfile
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from tests.asking import total
from tests.waiting import until

ACCOUNT, REGION = "000000000000", "us-east-1"


def policy(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def queue(cloud: Any, name: str) -> str:
    """The ARN of a queue that every service may send to."""
    arn = f"arn:aws:sqs:{REGION}:{ACCOUNT}:{name}"
    sqs = cloud.target.client("sqs")
    allowed = {"Effect": "Allow", "Principal": "*", "Action": "sqs:*", "Resource": arn}
    url = sqs.create_queue(QueueName=name)["QueueUrl"]
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"Policy": policy(allowed)})
    return arn


def test_topics_count_messages_and_notifications(cloud: Any) -> None:
    sns = cloud.target.client("sns")
    topic = sns.create_topic(Name="orders")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=queue(cloud, "in"))
    gone = f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone"
    dead = {"RedrivePolicy": json.dumps({"deadLetterTargetArn": queue(cloud, "dead")})}
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=gone, Attributes=dead)
    for _ in range(2):
        sns.publish(TopicArn=topic, Message="five!")

    def figures() -> dict[str, float]:
        names = (
            "NumberOfMessagesPublished",
            "PublishSize",
            "NumberOfNotificationsDelivered",
            "NumberOfNotificationsFailed",
            "NumberOfNotificationsRedrivenToDlq",
        )
        return {name: total(cloud, "AWS/SNS", name, TopicName="orders") for name in names}

    assert until(lambda: list(figures().values()) == [2, 10, 2, 2, 2]), figures()
    assert until(lambda: total(cloud, "AWS/SQS", "NumberOfMessagesSent", QueueName="in") == 2)


def test_rules_count_invocations_failures_and_dead_letters(cloud: Any) -> None:
    events = cloud.target.client("events")
    events.put_rule(Name="placed", EventPattern=json.dumps({"source": ["shop"]}))
    gone = f"arn:aws:sqs:{REGION}:{ACCOUNT}:gone"
    targets = [
        {"Id": "1", "Arn": queue(cloud, "in")},
        {"Id": "2", "Arn": gone, "DeadLetterConfig": {"Arn": queue(cloud, "dead")}},
    ]
    events.put_targets(Rule="placed", Targets=targets)
    events.put_events(Entries=[{"Source": "shop", "DetailType": "placed", "Detail": "{}"}])
    for name, count in (("Invocations", 2), ("FailedInvocations", 1), ("InvocationsSentToDlq", 1)):
        assert until(lambda n=name, c=count: total(cloud, "AWS/Events", n, RuleName="placed") == c), name


def test_queues_count_what_is_sent_received_and_deleted(cloud: Any) -> None:
    queue(cloud, "work")
    sqs = cloud.target.client("sqs")
    url = sqs.get_queue_url(QueueName="work")["QueueUrl"]
    sqs.send_message_batch(QueueUrl=url, Entries=[{"Id": str(n), "MessageBody": "12345"} for n in range(3)])
    found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10)["Messages"]
    sqs.delete_message(QueueUrl=url, ReceiptHandle=found[0]["ReceiptHandle"])
    sqs.receive_message(QueueUrl=url)
    names = ("Sent", "Received", "Deleted")

    def counted() -> list[float]:
        return [total(cloud, "AWS/SQS", f"NumberOfMessages{name}", QueueName="work") for name in names]

    assert until(lambda: counted() == [3, 3, 1]), counted()
    assert until(lambda: total(cloud, "AWS/SQS", "SentMessageSize", QueueName="work") == 15)
    assert until(lambda: total(cloud, "AWS/SQS", "NumberOfEmptyReceives", QueueName="work") == 1)


def test_state_machines_count_executions_by_their_end(cloud: Any) -> None:
    states = cloud.target.client("stepfunctions")
    trust = {"Effect": "Allow", "Principal": {"Service": "states.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.target.client("iam").create_role(RoleName="s", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]

    def run(name: str, state: dict[str, Any]) -> str:
        definition = json.dumps({"StartAt": "A", "States": {"A": state}})
        arn = str(states.create_state_machine(name=name, definition=definition, roleArn=role)["stateMachineArn"])
        states.start_execution(stateMachineArn=arn)
        return arn

    good, bad = run("good", {"Type": "Succeed"}), run("bad", {"Type": "Fail", "Error": "E"})
    assert until(lambda: total(cloud, "AWS/States", "ExecutionsStarted", StateMachineArn=good) == 1)
    assert until(lambda: total(cloud, "AWS/States", "ExecutionsSucceeded", StateMachineArn=good))
    assert until(lambda: total(cloud, "AWS/States", "ExecutionsFailed", StateMachineArn=bad))
    assert until(lambda: total(cloud, "AWS/States", "ExecutionTime", StateMachineArn=good) > 0)


def test_tables_count_their_calls_without_a_fault_that_looks(cloud: Any, table: Any) -> None:
    table.put_item(TableName="orders", Item={"id": {"S": "1"}})

    def dimensions() -> list[dict[str, str]]:
        found = cloud.target.client("cloudwatch").list_metrics(Namespace="AWS/DynamoDB")["Metrics"]
        return [{one["Name"]: one["Value"] for one in metric["Dimensions"]} for metric in found]

    assert until(lambda: {"TableName": "orders", "Operation": "PutItem"} in dimensions())


def test_an_alarm_invokes_a_function_and_instances_are_refused_by_name(cloud: Any) -> None:
    watch, functions = cloud.target.client("cloudwatch"), cloud.target.client("lambda")
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr("app.py", "def handler(event, _):\n    print('RANG', event['alarmData']['state']['value'])\n")
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.target.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    arn = functions.create_function(
        FunctionName="pager",
        Runtime="python3.12",
        Role=role,
        Handler="app.handler",
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]
    asked = {
        "AlarmName": "a", "Namespace": "N", "MetricName": "m", "Statistic": "Sum", "Period": 60,
        "EvaluationPeriods": 1, "Threshold": 1.0, "ComparisonOperator": "GreaterThanThreshold",
    }  # fmt: skip
    with pytest.raises(watch.exceptions.ClientError, match="actions on EC2 instances do not run"):
        watch.put_metric_alarm(**asked, AlarmActions=[f"arn:aws:automate:{REGION}:ec2:stop"])
    watch.put_metric_alarm(**asked, AlarmActions=[arn])
    watch.set_alarm_state(AlarmName="a", StateValue="ALARM", StateReason="drill")
    logs = cloud.target.client("logs")

    def rang() -> list[Any]:
        groups = logs.describe_log_groups(logGroupNamePrefix="/aws/lambda/pager")["logGroups"]
        return (
            logs.filter_log_events(logGroupName="/aws/lambda/pager", filterPattern="RANG")["events"] if groups else []
        )

    assert "ALARM" in until(rang)[0]["message"]
    assert until(lambda: total(cloud, "AWS/Lambda", "AsyncEventsReceived", FunctionName="pager") == 1)


def test_a_search_finds_metrics_and_sums_them(cloud: Any) -> None:
    watch = cloud.target.client("cloudwatch")
    for zone, value in (("a", 1.0), ("b", 2.0)):
        dimensions = [{"Name": "Zone", "Value": zone}]
        watch.put_metric_data(
            Namespace="Shop", MetricData=[{"MetricName": "placed", "Dimensions": dimensions, "Value": value}]
        )
    search = "SEARCH('{Shop,Zone} MetricName=\"placed\"', 'Sum', 3600)"
    now = datetime.now(UTC)
    found = watch.get_metric_data(
        MetricDataQueries=[{"Id": "each", "Expression": search}, {"Id": "all", "Expression": f"SUM({search})"}],
        StartTime=now - timedelta(hours=1),
        EndTime=now + timedelta(minutes=1),
    )["MetricDataResults"]
    assert sorted((one["Label"], sum(one["Values"])) for one in found) == [
        ("a placed", 1),
        ("all", 3),
        ("b placed", 2),
    ]


def test_apis_tell_the_latency_of_what_they_pass_on_by_stage(cloud: Any) -> None:
    functions, http, rest = (cloud.target.client(name) for name in ("lambda", "apigatewayv2", "apigateway"))
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as code:
        code.writestr(
            "app.py", "import time\ndef handler(_, __):\n    time.sleep(0.2)\n    return {'statusCode': 200}\n"
        )
    trust = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
    role = cloud.target.client("iam").create_role(RoleName="r", AssumeRolePolicyDocument=policy(trust))["Role"]["Arn"]
    arn = functions.create_function(
        FunctionName="slow", Runtime="python3.12", Role=role, Handler="app.handler", Timeout=60,
        Code={"ZipFile": archive.getvalue()},
    )["FunctionArn"]  # fmt: skip
    functions.add_permission(
        FunctionName="slow", StatementId="a", Action="lambda:InvokeFunction", Principal="apigateway.amazonaws.com"
    )
    api = http.create_api(Name="web", ProtocolType="HTTP", Target=arn)["ApiId"]
    assert all(one["ApiGatewayManaged"] for one in http.get_routes(ApiId=api)["Items"])  # made by its quick create
    shop = rest.create_rest_api(name="shop")["id"]
    root = rest.get_resources(restApiId=shop)["items"][0]["id"]
    at = {"restApiId": shop, "resourceId": root, "httpMethod": "GET"}
    rest.put_method(**at, authorizationType="NONE")
    uri = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{arn}/invocations"
    rest.put_integration(**at, type="AWS_PROXY", integrationHttpMethod="POST", uri=uri)
    rest.create_deployment(restApiId=shop, stageName="live")
    answered = []
    for path in (f"{api}/", f"{shop}/live/", f"{shop}/live/nowhere"):
        try:
            with urllib.request.urlopen(f"{cloud.target.endpoint}/_aws/execute-api/{path}") as response:  # noqa: S310
                answered.append(response.status)
        except urllib.error.HTTPError as error:
            answered.append(error.code)
            error.close()
    assert answered == [200, 200, 403]
    for of in ({"ApiId": api, "Stage": "$default"}, {"ApiName": "shop", "Stage": "live"}, {"ApiName": "shop"}):
        whole, passed_on = (total(cloud, "AWS/ApiGateway", name, **of) for name in ("Latency", "IntegrationLatency"))
        assert whole > passed_on >= 200, of
    assert total(cloud, "AWS/ApiGateway", "Count", ApiName="shop", Stage="live") == 2
    assert total(cloud, "AWS/ApiGateway", "4XXError", ApiName="shop", Stage="live") == 1
