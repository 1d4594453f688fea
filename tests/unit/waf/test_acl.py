"""Web ACLs: statements, managed groups, actions."""

from typing import Any

import pytest

from harness.cloud.waf.acl import WebAcl
from harness.cloud.waf.statements import UnsupportedStatementError, WebRequest

SETS = {
    "ips": {"Addresses": ["10.0.0.0/8", "2001:db8::/32"]},
    "patterns": {"RegularExpressionList": [{"RegexString": "^/admin"}]},
}
NO_CHANGE = [{"Priority": 0, "Type": "NONE"}]


def request(**given: Any) -> WebRequest:
    base = {"method": "GET", "path": "/", "query": "", "headers": {"user-agent": "t"}, "body": b"", "ip": "10.1.2.3"}
    return WebRequest(**{**base, **given})


def acl(statement: dict[str, Any], action: str = "Block", **more: Any) -> WebAcl:
    rule = {"Name": "r", "Priority": 0, "Statement": statement, "Action": {action: {}}, **more}
    return WebAcl.of({"Rules": [rule], "DefaultAction": {"Allow": {}}}, SETS.__getitem__)


def on(field: str, **given: Any) -> dict[str, Any]:
    return {"FieldToMatch": {field: given.pop("of", {})}, "TextTransformations": NO_CHANGE, **given}


@pytest.mark.parametrize(
    ("statement", "hit", "miss"),
    [
        ({"IPSetReferenceStatement": {"ARN": "ips"}}, {}, {"ip": "11.0.0.1"}),
        (
            {"IPSetReferenceStatement": {"ARN": "ips", "IPSetForwardedIPConfig": {"HeaderName": "X-Forwarded-For"}}},
            {"ip": "1.1.1.1", "headers": {"x-forwarded-for": "10.9.9.9, 1.1.1.1"}},
            {"headers": {"x-forwarded-for": "8.8.8.8"}},
        ),
        ({"GeoMatchStatement": {"CountryCodes": ["AQ"]}}, {"headers": {"cloudfront-viewer-country": "AQ"}}, {}),
        (
            {"RegexPatternSetReferenceStatement": on("UriPath", ARN="patterns")},
            {"path": "/admin/x"},
            {"path": "/shop"},
        ),
        (
            {"SizeConstraintStatement": on("Body", Size=3, ComparisonOperator="GT")},
            {"body": b"1234"},
            {"body": b"123"},
        ),
        (
            {
                "ByteMatchStatement": on(
                    "SingleHeader", of={"Name": "X-Bot"}, SearchString=b"bad", PositionalConstraint="CONTAINS"
                )
            },
            {"headers": {"x-bot": "a bad one"}},
            {"headers": {"x-bot": "good"}},
        ),
        ({"SqliMatchStatement": on("AllQueryArguments")}, {"query": "id=1'+OR+'1'='1"}, {"query": "id=order"}),
        ({"NotStatement": {"Statement": {"IPSetReferenceStatement": {"ARN": "ips"}}}}, {"ip": "11.0.0.1"}, {}),
    ],
)
def test_a_statement_hits_what_it_says(statement: dict[str, Any], hit: dict[str, Any], miss: dict[str, Any]) -> None:
    assert acl(statement).judge(request(**hit)).blocked
    assert not acl(statement).judge(request(**miss)).blocked


def test_a_rate_counts_each_client_apart() -> None:
    judge = acl({"RateBasedStatement": {"Limit": 2, "AggregateKeyType": "IP"}}).judge
    assert [judge(request(ip="1.1.1.1")).blocked for _ in range(3)] == [False, False, True]
    assert not judge(request(ip="2.2.2.2")).blocked


@pytest.mark.parametrize(("fallback", "no_address"), [("MATCH", True), ("NO_MATCH", False)])
def test_a_rate_of_forwarded_addresses_is_not_about_who_forwards_none(fallback: str, no_address: bool) -> None:
    forwarded = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": fallback}
    statement = {"Limit": 1, "AggregateKeyType": "FORWARDED_IP", "ForwardedIPConfig": forwarded}
    judge = acl({"RateBasedStatement": statement}).judge

    def blocked(**headers: str) -> list[bool]:
        return [judge(request(headers=headers)).blocked for _ in range(2)]

    assert blocked(**{"x-forwarded-for": "1.1.1.1, 9.9.9.9"}) == [False, True]
    assert blocked(**{"x-forwarded-for": "2.2.2.2"}) == [False, True]
    assert blocked(**{"x-forwarded-for": "nobody"}) == [no_address, no_address]
    assert blocked() == [False, False]


@pytest.mark.parametrize(
    ("group", "bad", "rule"),
    [
        ("AWSManagedRulesCommonRuleSet", {"headers": {}}, "NoUserAgent_HEADER"),
        ("AWSManagedRulesCommonRuleSet", {"query": "f=../../etc/passwd"}, "GenericLFI_QUERYARGUMENTS"),
        ("AWSManagedRulesCommonRuleSet", {"body": b"<script>alert(1)</script>"}, "CrossSiteScripting_BODY"),
        ("AWSManagedRulesSQLiRuleSet", {"body": b"1 UNION SELECT password"}, "SQLi_BODY"),
        ("AWSManagedRulesKnownBadInputsRuleSet", {"headers": {"x": "${jndi:ldap://e}"}}, "Log4JRCE_HEADER"),
    ],
)
def test_a_managed_group_blocks_by_the_rule_of_aws_and_counts_when_it_is_told_to(
    group: str, bad: dict[str, Any], rule: str
) -> None:
    statement: dict[str, Any] = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": group}}
    assert acl(statement).judge(request(**bad)).rule == f"r:{rule}"
    assert not acl(statement).judge(request()).blocked
    assert not acl(statement, OverrideAction={"Count": {}}).judge(request(**bad)).blocked
    excluded = {**statement["ManagedRuleGroupStatement"], "ExcludedRules": [{"Name": rule}]}
    assert not acl({"ManagedRuleGroupStatement": excluded}).judge(request(**bad)).blocked


def test_what_is_not_evaluated_is_refused_by_name() -> None:
    with pytest.raises(UnsupportedStatementError, match="AsnMatchStatement"):
        acl({"AsnMatchStatement": {"AsnList": [1]}})
    with pytest.raises(UnsupportedStatementError, match="Captcha"):
        acl({"IPSetReferenceStatement": {"ARN": "ips"}}, "Captcha")
