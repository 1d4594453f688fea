"""The schema registry over boto3: what is put comes back by version, and discovery learns from events that pass."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.waiting import until

BUS = "arn:aws:events:us-east-1:000000000000:event-bus/orders"
DISCOVERED = "discovered-schemas"


@pytest.fixture
def schemas(cloud: Any) -> Any:
    return cloud.target.client("schemas")


def document(**properties: str) -> str:
    shown = {name: {"type": kind} for name, kind in properties.items()}
    order = {"type": "object", "properties": shown}
    info = {"title": "Order", "version": "1.0.0"}
    return json.dumps({"openapi": "3.0.0", "info": info, "paths": {}, "components": {"schemas": {"Order": order}}})


def refused(code: str) -> Any:
    return pytest.raises(ClientError, match=code)


def test_schemas_have_versions_and_are_found_by_their_words(schemas: Any) -> None:
    schemas.create_registry(RegistryName="shop", Description="ours", Tags={"team": "a"})
    key = {"RegistryName": "shop", "SchemaName": "order@placed"}
    schemas.create_schema(**key, Type="OpenApi3", Content=document(id="string"))
    made = schemas.update_schema(**key, Content=document(id="string", total="number"))
    assert made["SchemaVersion"] == "2"
    assert "total" not in schemas.describe_schema(**key, SchemaVersion="1")["Content"]
    assert "total" in schemas.describe_schema(**key)["Content"]
    assert [one["SchemaVersion"] for one in schemas.list_schema_versions(**key)["SchemaVersions"]] == ["1", "2"]
    (hit,) = schemas.search_schemas(RegistryName="shop", Keywords="ORDER total")["Schemas"]
    assert [one["SchemaVersion"] for one in hit["SchemaVersions"]] == ["2"]
    exported = json.loads(schemas.export_schema(**key, Type="JSONSchemaDraft4")["Content"])
    assert exported["properties"]["total"] == {"type": "number"}
    arn = schemas.describe_registry(RegistryName="shop")["RegistryArn"]
    schemas.tag_resource(ResourceArn=arn, Tags={"stage": "b"})
    schemas.untag_resource(ResourceArn=arn, TagKeys=["team"])
    assert schemas.list_tags_for_resource(ResourceArn=arn)["Tags"] == {"stage": "b"}
    schemas.delete_schema_version(**key, SchemaVersion="1")
    (left,) = schemas.list_schemas(RegistryName="shop", SchemaNamePrefix="order")["Schemas"]
    assert left["VersionCount"] == 1
    with refused("BadRequestException"):
        schemas.delete_registry(RegistryName="shop")
    schemas.delete_schema(**key)
    schemas.delete_registry(RegistryName="shop")
    assert schemas.list_registries()["Registries"] == []


def test_what_is_wrong_or_lacking_is_refused_by_name(schemas: Any) -> None:
    schemas.create_registry(RegistryName="shop")
    key = {"RegistryName": "shop", "SchemaName": "a"}
    with refused("ConflictException"):
        schemas.create_registry(RegistryName="shop")
    with refused("no OpenAPI 3 document"):
        schemas.create_schema(**key, Type="OpenApi3", Content="{}")
    with refused("NotFoundException"):
        schemas.describe_schema(**key)
    schemas.create_schema(**key, Type="JSONSchemaDraft4", Content="{}")
    with refused("lacks DescribeCodeBinding of schemas"):
        schemas.describe_code_binding(**key, Language="Python36")
    with refused("BadRequestException"):
        schemas.create_discoverer(SourceArn=BUS)
    policy = json.dumps({"Version": "2012-10-17", "Statement": []})
    put = schemas.put_resource_policy(RegistryName="shop", Policy=policy)
    assert json.loads(schemas.get_resource_policy(RegistryName="shop")["Policy"]) == json.loads(policy)
    with refused("PreconditionFailedException"):
        schemas.put_resource_policy(RegistryName="shop", Policy=policy, RevisionId=put["RevisionId"] + "0")


def test_a_discoverer_learns_from_events_that_pass_and_makes_a_version_when_their_shape_changes(
    cloud: Any, schemas: Any
) -> None:
    events, sqs = cloud.target.client("events"), cloud.target.client("sqs")
    told = sqs.create_queue(QueueName="told")["QueueUrl"]
    events.put_rule(Name="new", EventPattern=json.dumps({"source": ["aws.schemas"]}))
    arn = "arn:aws:sqs:us-east-1:000000000000:told"
    allow = {"Effect": "Allow", "Principal": {"Service": "events.amazonaws.com"}, "Action": "*", "Resource": arn}
    policy = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
    sqs.set_queue_attributes(QueueUrl=told, Attributes={"Policy": policy})
    events.put_targets(Rule="new", Targets=[{"Id": "q", "Arn": arn}])
    events.create_event_bus(Name="orders")

    def put(detail: Any, bus: str = "orders") -> None:
        entry = {"Source": "shop", "DetailType": "order placed", "Detail": json.dumps(detail), "EventBusName": bus}
        assert events.put_events(Entries=[entry])["FailedEntryCount"] == 0

    def versions() -> list[str]:
        try:
            found = schemas.list_schema_versions(RegistryName=DISCOVERED, SchemaName="shop@OrderPlaced")
        except schemas.exceptions.NotFoundException:
            return []
        return [one["SchemaVersion"] for one in found["SchemaVersions"]]

    put({"id": "before"})
    made = schemas.create_discoverer(SourceArn=BUS)
    put({"id": "a"}, bus="default")
    assert versions() == []  # neither what came before nor what goes over another bus
    put({"id": "a", "total": 5})
    put({"id": "b", "total": 7})
    assert versions() == ["1"]
    put({"id": "c", "total": 7, "coupon": {"code": "x"}})
    put({"id": "d", "total": 7})
    assert versions() == ["1", "2"]
    content = json.loads(schemas.describe_schema(RegistryName=DISCOVERED, SchemaName="shop@OrderPlaced")["Content"])
    detail = content["components"]["schemas"]["OrderPlaced"]
    assert detail["required"] == ["id", "total"]
    assert detail["properties"]["coupon"] == {"$ref": "#/components/schemas/Coupon"}
    assert schemas.stop_discoverer(DiscovererId=made["DiscovererId"])["State"] == "STOPPED"
    put({"other": 1})
    assert versions() == ["1", "2"]

    heard: list[tuple[str, str]] = []

    def hear() -> bool:
        found = sqs.receive_message(QueueUrl=told, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        for message in found.get("Messages", ()):
            event = json.loads(message["Body"])
            heard.append((event["detail-type"], event["detail"]["Version"]))
            sqs.delete_message(QueueUrl=told, ReceiptHandle=message["ReceiptHandle"])
        return len(heard) >= 3

    assert until(hear)
    assert sorted(heard) == [
        ("Schema Created", "1"), ("Schema Version Created", "1"), ("Schema Version Created", "2"),
    ]  # fmt: skip


def test_a_sample_is_described_without_a_bus(schemas: Any) -> None:
    event = {"detail-type": "a", "source": "s", "detail": {"n": 1}}
    found = schemas.get_discovered_schema(Type="JSONSchemaDraft4", Events=[json.dumps(event)])
    assert json.loads(found["Content"])["definitions"]["A"]["properties"] == {"n": {"type": "integer"}}
