"""A load balancer: reached by the DNS name that the API gives, with rules, health checks and draining."""

import json
import socket
import ssl
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cloud.authority import Authority
from tests.integration.load_balancing.conftest import Front, Web, to
from tests.waiting import awaited

Webs = Callable[[str], Web]
STATEMENT = {"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})


def rule(front: Front, listener: str, priority: int, conditions: list[Any], actions: list[Any]) -> str:
    made = front.elb.create_rule(ListenerArn=listener, Priority=priority, Conditions=conditions, Actions=actions)
    return str(made["Rules"][0]["RuleArn"])


def test_requests_reach_every_healthy_target_with_what_a_load_balancer_adds(front: Front, webs: Webs) -> None:
    group, one, two = front.group(), webs("one"), webs("two")
    front.listen(to(group))
    front.register(group, one)
    front.register(group, two)
    front.healthy(group, one, two)
    said = Counter(front.get("/x?a=b")[1] for _ in range(10))
    assert said == {"one GET /x?a=b": 5, "two GET /x?a=b": 5}
    headers = one.seen[0]
    assert headers["X-Forwarded-For"] == "127.0.0.1"
    assert (headers["X-Forwarded-Proto"], headers["X-Forwarded-Port"]) == ("http", "80")
    assert headers["X-Amzn-Trace-Id"].startswith("Root=1-")
    assert front.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"] == [
        front.arn
    ]


def test_the_first_rule_that_fits_decides(front: Front, webs: Webs) -> None:
    main, other = front.group(), front.group()
    one, two = webs("one"), webs("two")
    listener = front.listen(to(main))
    rule(front, listener, 30, [{"Field": "path-pattern", "Values": ["/api/*"]}], to(other))
    fixed = {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "418", "MessageBody": "tea"}}
    rule(front, listener, 10, [{"Field": "host-header", "Values": ["*.example.com"]}], [fixed])
    moved = {"Type": "redirect", "RedirectConfig": {"StatusCode": "HTTP_301", "Protocol": "HTTPS", "Port": "443",
             "Path": "/new/#{path}"}}  # fmt: skip
    header = {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-Old", "Values": ["y*"]}}
    rule(front, listener, 20, [header], [moved])
    query = {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "v", "Value": "2"}]}}
    rule(front, listener, 5, [query], to(other))
    front.register(main, one)
    front.register(other, two)
    front.healthy(main, one)
    front.healthy(other, two)
    assert front.get("/")[1].startswith("one ")
    assert front.get("/api/x")[1].startswith("two ")
    assert front.get("/?v=2")[1].startswith("two ")
    assert front.get("/api/x", Host="www.example.com")[:2] == (418, "tea")
    status, _, headers = front.get("/a?b=c", **{"X-Old": "yes"})
    assert (status, headers["Location"]) == (301, "https://127.0.0.1/new/a?b=c")


def test_a_weighted_forward_splits_and_is_shown_as_it_was_put(front: Front, webs: Webs) -> None:
    first, second = front.group(), front.group()
    one, two = webs("one"), webs("two")
    config = {"TargetGroups": [{"TargetGroupArn": first, "Weight": 0}, {"TargetGroupArn": second, "Weight": 7}]}
    listener = front.listen([{"Type": "forward", "ForwardConfig": config}])
    front.register(first, one)
    front.register(second, two)
    front.healthy(first, one)
    front.healthy(second, two)
    assert {front.get()[1] for _ in range(6)} == {"two GET /"}
    (shown,) = front.elb.describe_listeners(ListenerArns=[listener])["Listeners"][0]["DefaultActions"]
    assert shown["ForwardConfig"]["TargetGroups"] == config["TargetGroups"]


