"""Input templates of pipes."""

from typing import Any

import pytest

from harness.cloud.pipes.templates import shaped

RECORD = {"messageId": "m", "body": '{"id": 7, "name": "ann", "tags": ["a", "b"], "deep": {"x": true}}'}
NAMES = {"aws.pipes.pipe-name": "p"}


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        ("", RECORD),
        ('{"order": <$.body.id>, "who": <$.body.name>}', {"order": 7, "who": "ann"}),
        ('{"who": "<$.body.name>", "of": "<aws.pipes.pipe-name>"}', {"who": "ann", "of": "p"}),
        ('{"said": "order <$.body.id> of <$.body.name>"}', {"said": "order 7 of ann"}),
        ('{"tag": <$.body.tags[1]>, "deep": <$.body.deep>}', {"tag": "b", "deep": {"x": True}}),
        ('{"none": <$.body.missing>}', {"none": ""}),
        ("order <$.body.id> of <$.body.name>", "order 7 of ann"),
        ("<$.body>", {"id": 7, "name": "ann", "tags": ["a", "b"], "deep": {"x": True}}),
    ],
)
def test_a_record_is_shaped(template: str, expected: Any) -> None:
    assert shaped(template, RECORD, NAMES) == expected
