"""What the cloud does on somebody's behalf it does under their role, and with keys that this role may use."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.delivery.clerks import ANYBODY, allow, clients_of, role
from tests.waiting import until


def left(shop: Any, name: str) -> int:
    """How many messages a queue has, seen or not."""
    url = shop.sqs.get_queue_url(QueueName=name)["QueueUrl"]
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    found = shop.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=names)["Attributes"]
    return sum(int(value) for value in found.values())


def consumed(shop: Any, name: str, role: str) -> None:
    """A queue with one message, and a function that consumes it under `role`."""
    arn, all_may = shop.queue(name), shop.role
    shop.sqs.send_message(QueueUrl=shop.sqs.get_queue_url(QueueName=name)["QueueUrl"], MessageBody="order")
    shop.role = role
    function = shop.function(name)
    shop.role = all_may
    shop.cloud.target.client("lambda").create_event_source_mapping(EventSourceArn=arn, FunctionName=function)


def test_what_the_role_may_not_read_stays_in_the_queue_until_it_may(shop: Any) -> None:
    none = role(shop, "none", {"Service": "lambda.amazonaws.com"})
    consumed(shop, "locked", none)
    consumed(shop, "open", shop.role)
    assert until(lambda: left(shop, "open") == 0)  # each look goes through both queues, the locked one first
    assert left(shop, "locked") == 1
    allow(shop, "none", "sqs:*")
    assert until(lambda: left(shop, "locked") == 0)


def encrypted(shop: Any, key: str) -> dict[str, Callable[[Callable[[str], Any]], Any]]:
    """A resource of each kind under the key; how somebody with clients of their own uses it."""
    ours = shop.cloud.target.client
    secret = ours("secretsmanager").create_secret(Name="pass", SecretString="x", KmsKeyId=key)["ARN"]
    url = shop.sqs.create_queue(QueueName="letters", Attributes={"KmsMasterKeyId": key})["QueueUrl"]
    topic = ours("sns").create_topic(Name="news", Attributes={"KmsMasterKeyId": key})["TopicArn"]
    ours("dynamodb").create_table(
        TableName="stock",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
        SSESpecification={"Enabled": True, "SSEType": "KMS", "KMSMasterKeyId": key},
    )
    ours("s3").create_bucket(Bucket="vault")
    rule = {"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms", "KMSMasterKeyID": key}}
    ours("s3").put_bucket_encryption(Bucket="vault", ServerSideEncryptionConfiguration={"Rules": [rule]})
    ours("s3").put_object(Bucket="vault", Key="gold", Body=b"x")
    return {
        "kms:Decrypt on a secret": lambda as_: as_("secretsmanager").get_secret_value(SecretId=secret),
        "kms:GenerateDataKey on a secret": lambda as_: as_("secretsmanager").put_secret_value(
            SecretId=secret, SecretString="y"
        ),
        "kms:GenerateDataKey on a queue": lambda as_: as_("sqs").send_message(QueueUrl=url, MessageBody="x"),
        "kms:Decrypt on a queue": lambda as_: as_("sqs").receive_message(QueueUrl=url),
        "kms:GenerateDataKey on a topic": lambda as_: as_("sns").publish(TopicArn=topic, Message="x"),
        "kms:Decrypt on a table": lambda as_: as_("dynamodb").get_item(TableName="stock", Key={"id": {"S": "tea"}}),
        "kms:Decrypt on a bucket": lambda as_: as_("s3").get_object(Bucket="vault", Key="gold"),
        "kms:GenerateDataKey on a bucket": lambda as_: as_("s3").put_object(Bucket="vault", Key="new", Body=b"x"),
    }


def test_who_uses_what_a_key_encrypts_must_be_allowed_to_use_the_key(shop: Any) -> None:
    target = shop.cloud.target
    key = target.client("kms").create_key()["KeyMetadata"]["Arn"]
    uses = encrypted(shop, key)
    clerk = role(shop, "clerk", ANYBODY)
    services = ("secretsmanager:*", "sqs:*", "sns:*", "dynamodb:*", "s3:*")
    allow(shop, "clerk", *services)
    as_clerk = clients_of(shop, clerk)
    for what, use in uses.items():
        with pytest.raises(ClientError) as denied:
            use(as_clerk)
        told = denied.value.response["Error"]
        assert f"not authorized to perform: {what.split()[0]} on resource: {key}" in told["Message"], what
        assert ("KMS" in told["Code"]) == what.endswith(("queue", "topic")), what
    allow(shop, "clerk", *services, "kms:Decrypt", "kms:GenerateDataKey")
    for use in uses.values():
        use(as_clerk)


def test_a_topic_reaches_a_queue_only_with_the_key_that_encrypts_it(shop: Any) -> None:
    kms, sns = shop.cloud.target.client("kms"), shop.cloud.target.client("sns")
    key = kms.create_key()["KeyMetadata"]
    topic = sns.create_topic(Name="told")["TopicArn"]
    for name in ("locked", "open"):
        arn = shop.queue(name, open_to="sns.amazonaws.com")
        sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    url = shop.sqs.get_queue_url(QueueName="locked")["QueueUrl"]
    shop.sqs.set_queue_attributes(QueueUrl=url, Attributes={"KmsMasterKeyId": key["KeyId"]})
    sns.publish(TopicArn=topic, Message="one")
    assert "one" in shop.received(arn)["Body"]
    policy = json.loads(kms.get_key_policy(KeyId=key["KeyId"], PolicyName="default")["Policy"])
    by_topics = {"Effect": "Allow", "Principal": {"Service": "sns.amazonaws.com"}, "Action": "kms:*", "Resource": "*"}
    policy["Statement"].append(by_topics)
    kms.put_key_policy(KeyId=key["KeyId"], PolicyName="default", Policy=json.dumps(policy))
    sns.publish(TopicArn=topic, Message="two")
    assert "two" in shop.received(arn.replace("open", "locked"))["Body"]
    assert left(shop, "locked") == 0


def tasks_of(shop: Any) -> dict[str, tuple[str, Any, str, str]]:
    """An integration → its arguments, what it asks IAM for, and the error that tells it was refused."""
    ours = shop.cloud.target.client
    queue, function = shop.queue("asked"), shop.function("asked")
    topic = ours("sns").create_topic(Name="asked")["TopicArn"]
    ours("dynamodb").create_table(
        TableName="asked",
        KeySchema=[{"AttributeName": "id", "KeyType": "HASH"}],
        AttributeDefinitions=[{"AttributeName": "id", "AttributeType": "S"}],
        BillingMode="PAY_PER_REQUEST",
    )
    ours("s3").create_bucket(Bucket="asked")
    table = topic.replace(":sns:", ":dynamodb:").replace(":asked", ":table/asked")
    bus = topic.replace(":sns:", ":events:").replace(":asked", ":event-bus/default")
    url = shop.sqs.get_queue_url(QueueName="asked")["QueueUrl"]
    put = {"TableName": "asked", "Item": {"id": {"S": "x"}}}
    entry = {"Source": "test", "DetailType": "test", "Detail": "{}", "EventBusName": "default"}
    return {
        "dynamodb:putItem": (put, "dynamodb:PutItem", table, "DynamoDB.AmazonDynamoDBException"),
        "aws-sdk:dynamodb:transactWriteItems": (
            {"TransactItems": [{"Put": put}]}, "dynamodb:PutItem", table, "DynamoDb.DynamoDbException",
        ),
        "sqs:sendMessage": (
            {"QueueUrl": url, "MessageBody": "x"}, "sqs:SendMessage", queue, "SQS.AmazonSQSException",
        ),
        "sns:publish": ({"TopicArn": topic, "Message": "x"}, "sns:Publish", topic, "SNS.AmazonSNSException"),
        "lambda:invoke": (
            {"FunctionName": function, "Payload": {}}, "lambda:InvokeFunction", function, "Lambda.AWSLambdaException",
        ),
        "events:putEvents": (
            {"Entries": [entry]}, "events:PutEvents", bus, "EventBridge.AmazonEventBridgeException",
        ),
        "aws-sdk:s3:listObjectsV2": ({"Bucket": "asked"}, "s3:ListBucket", "arn:aws:s3:::asked", "S3.S3Exception"),
    }  # fmt: skip


def test_a_task_does_what_the_role_of_its_state_machine_may(shop: Any) -> None:
    states = shop.cloud.target.client("stepfunctions", inject_host_prefix=False)
    worker = role(shop, "worker", {"Service": "states.amazonaws.com"})
    tasks, machines = tasks_of(shop), {}
    for number, (integration, (arguments, *_)) in enumerate(tasks.items()):
        task = {"Type": "Task", "Resource": f"arn:aws:states:::{integration}", "Parameters": arguments, "End": True}
        definition = json.dumps({"StartAt": "Do", "States": {"Do": task}})
        made = states.create_state_machine(
            name=f"asked-{number}", definition=definition, roleArn=worker, type="EXPRESS"
        )
        machines[integration] = made["stateMachineArn"]
    for integration, (_, action, resource, error) in tasks.items():
        allow(shop, "worker", "iam:GetUser")
        ended = states.start_sync_execution(stateMachineArn=machines[integration])
        assert ended["status"] == "FAILED", integration
        assert ended["error"] == error
        assert "assumed-role/worker/" in ended["cause"]
        assert f"not authorized to perform: {action} on resource: {resource}" in ended["cause"]
        allow(shop, "worker", action, resource=resource)
        ended = states.start_sync_execution(stateMachineArn=machines[integration])
        assert ended["status"] == "SUCCEEDED", ended.get("cause")


def test_what_the_role_of_a_replication_may_not_copy_stays_where_it_is(shop: Any) -> None:
    s3 = shop.cloud.target.client("s3")
    copier = role(shop, "copier", {"Service": "s3.amazonaws.com"})
    for name in ("here", "there"):
        s3.create_bucket(Bucket=name)
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
    rule = {
        "ID": "all",
        "Status": "Enabled",
        "Priority": 1,
        "Filter": {"Prefix": ""},
        "DeleteMarkerReplication": {"Status": "Disabled"},
        "Destination": {"Bucket": "arn:aws:s3:::there"},
    }
    s3.put_bucket_replication(Bucket="here", ReplicationConfiguration={"Role": copier, "Rules": [rule]})

    def copied(name: str) -> str:
        s3.put_object(Bucket="here", Key=name, Body=b"x")

        def status() -> str:
            return str(s3.head_object(Bucket="here", Key=name).get("ReplicationStatus", "PENDING"))

        assert until(lambda: status() != "PENDING")
        return status()

    reads = ["s3:GetReplicationConfiguration", "s3:ListBucket", "s3:GetObjectVersion*"]
    allow(shop, "copier", *reads)
    assert copied("one") == "FAILED"
    allow(shop, "copier", *reads, "s3:ReplicateObject")
    assert copied("two") == "COMPLETED"


TEMPLATE = """
Resources:
  Table:
    Type: AWS::DynamoDB::Table
    Properties:
      BillingMode: PAY_PER_REQUEST
      AttributeDefinitions: [{AttributeName: id, AttributeType: S}]
      KeySchema: [{AttributeName: id, KeyType: HASH}]
  Worker:
    Type: AWS::IAM::Role
    Properties: {AssumeRolePolicyDocument: {Statement: []}}
