# ruff: noqa: N815 - the names are those of the schema
"""Pulumi's deployment schema version 3 as types: what `pulumi stack import` reads.

Written down from sdk/go/common/apitype (core.go: DeploymentV3, ResourceV3, OperationV2, ManifestV1) and
property-values.json of Pulumi 3.272; a member that the real engine does not know is refused here.
"""

import hashlib
from datetime import datetime
from typing import Any, Literal

import msgspec

SIGNATURE = "4dabf18193072939515e22adb298388d"
SECRET = "1b47061264138c4ac30d75fd1eb44270"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"


class Strict(msgspec.Struct, forbid_unknown_fields=True, kw_only=True):
    """No member beside those that are named."""


class CustomTimeouts(Strict):
    """Seconds."""

    create: float = 0
    update: float = 0
    delete: float = 0


class ResourceV3(Strict):
    """One resource."""

    urn: str
    custom: bool
    type: str
    delete: bool = False
    id: str = ""
    inputs: dict[str, Any] = {}
    outputs: dict[str, Any] = {}
    parent: str = ""
    protect: bool = False
    taint: bool = False
    external: bool = False
    dependencies: list[str] = []
    initErrors: list[str] = []
    provider: str = ""
    propertyDependencies: dict[str, list[str]] = {}
    pendingReplacement: bool = False
    additionalSecretOutputs: list[str] = []
    aliases: list[str] = []
    customTimeouts: CustomTimeouts | None = None
    importID: str = ""
    retainOnDelete: bool = False
    deletedWith: str = ""
    created: datetime | None = None
    modified: datetime | None = None
    sourcePosition: str = ""
    ignoreChanges: list[str] = []
    replaceOnChanges: list[str] = []
    replacementTrigger: Any = None
    resourceHooks: dict[str, list[str]] = {}


class OperationV2(Strict):
    """Something that was under way."""

    resource: ResourceV3
    type: Literal["creating", "updating", "deleting", "reading"]


class ManifestV1(Strict):
    """Who wrote it."""

    time: datetime
    magic: str
    version: str


class SecretsProvidersV1(Strict):
    """How secrets are encrypted."""

    type: Literal["passphrase"]
    state: dict[str, str]


class DeploymentV3(Strict):
    """The deployment."""

    manifest: ManifestV1
    secrets_providers: SecretsProvidersV1 | None = None
    resources: list[ResourceV3] = []
    pending_operations: list[OperationV2] = []
    metadata: dict[str, Any] = {}


class Export(Strict):
    """The file."""

    version: Literal[3]
    deployment: DeploymentV3


def require_valid(text: str) -> DeploymentV3:
    """`text` as a deployment; raises msgspec.ValidationError or AssertionError with what the real engine refuses."""
    deployment = msgspec.json.decode(text, type=Export).deployment
    manifest = deployment.manifest
    assert manifest.magic == hashlib.sha256(manifest.version.encode()).hexdigest()
    seen: set[str] = set()
    for resource in deployment.resources:
        _require_before(resource, seen)
        seen.add(resource.urn)
    for resource in [*deployment.resources, *(p.resource for p in deployment.pending_operations)]:
        for value in (*resource.inputs.values(), *resource.outputs.values()):
            _require_value(value, encrypted=deployment.secrets_providers is not None)
    return deployment


def _require_before(resource: ResourceV3, seen: set[str]) -> None:
    """Snapshot integrity: what a resource needs stands before it; custom resources have a provider."""
    assert resource.urn not in seen or resource.delete, resource.urn
    assert resource.urn.split("::")[2].rsplit("$", 1)[-1] == resource.type
    needed = {resource.parent, *resource.dependencies} - {""}
    needed |= {urn for urns in resource.propertyDependencies.values() for urn in urns}
    if resource.provider:
        needed.add(resource.provider.rpartition("::")[0])
    assert needed <= seen, (resource.urn, needed - seen)
    if resource.custom and not resource.type.startswith("pulumi:"):
        assert resource.provider.count("::") == 4, resource.urn
        assert resource.id
    if resource.type.startswith("pulumi:providers:"):
        assert resource.id


def _require_value(value: Any, *, encrypted: bool) -> None:
    if isinstance(value, list):
        for item in value:
            _require_value(item, encrypted=encrypted)
    if not isinstance(value, dict):
        return
    match value.get(SIGNATURE):
        case None:
            for item in value.values():
                _require_value(item, encrypted=encrypted)
        case "1b47061264138c4ac30d75fd1eb44270":
            assert value.keys() == {SIGNATURE, "ciphertext"}
            assert encrypted
            assert value["ciphertext"].startswith("v1:")
        case "c44067f5952c0a294b673a41bacd8c17":
            assert len(value.keys() & {"text", "path", "uri"}) == 1
            assert len(value["hash"]) == 64
        case "0def7320c3a5731c473e5ecbe6d01bc7":
            assert len(value.keys() & {"assets", "path", "uri"}) == 1
            assert len(value["hash"]) == 64
        case "5cf8f73096256a8f31e491e813e4eb8e":
            assert value.keys() >= {SIGNATURE, "urn"}
        case other:
            raise AssertionError(f"unknown signature {other}")
