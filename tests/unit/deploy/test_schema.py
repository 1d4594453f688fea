"""Inputs are checked against the SDK's own types, with the path and the nearest valid name."""

import json
from typing import Any

import pytest

from harness.deploy.providers.aws import registry
from harness.deploy.providers.aws.schema.check import failures
from harness.deploy.providers.aws.schema.model import TYPES_FOLDER, schema_of

QUEUE = "aws:sqs/queue:Queue"
ITEM = "aws:dynamodb/tableItem:TableItem"
FUNCTION = "aws:lambda/function:Function"


@pytest.mark.parametrize(
    ("token", "inputs", "said"),
    [
        (QUEUE, {"visibilityTimeoutSecond": 3}, "visibilityTimeoutSecond: is not a property of this type"),
        (QUEUE, {"visibilityTimeoutSeconds": "soon"}, "visibilityTimeoutSeconds: expected integer, got a string"),
        (QUEUE, {"tags": ["a"]}, "tags: expected a map, got a list"),
        (QUEUE, {"fifoQueue": "maybe"}, "fifoQueue: expected boolean, got a string"),
        (FUNCTION, {"role": "r", "vpcConfig": {"subnetIds": ["s"]}}, "vpcConfig.securityGroupIds: is required"),
        (FUNCTION, {"role": "r", "environment": {"variable": {}}}, "environment.variable: is not a property"),
        (ITEM, {"item": "{}", "tableName": "t"}, "hashKey: is required"),
    ],
)
def test_a_wrong_input_is_named_with_its_path(token: str, inputs: dict[str, Any], said: str) -> None:
    found = [f"{path}: {reason}" for path, reason in failures(schema_of(token).inputs, inputs)]
    assert any(text.startswith(said) for text in found), found


def test_the_nearest_valid_name_is_given() -> None:
    ((_, reason),) = failures(schema_of(QUEUE).inputs, {"visibilityTimeoutSecond": 3})
    assert "visibilityTimeoutSeconds" in reason


@pytest.mark.parametrize(
    ("token", "inputs"),
    [
        (QUEUE, {"name": "q", "delaySeconds": "5", "fifoQueue": "true", "tags": {"a": "b"}}),
        (QUEUE, {"delaySeconds": object()}),  # not known yet in a preview
        (FUNCTION, {"role": "r", "vpcConfig": [{"subnetIds": ["s"], "securityGroupIds": ["g"]}]}),
    ],
)
def test_what_the_real_provider_takes_is_taken(token: str, inputs: dict[str, Any]) -> None:
    assert list(failures(schema_of(token).inputs, inputs)) == []


def test_every_handler_has_a_schema() -> None:
    written = [json.loads(path.read_text()) for path in TYPES_FOLDER.glob("*.json")]
    assert {token for types in written for token in types} == set(registry().resources)
