"""The table of homes against the emulators themselves: it fails when an upgrade moves a service."""

import asyncio
from typing import Any

import botocore.session
import pytest

from harness.cloud.homes import FULLER_IN_MOTO, MINISTACK, MOTO, OURS
from harness.cloud.models import Models
from harness.cloud.service_names import services_signing_as


def signing_name(service: str) -> str:
    metadata = Models().get(service)["metadata"]
    return str(metadata.get("signingName", metadata["endpointPrefix"]))


async def answers(service: str) -> bool:
    """Whether ministack, asked in process, sees a service of its own in a call signed for `service`."""
    from ministack.app import app

    said: list[Any] = []
    scope = f"Credential=test/20260101/us-east-1/{signing_name(service)}/aws4_request"
    headers = [(b"host", b"127.0.0.1"), (b"authorization", f"AWS4-HMAC-SHA256 {scope}, Signature=0".encode())]
    request = {"type": "http", "method": "POST", "path": "/", "query_string": b"", "headers": headers}

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await app(request, receive, send)
    return b"Unsupported service" not in b"".join(m.get("body", b"") for m in said)


def test_ministack_answers_the_services_that_live_there_and_no_other_of_the_table() -> None:
    async def ask() -> dict[str, bool]:
        return {service: await answers(service) for service in sorted({*MINISTACK, *MOTO})}

    told = asyncio.run(ask())
    assert {service for service, answered in told.items() if answered} == MINISTACK | FULLER_IN_MOTO


def test_no_service_has_two_homes_and_every_name_is_botocores() -> None:
    assert not MINISTACK & set(MOTO)
    assert not OURS & (MINISTACK | set(MOTO))
    known = set(botocore.session.get_session().get_available_services())
    assert OURS | MINISTACK | set(MOTO) <= known


@pytest.mark.parametrize("service", sorted(MOTO))
def test_the_gate_knows_each_service_of_moto_by_its_signature_and_moto_by_its_address(service: str) -> None:
    assert service in services_signing_as(signing_name(service))
    from moto.backend_index import backend_url_patterns

    prefix = Models().get(service)["metadata"]["endpointPrefix"]
    url = f"https://{prefix}.us-east-1.amazonaws.com/"
    assert MOTO[service] in {backend for backend, pattern in backend_url_patterns if pattern.match(url)}
