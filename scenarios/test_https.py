"""The storefront answers by HTTPS, with a certificate that ACM issued for its name, behind the same firewall."""

import ssl
import urllib.error
import urllib.request
from typing import Any

import pytest

pytestmark = [
    pytest.mark.part("https"),
    pytest.mark.blackstart_requires("ecs"),
    pytest.mark.blackstart_covers("acm", "route53", "elasticloadbalancing", "wafv2"),
]


def get(url: str) -> int:
    """The status. The balancer is asked by its own name, which no certificate of the shop has: it is not verified."""
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        with urllib.request.urlopen(url, timeout=30, context=context) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_the_storefront_answers_by_https(shop: Any, eventually: Any) -> None:
    order_id = shop.place(("tea", 1)).body["order_id"]
    url = shop.outputs["https"]["url"]
    eventually(lambda: get(f"{url}/orders/{order_id}") == 200, what="the order by HTTPS")  # it may be shedding load
    assert get(f"{url}/orders/none?name=tea'%20OR%20'1'='1") == 403


def test_the_certificate_of_its_name_is_issued_and_in_use(shop: Any) -> None:
    https = shop.outputs["https"]
    found = shop.aws("acm").describe_certificate(CertificateArn=https["certificate"])["Certificate"]
    assert (found["DomainName"], found["Status"]) == (https["host"], "ISSUED")
    assert [one["ValidationMethod"] for one in found["DomainValidationOptions"]] == ["DNS"]
    (listener,) = shop.aws("elbv2").describe_listeners(ListenerArns=[https["listener"]])["Listeners"]
    assert [one["CertificateArn"] for one in listener["Certificates"]] == [https["certificate"]]
    assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13")