"""


def test_a_template_makes_what_the_role_of_its_stack_may_and_who_gives_it_one_may_pass_it_on(shop: Any) -> None:
    ours, stack = shop.cloud.target.client("cloudformation"), {"StackName": "made", "TemplateBody": TEMPLATE}
    maker = role(shop, "maker", {"Service": "cloudformation.amazonaws.com"})
    clerk = role(shop, "clerk", ANYBODY)
    theirs = clients_of(shop, clerk)("cloudformation")

    def ended() -> str:
        def status() -> str:
            return str(ours.describe_stacks(StackName="made")["Stacks"][0]["StackStatus"])

        assert until(lambda: not status().endswith("PROGRESS"))
        return status()

    allow(shop, "clerk", "cloudformation:*")
    with pytest.raises(ClientError, match=f"iam:PassRole on resource: {maker}"):
        theirs.create_stack(**stack, RoleARN=maker, Capabilities=["CAPABILITY_IAM"])
    allow(shop, "clerk", "cloudformation:*", "iam:PassRole")
    allow(shop, "maker", "dynamodb:*")
    theirs.create_stack(**stack, RoleARN=maker, Capabilities=["CAPABILITY_IAM"])
    assert ended() == "ROLLBACK_COMPLETE"
    told = ours.describe_stack_events(StackName="made")["StackEvents"]
    assert any("assumed-role/maker" in str(one) and "iam:CreateRole" in str(one) for one in told)
    allow(shop, "maker", "dynamodb:*", "iam:*")
    theirs.create_stack(**stack, RoleARN=maker, Capabilities=["CAPABILITY_IAM"])
    assert ended() == "CREATE_COMPLETE"
