"""Finding what a killed deployment has created, for types whose id AWS makes: list what there is, compare, exclude.

AWS names the operation that lists after the one that creates: `CreateVpc` and `DescribeVpcs`, `CreateRestApi` and
`GetRestApis`. What is listed, unknown to the stack, and has every setting that was asked for, is the one.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from typing import Any

import botocore
from botocore.exceptions import ClientError, ParamValidationError

from harness.deploy.providers.resource import CannotTellError, Context, Observation, Properties

_PAGES = 20
_MAKES = ("Create", "Allocate", "Request", "Register", "Run", "Generate", "Import", "Upload")
_LISTS = ("Describe", "List", "Get")
_PAGE_SIZE = 60  # for the few operations that insist on being told
Observe = Callable[[Context, str, Properties], Observation | None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Where resources of one type are listed.

    `member` of each entry holds what AWS makes, and `id_of` makes the id of it; `request` is what the operation is
    asked with, as far as it takes that; `links` are the inputs that hang the resource on something else.
    """

    client: Any  # boto3 makes clients at run time
    operation: str | None
    member: str
    request: Properties
    links: Collection[str]
    id_of: Callable[[str], str] = str


def find_listed(context: Context, inputs: Properties, listing: Listing, observe: Observe) -> str | None:
    """The id of the listed resource that has all `inputs` and is not known to the stack; None when there is none.

    Raises:
        CannotTellError: nothing lists them; or on real AWS, where it has neither name nor tags to tell it by.
    """
    if listing.operation is None:
        raise CannotTellError("AWS has no operation that lists them")
    if context.target.kind == "aws" and not (inputs.get("name") or inputs.get("tags")):
        raise CannotTellError("it has neither name nor tags to tell it from others that are alike")
    known = context.known_ids()
    for found in _listed(listing):
        resource_id = listing.id_of(found)
        if resource_id not in known and _is_as_asked(context, resource_id, inputs, observe, listing.links):
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


def _listed(listing: Listing) -> Iterator[str]:
    client, operation = listing.client, str(listing.operation)
    shape = client.meta.service_model.operation_model(operation).input_shape
    members = shape.members if shape is not None else {}
    asked = {
        name: value if members[name].type_name != "list" or isinstance(value, list) else [value]
        for name, value in listing.request.items()
        if name in members
    }
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
            yield from _ids(page, listing.member)
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
    """Every value of `key` in the lists of an answer, and in what is wrapped once more there."""
    for value in part.values() if isinstance(part, dict) else ():
        if isinstance(value, dict):
            yield from _ids(value, key)
        for item in value if isinstance(value, list) else ():
            if isinstance(item, str):
                yield item
            elif isinstance(item, dict) and not _came_by_itself(item):
                wrapped = (item, *(inner for inner in item.values() if isinstance(inner, dict)))
                found = next((text for one in wrapped if (text := _value_of(one, key)) is not None), None)
                if found is not None:
                    yield found
                else:
                    yield from _ids(item, key)


def _value_of(item: dict[str, Any], key: str) -> str | None:
    value = next((value for name, value in item.items() if name.lower() == key.lower()), None)
    return str(value) if isinstance(value, str | int) else None
