"""What a program asks about what exists already: `.get`, stack references, data sources."""

from __future__ import annotations

from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from harness.deploy.engine import wire
from harness.deploy.engine.call_places import call_places
from harness.deploy.engine.deployment import Deployment
from harness.deploy.engine.goal import source_of
from harness.deploy.engine.operations import in_words
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.urn import make_urn
from harness.deploy.engine.values import UNKNOWN, Value, has_unknown, plain, without_outputs
from harness.deploy.providers.resource import CheckError
from harness.errors import BlackstartError, ProgramError, ProviderError

REFERENCE = "pulumi:pulumi:StackReference"


def read_resource(deployment: Deployment, request: Any) -> ResourceState:  # a ReadResourceRequest
    """An existing resource (`.get`), or a StackReference; in a preview without an id, one with unknown outputs.

    Raises:
        BlackstartError: it does not exist, or its type is not supported.
    """
    deployment.go_on()
    project = deployment.project
    urn = make_urn(project.stack, project.name, request.parent, request.type, request.name)
    resource = ResourceState(
        urn=urn, type=request.type, custom=True, parent=request.parent, external=True,
        inputs=without_outputs(wire.from_struct(request.properties)),
        dependencies=sorted(set(request.dependencies)),
        additionalSecretOutputs=list(request.additionalSecretOutputs), sourcePosition=source_of(request),
    )  # fmt: skip
    where = f"{urn} ({resource.sourcePosition})" if resource.sourcePosition else urn
    if request.type == REFERENCE:
        resource.id, resource.outputs = request.id, deployment.stacks.reference(request.id, where)
        deployment.steps.hidden.note(resource.outputs)
        return _taken(deployment, resource)
    if request.type not in deployment.steps.registry.resources:
        raise deployment.refuse(request.type, where)
    resource.provider = request.provider or deployment.default_provider(request.type.split(":")[0], request.version)
    if request.id in ("", wire.UNKNOWN_TEXT):
        return resource
    return _taken(deployment, deployment.steps.read(resource, request.id))


def _taken(deployment: Deployment, found: ResourceState) -> ResourceState:
    """In the state from now on; what the stack had made itself under this name is deleted at the end."""
    old = deployment.ledger.olds.get(found.urn)
    made = old is not None and not old.external and old.id != found.id
    same = old is not None and (old.id, old.external, plain(old.outputs)) == (found.id, True, plain(found.outputs))
    deployment.ledger.add(found, changed=not same, over=old, keep=made)
    return found


def invoke(deployment: Deployment, request: Any) -> dict[str, Any]:  # a ResourceInvokeRequest
    """The result of a data source such as `aws:index/getRegion:getRegion`.

    Raises:
        ProgramError: it is not supported, or it found nothing.
        ProviderError: AWS refused.
    """
    deployment.go_on()
    token, arguments = request.tok, without_outputs(wire.from_struct(request.args))
    place = source_of(request)
    where = f"{token} ({place})" if place else token
    if token == "pulumi:pulumi:getResource":  # noqa: S105 - a function's name
        return _get_resource(deployment, arguments)
    function = deployment.steps.registry.invokes.get(token)
    if function is None:
        raise deployment.refuse(token, where)
    reference = request.provider or deployment.default_provider(token.split(":", maxsplit=1)[0], request.version)
    owner = deployment.ledger.find(reference.rsplit("::", 1)[0])
    urn = make_urn(deployment.project.stack, deployment.project.name, "", "pulumi:invoke:Invoke", token)
    context = deployment.steps.instances.context(owner.inputs if owner else {}, urn=urn)
    given = plain(arguments)
    region = given.get("region")
    try:
        return function(context.in_region(region) if isinstance(region, str) else context, given)
    except (ClientError, BotoCoreError) as error:
        said: BlackstartError = ProviderError(deployment.steps.hidden.clean(in_words(token, error)))
        cause: Exception = error
    except CheckError as error:
        said, cause = ProgramError(deployment.steps.hidden.clean(str(error))), error
    except BlackstartError as error:
        said, cause = error, error
    place = place or call_places(deployment.project.folder, token)
    said.where = f"{token} ({place})" if place else token
    raise said from (None if said is cause else cause)


def _get_resource(deployment: Deployment, arguments: dict[str, Value]) -> dict[str, Any]:
    urn = arguments.get("urn")
    found = deployment.ledger.news.get(str(urn))
    if found is None:
        raise ProgramError(f"unknown resource {urn}", where="pulumi:pulumi:getResource")
    outputs = {key: UNKNOWN if has_unknown(value) else value for key, value in found.outputs.items()}
    return {"urn": found.urn, "id": found.id, "state": outputs}