def test_a_target_that_fails_its_health_checks_gets_nothing_until_it_is_well(front: Front, webs: Webs) -> None:
    group, one, two = front.group(), webs("one"), webs("two")
    front.listen(to(group))
    front.register(group, one)
    front.register(group, two)
    front.healthy(group, one, two)
    one.health = 500
    awaited(lambda: front.states(group)[one.port] == "unhealthy")
    shown = front.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
    reason = next(s["TargetHealth"] for s in shown if s["Target"]["Port"] == one.port)
    assert reason["Reason"] == "Target.ResponseCodeMismatch"
    assert reason["Description"] == "Health checks failed with these codes: [500]"
    assert {front.get()[1] for _ in range(6)} == {"two GET /"}
    one.health = 200
    front.healthy(group, one)
    assert {front.get()[1] for _ in range(6)} == {"one GET /", "two GET /"}


def test_when_every_target_is_unhealthy_all_are_used(front: Front, webs: Webs) -> None:
    group, one = front.group(), webs("one")
    one.health = 500
    front.listen(to(group))
    front.register(group, one)
    awaited(lambda: front.states(group)[one.port] == "unhealthy")
    assert front.get()[:2] == (200, "one GET /")


def test_a_draining_target_ends_what_it_has_and_gets_no_more(front: Front, webs: Webs) -> None:
    group, one, two = front.group(), webs("one"), webs("two")
    front.listen(to(group))
    front.register(group, one)
    front.healthy(group, one)
    answers: list[str] = []
    asking = threading.Thread(target=lambda: answers.append(front.get("/slow")[1]))
    asking.start()
    awaited(lambda: one.seen)
    front.register(group, two)
    front.healthy(group, two)
    front.elb.deregister_targets(TargetGroupArn=group, Targets=[{"Id": "127.0.0.1", "Port": one.port}])
    assert front.states(group)[one.port] == "draining"
    assert {front.get()[1] for _ in range(4)} == {"two GET /"}
    one.gate.set()
    asking.join(60)
    assert answers == ["one GET /slow"]
    awaited(lambda: one.port not in front.states(group))


def test_without_targets_and_with_a_dead_one_it_answers_itself(front: Front, webs: Webs) -> None:
    group = front.group(HealthCheckEnabled=True)
    front.listen(to(group))
    status, body, headers = front.get()
    assert (status, headers["Server"]) == (503, "awselb/2.0")
    assert "503 Service Temporarily Unavailable" in body
    gone = webs("gone")
    front.register(group, gone)
    front.healthy(group, gone)
    gone.stop()
    awaited(lambda: front.get()[0] == 502)


def presented(front: Front, name: str, trusted: str) -> set[str]:
    """The names of the certificate that a client is shown who asks for a name; verified by what it trusts."""
    context = ssl.create_default_context(cadata=trusted)
    context.check_hostname = False
    host, port = front.dns.rsplit(":", 1)
    with (
        socket.create_connection((host, int(port)), timeout=60) as plain,
        context.wrap_socket(plain, server_hostname=name) as secure,
    ):
        return {value for kind, value in (secure.getpeercert() or {})["subjectAltName"] if kind == "DNS"}


def test_a_listener_presents_the_certificate_of_the_name_that_is_asked_for(front: Front) -> None:
    acm = front.cloud.target.client("acm")
    shop = acm.request_certificate(
        DomainName="shop.example", SubjectAlternativeNames=["shop.example", "*.shop.example"]
    )["CertificateArn"]
    other = acm.request_certificate(DomainName="other.example")["CertificateArn"]
    page = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    listener = front.listen(page, 443, Protocol="HTTPS", Certificates=[{"CertificateArn": shop}])
    trusted = acm.get_certificate(CertificateArn=shop)["CertificateChain"]
    of_shop = {"shop.example", "*.shop.example"}
    assert presented(front, "www.shop.example", trusted) == of_shop
    assert presented(front, "other.example", trusted) == of_shop  # the default, for who asks for another

    elb = front.elb
    elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": other}])
    assert presented(front, "other.example", trusted) == {"other.example"}
    assert presented(front, "a.b.shop.example", trusted) == of_shop
    listed = elb.describe_listener_certificates(ListenerArn=listener)["Certificates"]
    assert [(one["CertificateArn"], one["IsDefault"]) for one in listed] == [(shop, True), (other, False)]
    with pytest.raises(elb.exceptions.CertificateNotFoundException):
        elb.add_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": f"{other[:-4]}none"}])
    with pytest.raises(elb.exceptions.OperationNotPermittedException):
        elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": shop}])
    elb.remove_listener_certificates(ListenerArn=listener, Certificates=[{"CertificateArn": other}])
    assert presented(front, "other.example", trusted) == of_shop


