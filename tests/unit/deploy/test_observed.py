"""What AWS answers in the form of the inputs: drift is found, and differences of form are not drift."""

import pytest

from harness.deploy.engine.values import Archive
from harness.deploy.providers.aws.observed import comparable
from harness.deploy.providers.aws.schema.model import PropertyType
from harness.deploy.providers.local_type import LocalType
from harness.deploy.providers.resource import Observation

TEXT, NUMBER = PropertyType(kind="string"), PropertyType(kind="integer")
BLOCK = PropertyType(kind="object", properties={"name": TEXT, "size": NUMBER})
KIND = PropertyType(
    kind="object",
    properties={
        "size": NUMBER,
        "tags": PropertyType(kind="map", element=TEXT),
        "block": BLOCK,
        "blocks": PropertyType(kind="list", element=BLOCK),
        "names": PropertyType(kind="list", element=TEXT),
        "policy": TEXT,
    },
)


@pytest.mark.parametrize(
    ("known", "seen"),
    [
        ({"size": 30}, {"size": "30"}),
        ({"on": False}, {"on": None}),
        ({"on": True}, {"on": "true"}),
        ({"names": ["b", "a"]}, {"names": ["a", "b"]}),
        ({"block": {"name": "x"}}, {"block": {"name": "x", "size": 5}}),
        ({"blocks": [{"name": "x"}]}, {"blocks": {"name": "x", "size": 5}}),
        ({"blocks": [{"name": "y"}, {"name": "x"}]}, {"blocks": [{"name": "x", "size": 1}, {"name": "y"}]}),
        ({"policy": '{"a": 1, "b": 2}'}, {"policy": '{"b":2,"a":1}'}),
        ({"tags": {}}, {"tags": None}),
    ],
)
def test_a_difference_of_form_is_no_drift(known, seen):
    assert comparable(KIND, known, seen, frozenset({"policy"})) == known


@pytest.mark.parametrize(
    ("known", "seen", "drifted"),
    [
        ({"size": 30}, {"size": "60"}, {"size": 60}),
        ({"tags": {"a": "1"}}, {"tags": {"a": "1", "b": "2"}}, {"tags": {"a": "1", "b": "2"}}),
        ({"tags": {"a": "1"}}, {"tags": {}}, {"tags": {}}),
        ({"block": {"size": 1}}, {"block": {"size": 2, "name": "x"}}, {"block": {"size": 2}}),
        ({"names": ["b", "a"]}, {"names": ["a", "b", "c"]}, {"names": ["b", "a", "c"]}),
        ({"names": ["b", "a"]}, {"names": ["a"]}, {"names": ["a"]}),
        ({"policy": '{"a": 1}'}, {"policy": '{"a": 2}'}, {"policy": '{"a": 2}'}),
        ({"on": True}, {"on": "false"}, {"on": False}),
    ],
)
def test_a_difference_of_meaning_is_drift(known, seen, drifted):
    assert comparable(KIND, known, seen, frozenset({"policy"})) == drifted


def test_what_aws_does_not_tell_and_what_is_not_on_aws_is_left_out():
    known = {"size": 1, "forceDestroy": True, "code": Archive("path", "x", "h")}
    assert comparable(KIND, known, {"forceDestroy": False, "code": "x", "other": 1}, frozenset()) == {}


def test_what_only_the_checkpoint_knows_is_never_gone():
    kind = LocalType()
    seen = kind.observe(None, "random", {"length": 8})
    assert seen == Observation({}, {"length": 8})
