"""AWS WAF over boto3 and HTTP: a stage's web ACL blocks, counts, and lets through."""

from typing import Any

import pytest

from tests.asking import ask
from tests.waiting import until

REGION = "us-east-1"
SEEN = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": True, "MetricName": "m"}


@pytest.fixture
def stage(cloud: Any) -> tuple[str, str]:
    """The URL and the ARN of a stage that answers 200 by itself."""
    apis = cloud.target.client("apigateway")
    api = apis.create_rest_api(name="shop")["id"]
    root = apis.get_resources(restApiId=api)["items"][0]["id"]
    at = {"restApiId": api, "resourceId": root, "httpMethod": "GET"}
    apis.put_method(**at, authorizationType="NONE")
    apis.put_integration(**at, type="MOCK", requestTemplates={"application/json": '{"statusCode": 200}'})
    apis.put_method_response(**at, statusCode="200")
    apis.put_integration_response(**at, statusCode="200")
    apis.create_deployment(restApiId=api, stageName="live")
    return (
        f"{cloud.target.endpoint}/_aws/execute-api/{api}/live/",
        f"arn:aws:apigateway:{REGION}::/restapis/{api}/stages/live",
    )


def rule(name: str, priority: int, statement: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"Name": name, "Priority": priority, "Statement": statement, "VisibilityConfig": SEEN, **more}


def test_a_stage_blocks_what_its_web_acl_blocks(cloud: Any, stage: tuple[str, str]) -> None:
    url, arn = stage
    waf = cloud.target.client("wafv2")
    ips = waf.create_ip_set(Name="bad", Scope="REGIONAL", IPAddressVersion="IPV4", Addresses=["9.9.9.0/24"])
    forwarded = {"HeaderName": "X-Forwarded-For", "FallbackBehavior": "NO_MATCH", "Position": "FIRST"}
    from_bad = {"IPSetReferenceStatement": {"ARN": ips["Summary"]["ARN"], "IPSetForwardedIPConfig": forwarded}}
    managed = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesSQLiRuleSet"}}
    acl = waf.create_web_acl(
        Name="shield",
        Scope="REGIONAL",
        DefaultAction={"Allow": {}},
        VisibilityConfig=SEEN,
        Rules=[
            rule("bad-ips", 0, from_bad, Action={"Block": {"CustomResponse": {"ResponseCode": 418}}}),
            rule("sqli", 1, managed, OverrideAction={"None": {}}),
        ],
    )["Summary"]
    assert ask(url)[0] == 200
    waf.associate_web_acl(WebACLArn=acl["ARN"], ResourceArn=arn)
    assert ask(url)[0] == 200
    assert ask(f"{url}?id=1'%20OR%20'1'='1") == (403, '{"message":"Forbidden"}')
    assert ask(url, **{"X-Forwarded-For": "9.9.9.9"})[0] == 418
    watch = cloud.target.client("cloudwatch")

    def blocking() -> set[str]:
        found = watch.list_metrics(Namespace="AWS/WAFV2", MetricName="BlockedRequests")["Metrics"]
        return {one["Value"] for metric in found for one in metric["Dimensions"] if one["Name"] == "Rule"}

    assert until(lambda: blocking() == {"ALL", "bad-ips", "sqli:SQLi_QUERYARGUMENTS"}), blocking()
    waf.disassociate_web_acl(ResourceArn=arn)
    assert ask(f"{url}?id=1'%20OR%20'1'='1")[0] == 200


def test_a_web_acl_that_could_not_be_obeyed_is_refused_by_name(cloud: Any) -> None:
    waf = cloud.target.client("wafv2")
    bots = {"ManagedRuleGroupStatement": {"VendorName": "AWS", "Name": "AWSManagedRulesBotControlRuleSet"}}
    with pytest.raises(waf.exceptions.WAFInvalidParameterException, match="AWSManagedRulesBotControlRuleSet is not"):
        waf.create_web_acl(
            Name="shield",
            Scope="REGIONAL",
            DefaultAction={"Allow": {}},
            VisibilityConfig=SEEN,
            Rules=[rule("bots", 0, bots, OverrideAction={"None": {}})],
        )
