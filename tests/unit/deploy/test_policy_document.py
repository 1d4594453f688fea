"""The policy document's JSON is the real provider's, to the letter."""

import json
from typing import Any

import pytest

from harness.deploy.providers.aws.policy_document import document, policy_document
from harness.deploy.providers.resource import CheckError


def made(**arguments: Any) -> Any:
    return json.loads(policy_document(arguments))


def test_the_text_is_that_of_the_real_provider() -> None:
    # The first statements of the provider's own documentation, and what it gives for them.
    text = policy_document(
        {
            "statements": [
                {
                    "sid": "1",
                    "actions": ["s3:ListAllMyBuckets", "s3:GetBucketLocation"],
                    "resources": ["arn:aws:s3:::*"],
                },
                {
                    "actions": ["s3:ListBucket"],
                    "resources": ["arn:aws:s3:::b"],
                    "conditions": [
                        {"test": "StringLike", "variable": "s3:prefix", "values": ["", "home/&{aws:username}/"]}
                    ],
                },
            ]
        }
    )  # fmt: skip
    assert (
        text
        == """{
  "Version": "2012-10-17",
  "Statement": [
    {
      "Sid": "1",
      "Effect": "Allow",
      "Action": [
        "s3:ListAllMyBuckets",
        "s3:GetBucketLocation"
      ],
      "Resource": "arn:aws:s3:::*"
    },
    {
      "Effect": "Allow",
      "Action": "s3:ListBucket",
      "Resource": "arn:aws:s3:::b",
      "Condition": {
        "StringLike": {
          "s3:prefix": [
            "",
            "home/${aws:username}/"
          ]
        }
      }
    }
  ]
}"""
    )


def test_principals_stand_alone_or_by_type() -> None:
    def principal(*given: tuple[str, list[str]], key: str = "principals", member: str = "Principal") -> Any:
        blocks = [{"type": kind, "identifiers": names} for kind, names in given]
        return made(statements=[{"actions": ["a:b"], key: blocks}])["Statement"][0][member]

    assert principal(("*", ["*"])) == "*"
    assert principal(("AWS", ["*"])) == {"AWS": "*"}
    assert principal(("Service", ["a", "b"]), ("AWS", ["1"])) == {"AWS": "1", "Service": ["b", "a"]}
    assert principal(("AWS", ["1"]), ("AWS", ["2"])) == {"AWS": ["1", "2"]}
    assert principal(("AWS", ["1"]), key="notPrincipals", member="NotPrincipal") == {"AWS": "1"}


def test_negations_conditions_and_the_id() -> None:
    found = made(
        policyId="shop",
        version="2008-10-17",
        statements=[
            {
                "effect": "Deny",
                "notActions": ["iam:*"],
                "notResources": ["b", "a"],
                "conditions": [
                    {"test": "Bool", "variable": "x", "values": ["true"]},
                    {"test": "StringEquals", "variable": "y", "values": ["2", "1"]},
                    {"test": "StringEquals", "variable": "y", "values": ["3"]},
                ],
            }
        ],
    )
    assert found == {
        "Version": "2008-10-17",
        "Id": "shop",
        "Statement": [
            {
                "Effect": "Deny",
                "NotAction": "iam:*",
                "NotResource": ["b", "a"],
                "Condition": {"Bool": {"x": "true"}, "StringEquals": {"y": ["2", "1", "3"]}},
            }
        ],
    }


def test_sources_come_first_and_overrides_take_the_place_of_their_namesakes() -> None:
    source = json.dumps(
        {
            "Version": "2012-10-17",
            "Id": "old",
            "Statement": {
                "Sid": "A",
                "Effect": "Allow",
                "Action": ["s3:Get"],
                "Resource": ["b", "a"],
                "Principal": {"AWS": ["1", "2"]},
                "Condition": {"Bool": {"x": True}, "StringLike": {"y": ["z"]}},
            },
        }
    )
    override = json.dumps({"Statement": [{"Sid": "B", "Effect": "Deny", "Action": "*", "Resource": "*"}]})
    found = made(
        sourcePolicyDocuments=[source, ""],
        overridePolicyDocuments=[override],
        statements=[{"sid": "B", "actions": ["a:b"]}, {"actions": ["c:d"]}],
    )
    assert found["Id"] == "old"
    assert found["Statement"] == [
        {
            "Sid": "A",
            "Effect": "Allow",
            "Action": ["s3:Get"],
            "Resource": ["b", "a"],
            "Principal": {"AWS": ["2", "1"]},
            "Condition": {"Bool": {"x": "true"}, "StringLike": {"y": "z"}},
        },
        {"Sid": "B", "Effect": "Deny", "Action": "*", "Resource": "*"},
        {"Effect": "Allow", "Action": "c:d"},
    ]


def test_a_sid_twice_and_a_document_that_is_none_are_refused() -> None:
    with pytest.raises(CheckError, match="statements: two statements have the sid A"):
        made(statements=[{"sid": "A"}, {"sid": "A"}])
    with pytest.raises(CheckError, match=r"sourcePolicyDocuments\[0\]: is not JSON"):
        made(sourcePolicyDocuments=["{"])


def test_the_short_form_says_the_same_and_letters_are_escaped_as_go_does() -> None:
    told = document(None, {"statements": [{"actions": ["a:b"], "resources": ["<&>"]}]})  # type: ignore[arg-type]
    assert "\\u003c\\u0026\\u003e" in told["json"]
    assert json.loads(told["minifiedJson"]) == json.loads(told["json"])
    assert " " not in told["minifiedJson"]
    assert made() == {"Version": "2012-10-17"}
