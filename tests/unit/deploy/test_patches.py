"""API Gateway's patch operations: what the provider computes, the emulator applies."""

import copy
from typing import Any

import pytest

from harness.cloud.gaps.json_patch import apply_patch
from harness.deploy.providers.aws.patches import patches


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"name": "a"}, {"name": "b"}),
        ({"variables": {"a": "1", "b": "2"}}, {"variables": {"b": "3", "c": "4"}}),
        ({"requestTemplates": {"application/json": "x"}}, {"requestTemplates": {"text/plain": "y", "a~b": "z"}}),
        ({"binaryMediaTypes": ["image/png", "a/b"]}, {"binaryMediaTypes": ["a/b", "image/gif"]}),
        ({"authorizationScopes": ["a"]}, {"authorizationScopes": []}),
        ({"timeoutInMillis": 29000, "apiKeyRequired": False}, {"timeoutInMillis": 50, "apiKeyRequired": True}),
        ({}, {"quota": {"limit": 5, "period": "DAY"}, "throttle": {"rateLimit": 0.5}}),
    ],
)
def test_the_patches_from_old_to_new_make_new_of_old(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert apply_patch(copy.deepcopy(old), patches(old, new)) == new


def test_equal_settings_need_no_patch() -> None:
    settings = {"a": {"b": [1, 2]}, "c": "d"}
    assert list(patches(settings, copy.deepcopy(settings))) == []


def test_an_item_may_be_named_in_the_path() -> None:
    operations = [
        {"op": "add", "path": "/binaryMediaTypes/image~1png"},
        {"op": "add", "path": "/binaryMediaTypes/a~1b"},
        {"op": "remove", "path": "/binaryMediaTypes/image~1png"},
    ]
    assert apply_patch({}, operations) == {"binaryMediaTypes": ["a/b"]}


def test_a_stage_joins_a_usage_plan_by_its_name() -> None:
    joined = apply_patch({}, [{"op": "add", "path": "/apiStages", "value": "api:v1"}])
    assert joined == {"apiStages": [{"apiId": "api", "stage": "v1"}]}
