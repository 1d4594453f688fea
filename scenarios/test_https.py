"""The storefront answers by HTTPS, with a certificate that ACM issued for its name, behind the same firewall."""

import contextlib
import http.client
import socket
import ssl
from typing import Any
from urllib.parse import urlsplit

import pytest

pytestmark = [
    pytest.mark.part("https"),
    pytest.mark.blackstart_requires("ecs"),
    pytest.mark.blackstart_covers("acm", "route53", "elasticloadbalancing", "wafv2"),
]


class Named(http.client.HTTPSConnection):
    """A connection to the load balancer by the shop's name, which no DNS of this machine may know.

    Who issued the certificate is trusted, and that it is for this name is checked.
    """

    def __init__(self, shop: Any) -> None:
        https = shop.outputs["https"]
        chain = shop.aws("acm").get_certificate(CertificateArn=https["certificate"])["CertificateChain"]
        where = urlsplit(https["url"])
        super().__init__(https["host"], timeout=30, context=ssl.create_default_context(cadata=chain))
        self._address = (where.hostname, where.port or 443)

    def connect(self) -> None:
        """Its name is asked for and verified; its address is the load balancer's."""
        plain = socket.create_connection(self._address, self.timeout)
        self.sock = self._context.wrap_socket(plain, server_hostname=self.host)

    def status(self, path: str) -> int:
        """What GET is answered with."""
        self.request("GET", path)
        answer = self.getresponse()
        answer.read()
        return answer.status


def test_the_storefront_answers_by_https_under_its_name(shop: Any, eventually: Any) -> None:
    order_id = shop.place(("tea", 1)).body["order_id"]
    with contextlib.closing(Named(shop)) as named:
        eventually(lambda: named.status(f"/orders/{order_id}") == 200, what="the order")  # it may be shedding load


@pytest.mark.part("firewall")
def test_the_firewall_stands_before_https_too(shop: Any) -> None:
    with contextlib.closing(Named(shop)) as named:
        assert named.status("/orders/none?name=tea'%20OR%20'1'='1") == 403


def test_the_certificate_is_for_no_other_name(shop: Any) -> None:
    with contextlib.closing(Named(shop)) as named:
        named.host = "somebody.else.example"
        with pytest.raises(ssl.SSLCertVerificationError):
            named.connect()


def test_the_certificate_of_its_name_is_issued_and_in_use(shop: Any) -> None:
    https = shop.outputs["https"]
    found = shop.aws("acm").describe_certificate(CertificateArn=https["certificate"])["Certificate"]
    assert (found["DomainName"], found["Status"]) == (https["host"], "ISSUED")
    assert [one["ValidationMethod"] for one in found["DomainValidationOptions"]] == ["DNS"]
    (listener,) = shop.aws("elbv2").describe_listeners(ListenerArns=[https["listener"]])["Listeners"]
    assert [one["CertificateArn"] for one in listener["Certificates"]] == [https["certificate"]]
    assert listener["SslPolicy"].startswith("ELBSecurityPolicy-TLS13")
