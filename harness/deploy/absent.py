"""What an endpoint lacks, asked before anything is created there: emulators do not know every service.

Asked are reading operations without parameters. What is there answers, or says which parameter is missing; what is
not there does not know any of them. Nothing is changed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import botocore
from botocore.exceptions import BotoCoreError, ClientError

from harness.deploy.engine.ledger import Ledger
from harness.deploy.engine.urn import STACK_TYPE, own_name
from harness.deploy.providers.aws.calls import lacks_operation
from harness.deploy.providers.resource import Registry
from harness.errors import ProgramError
from harness.target import Target

_READS = ("List", "Describe", "Get")


def refuse_absent(target: Target, ledger: Ledger, registry: Registry) -> None:
    """Refuse a program that was looked ahead at, when it needs services that the endpoint does not know.

    Raises:
        ProgramError: names each such service, and the parts of the program that need it.
    """
    needs: dict[str, set[str]] = {}
    for resource in ledger.news.values():
        handler = registry.resources.get(resource.type)
        if handler is not None and handler.service:
            needs.setdefault(handler.service, set()).add(_part(resource.urn, ledger))
    lines = [f"  {service}: {', '.join(sorted(needs[service]))}" for service in absent(target, needs)]
    if lines:
        raise ProgramError(
            "this target lacks services that the program needs; nothing was created:\n" + "\n".join(lines),
            hint="leave out what needs them; in the shop with --set orders:parts=all,-NAME,-NAME",
        )


def absent(target: Target, services: Iterable[str]) -> list[str]:
    """Those of the services that the target does not know, sorted."""
    wanted = sorted(services)
    settings: Mapping[str, Any] = {
        "retries": {"total_max_attempts": 1},
        "read_timeout": 60,
        "parameter_validation": False,
    }
    clients = [target.client(service, **settings) for service in wanted]
    with ThreadPoolExecutor(8) as pool:
        return [service for service, known in zip(wanted, pool.map(_is_known, clients), strict=True) if not known]


def _is_known(client: Any) -> bool:  # boto3 makes clients at run time
    """False when there are reading operations to ask with, and not one of them is known there."""
    reads = [name for name in client.meta.service_model.operation_names if _is_read(client, name)]
    return not reads or any(_knows(client, name) for name in reads)


def _is_read(client: Any, name: str) -> bool:
    """True for what only reads, and has no parameter in its path: without that it would be another request."""
    uri = client.meta.service_model.operation_model(name).http.get("requestUri", "")
    return name.startswith(_READS) and "{" not in uri


def _knows(client: Any, name: str) -> bool:
    try:
        getattr(client, botocore.xform_name(name))()
    except ClientError as error:
        return not lacks_operation(error)
    except BotoCoreError:
        return True  # an answer in another form is one; who does not answer at all is heard of in the deployment
    return True


def _part(urn: str, ledger: Ledger) -> str:
    """The name of the outermost component round a resource, or its own."""
    resource = ledger.news[urn]
    while (parent := ledger.news.get(resource.parent or "")) is not None and parent.type != STACK_TYPE:
        resource = parent
    return own_name(resource.urn)