def test_an_imported_certificate_is_presented_as_it_is(front: Front, tmp_path: Path) -> None:
    authority = Authority(tmp_path)
    certificate, key = authority.issue(["mine.example"])
    arn = front.cloud.target.client("acm").import_certificate(
        Certificate=certificate.encode(), PrivateKey=key.encode()
    )
    page = [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200"}}]
    front.listen(page, 443, Protocol="HTTPS", Certificates=[{"CertificateArn": arn["CertificateArn"]}])
    assert presented(front, "mine.example", authority.certificate()) == {"mine.example"}


@pytest.mark.parametrize("port", [8443])
def test_one_name_serves_http_and_https_and_other_listeners_by_host(front: Front, port: int) -> None:
    import urllib.request

    acm = front.cloud.target.client("acm")
    certificate = acm.request_certificate(DomainName="example.com")["CertificateArn"]

    def fixed(text: str) -> list[dict[str, Any]]:
        return [{"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "200", "MessageBody": text}}]

    front.listen(fixed("plain"))
    front.listen(fixed("secret"), 443, Protocol="HTTPS", Certificates=[{"CertificateArn": certificate}])
    front.listen(fixed("other"), port)
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    with urllib.request.urlopen(f"https://{front.dns}/", context=context, timeout=60) as answer:
        assert answer.read() == b"secret"
    assert front.get()[1] == "plain"
    assert front.get(Host=f"example.com:{port}")[1] == "other"


def test_a_function_answers_as_a_target(front: Front) -> None:
    import io
    import zipfile

    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr(
            "app.py",
            "def handler(event, context):\n"
            "    return {'statusCode': 201, 'headers': {'X-A': 'b'}, 'body': event['httpMethod'] + event['path']}\n",
        )
    role = front.cloud.target.client("iam").create_role(
        RoleName="balanced",
        AssumeRolePolicyDocument=TRUST,
    )["Role"]["Arn"]
    function = front.cloud.target.client("lambda").create_function(
        FunctionName="balanced", Runtime="python3.11", Role=role, Handler="app.handler",
        Code={"ZipFile": content.getvalue()},
    )["FunctionArn"]  # fmt: skip
    group = front.group("lambda")
    front.listen(to(group))
    front.elb.register_targets(TargetGroupArn=group, Targets=[{"Id": function}])
    _, body, headers = awaited(lambda: found if (found := front.get("/x", "POST"))[0] == 201 else None)
    assert (body, headers["X-A"]) == ("POST/x", "b")


def test_what_passed_is_published_as_metrics(front: Front, webs: Webs) -> None:
    import datetime as dt

    group, one = front.group(), webs("one")
    front.listen(to(group))
    front.register(group, one)
    front.healthy(group, one)
    for _ in range(3):
        front.get()
    cloudwatch, now = front.cloud.target.client("cloudwatch"), dt.datetime.now(dt.UTC)
    balancer = front.arn.partition("loadbalancer/")[2]
    dimensions = [
        {"Name": "LoadBalancer", "Value": balancer},
        {"Name": "TargetGroup", "Value": group.rpartition(":")[2]},
    ]

    def total(name: str, statistic: str = "Sum") -> float:
        found = cloudwatch.get_metric_statistics(
            Namespace="AWS/ApplicationELB", MetricName=name, Dimensions=dimensions, Period=3600,
            StartTime=now - dt.timedelta(hours=1), EndTime=now + dt.timedelta(hours=1), Statistics=[statistic],
        )["Datapoints"]  # fmt: skip
        return float(sum(point[statistic] for point in found))

    awaited(lambda: total("RequestCount") == 3)  # counted once the answer is out
    awaited(lambda: total("HTTPCode_Target_2XX_Count") == 3)
    awaited(lambda: total("TargetResponseTime", "SampleCount") == 3)
    awaited(lambda: total("HealthyHostCount", "Maximum") == 1)
