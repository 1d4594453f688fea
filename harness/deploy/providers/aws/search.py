"""Finding what a killed deployment has created, for types whose id AWS makes: list what there is, compare, exclude.

AWS names the operation that lists after the one that creates: `CreateVpc` and `DescribeVpcs`, `CreateRestApi` and
`GetRestApis`. What is listed, unknown to the stack, and has every setting that was asked for, is the one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from typing import Any

import botocore
from botocore.exceptions import ClientError, ParamValidationError

from harness.deploy.providers.resource import Context, Observation, Properties

_PAGES = 20
_MAKES = ("Create", "Allocate", "Request", "Register", "Run", "Generate", "Import", "Upload")
_LISTS = ("Describe", "List", "Get")
_PAGE_SIZE = 60  # for the few operations that insist on being told
Observe = Callable[[Context, str, Properties], Observation | None]


def find_listed(
    context: Context,
    inputs: Properties,
    *,
    service: str,
    creates: str,
    id_from: str,
    request: Properties,
    observe: Observe,
    links: Collection[str],
) -> str | None:
    """The id of the resource that `creates` made from `inputs`; None when there is none.

    `id_from` is where the id is in the answer to the creation; `request` what the listing may be asked with;
    `links` the inputs that hang it on something else.

    Two that are alike cannot be told apart: on real AWS one without name and tags is left alone.
    """
    if context.target.kind == "aws" and not (inputs.get("name") or inputs.get("tags")):
        return None
    known = context.known_ids()
    for resource_id in _listed(context.client(service), creates, id_from.rpartition(".")[2], request):
        if resource_id not in known and _is_as_asked(context, resource_id, inputs, observe, links):
            return resource_id
    return None


def _is_as_asked(
    context: Context, resource_id: str, inputs: Properties, observe: Observe, links: Collection[str]
) -> bool:
    try:
        seen = observe(context, resource_id, inputs)
    except ClientError:
        return False
    if seen is None or any(inputs.get(key) != value for key, value in seen.settings.items()):
        return False
    # What hangs on something, where that was not asked for, is somebody else's.
    return any(inputs.get(key) for key in links) or not any(seen.outputs.get(key) for key in links)


def _listed(client: Any, creates: str, key: str, request: Properties) -> Iterator[str]:
    operation = list_operation(client, creates)
    if operation is None:
        return
    shape = client.meta.service_model.operation_model(operation).input_shape
    members = shape.members if shape is not None else {}
    asked = {name: value for name, value in request.items() if name in members}
    for name in shape.required_members if shape is not None else ():
        if name in ("MaxResults", "maxResults", "Limit"):
            asked[name] = _PAGE_SIZE
    name = botocore.xform_name(operation)
    try:
        if client.can_paginate(name):
            pages = client.get_paginator(name).paginate(**asked, PaginationConfig={"MaxItems": _PAGES * 1000})
        else:
            pages = [getattr(client, name)(**asked)]
        for page in pages:
            yield from _ids(page, key)
    except (ClientError, ParamValidationError):
        return


def list_operation(client: Any, creates: str) -> str | None:
    """The operation that lists what `creates` makes; None where the service has none of that name.

    >>> import boto3
    >>> list_operation(boto3.client("ec2", region_name="us-east-1"), "CreateVpc")
    'DescribeVpcs'
    """
    verb = next((verb for verb in _MAKES if creates.startswith(verb)), "")
    noun = creates[len(verb) :]
    plurals = (f"{noun}s", f"{noun}es", f"{noun[:-1]}ies", *((noun,) if noun.endswith("s") else ()))
    known = set(client.meta.service_model.operation_names)
    names = (f"{list_verb}{plural}" for list_verb in _LISTS for plural in plurals)
    return next((name for name in names if name in known), None)


def _came_by_itself(item: dict[str, Any]) -> bool:
    """True for what AWS makes along with something else: a VPC's main route table, its default network ACL."""
    if item.get("IsDefault") or item.get("Main"):
        return True
    return any(bool(inner.get("Main")) for inner in item.get("Associations", ()) if isinstance(inner, dict))


def _ids(part: Any, key: str) -> Iterator[str]:
    """Every value of `key` in the lists of an answer, at most two lists deep."""
    if isinstance(part, dict):
        for value in part.values():
            if isinstance(value, list):
                yield from (item for item in value if isinstance(item, str))
                for item in value:
                    if isinstance(item, dict) and not _came_by_itself(item):
                        found = next((text for name, text in item.items() if name.lower() == key.lower()), None)
                        if isinstance(found, str):
                            yield found
                        else:
                            yield from _ids(item, key)
            elif isinstance(value, dict):
                yield from _ids(value, key)
