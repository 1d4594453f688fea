"""AWS WAF in front of a load balancer: its web ACL blocks, counts, samples, and lets through."""

import datetime as dt
from typing import Any

import pytest

from tests import asking
from tests.integration.load_balancing.conftest import Front

SAID = {"StatusCode": "200", "MessageBody": "in", "ContentType": "text/plain"}
FIXED = [{"Type": "fixed-response", "FixedResponseConfig": SAID}]
NOTHING = [{"Priority": 0, "Type": "NONE"}]
ATTACK = "?id=1'%20OR%20'1'='1"


def ask(front: Front, path: str = "/", *, body: bytes | None = None, **headers: str) -> tuple[int, str]:
    return asking.ask(f"http://{front.dns}{path}", body=body, **headers)


def rule(name: str, priority: int, statement: dict[str, Any], action: str = "Block", **more: Any) -> dict[str, Any]:
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
    given = {"Name": name, "Priority": priority, "Statement": statement, "VisibilityConfig": seen, **more}
    return given if "OverrideAction" in more else {**given, "Action": {action: {}}}


@pytest.fixture
def shield(front: Front) -> tuple[Any, str]:
    """A client, and the ARN of a web ACL with a rule of every kind."""
    waf = front.cloud.target.client("wafv2")
    name = front.arn.rpartition("/")[2]
    scope: dict[str, Any] = {"Name": name, "Scope": "REGIONAL"}
    ips = waf.create_ip_set(**scope, IPAddressVersion="IPV4", Addresses=["9.9.9.0/24"])["Summary"]["ARN"]
    paths = waf.create_regex_pattern_set(**scope, RegularExpressionList=[{"RegexString": "^/admin"}])["Summary"]
    forwarded = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH", "Position": "FIRST"}
    path = {"FieldToMatch": {"UriPath": {}}, "TextTransformations": NOTHING}
    size = {"FieldToMatch": {"Body": {}}, "TextTransformations": NOTHING, "ComparisonOperator": "GT", "Size": 2000}
    slow = {"Limit": 10, "AggregateKeyType": "CONSTANT"}
    login = {"ByteMatchStatement": {**path, "SearchString": b"/login", "PositionalConstraint": "EXACTLY"}}
    home = {"ByteMatchStatement": {**path, "SearchString": b"/", "PositionalConstraint": "EXACTLY"}}
    rules = [
        rule("ips", 0, {"IPSetReferenceStatement": {"ARN": ips, "IPSetForwardedIPConfig": forwarded}}),
        rule("paths", 1, {"RegexPatternSetReferenceStatement": {"ARN": paths["ARN"], **path}}),
        rule("size", 2, {"SizeConstraintStatement": size}),
        rule("geo", 3, {"GeoMatchStatement": {"CountryCodes": ["AQ"]}}),
        rule("rate", 4, {"RateBasedStatement": {**slow, "ScopeDownStatement": login}}),
        rule("look", 5, home, "Count"),
        rule("sqli", 6, {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesSQLiRuleSet"}},
             OverrideAction={"None": {}}),
    ]  # fmt: skip
    seen = {"SampledRequestsEnabled": True, "CloudWatchMetricsEnabled": True, "MetricName": name}
    made = waf.create_web_acl(**scope, DefaultAction={"Allow": {}}, VisibilityConfig=seen, Rules=rules)
    return waf, made["Summary"]["ARN"]


def test_a_web_acl_guards_a_load_balancer(front: Front, shield: tuple[Any, str]) -> None:
    waf, acl = shield
    front.listen(FIXED)
    assert ask(front, ATTACK) == (200, "in")
    waf.associate_web_acl(WebACLArn=acl, ResourceArn=front.arn)
    assert ask(front) == (200, "in")
    status, page = ask(front, ATTACK)
    assert (status, "403 Forbidden" in page) == (403, True)
    assert ask(front, **{"X-Forwarded-For": "9.9.9.9"})[0] == 403
    assert ask(front, "/admin/users")[0] == 403
    assert [ask(front, body=b"x" * size)[0] for size in (2000, 2001)] == [200, 403]
    assert ask(front, **{"CloudFront-Viewer-Country": "AQ"})[0] == 403
    assert [ask(front, "/login")[0] for _ in range(11)] == [200] * 10 + [403]

    watch, now = front.cloud.target.client("cloudwatch"), dt.datetime.now(dt.UTC)
    within = {"StartTime": now - dt.timedelta(hours=1), "EndTime": now + dt.timedelta(hours=1)}

    def total(name: str, which: str) -> float:
        of = {"Region": "us-east-1", "Rule": which, "WebACL": front.arn.rpartition("/")[2]}
        points = watch.get_metric_statistics(
            Namespace="AWS/WAFV2", MetricName=name, Period=7200, Statistics=["Sum"], **within,
            Dimensions=[{"Name": key, "Value": value} for key, value in of.items()],
        )["Datapoints"]  # fmt: skip
        return float(sum(point["Sum"] for point in points))

    assert total("BlockedRequests", "ALL") == 6
    assert total("BlockedRequests", "rate") == 1
    assert total("CountedRequests", "look") == 3  # `/`, the attack on it, a body of 2,000
    assert total("AllowedRequests", "Default_Action") == 12

    def sampled(metric: str) -> list[tuple[str, str]]:
        found = waf.get_sampled_requests(
            WebAclArn=acl, RuleMetricName=metric, Scope="REGIONAL", TimeWindow=within, MaxItems=100
        )["SampledRequests"]
        return [(one["Action"], one["Request"]["URI"]) for one in found]

    assert sampled("paths") == [("BLOCK", "/admin/users")]
    assert sampled("look") == [("COUNT", "/")] * 3
    assert len(sampled(front.arn.rpartition("/")[2])) == 12

    waf.disassociate_web_acl(ResourceArn=front.arn)
    assert ask(front, ATTACK) == (200, "in")


def test_a_load_balancer_that_is_not_there_has_no_web_acl(front: Front, shield: tuple[Any, str]) -> None:
    waf, acl = shield
    with pytest.raises(waf.exceptions.WAFNonexistentItemException, match="gone"):
        waf.associate_web_acl(WebACLArn=acl, ResourceArn=front.arn.replace("app/", "app/gone-"))
