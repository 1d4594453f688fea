"""The checkpoint: what a stack consists of, in Pulumi's deployment schema version 3.

`pulumi stack import` reads it. It is written atomically when a deployment ends; what a killed one has done and
was doing stands in the journal beside it (journal.py) and becomes `resources` and `pending_operations` here.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.clock import utc_iso
from harness.deploy.engine import wire
from harness.deploy.engine.secrets import PassphraseSecrets
from harness.deploy.engine.values import Value, transform
from harness.errors import NotReadyError, StateError
from harness.files import write_atomically

SCHEMA = 3
ENGINE_VERSION = "v3.272.0"
"""The Pulumi version whose checkpoint format and semantics this engine follows."""

_DEFAULTS = "__defaults"  # the bridged providers' note of which inputs they filled in, in every object
_STATE_KEYS = (
    "parent", "protect", "external", "dependencies", "initErrors", "provider", "propertyDependencies",
    "pendingReplacement", "additionalSecretOutputs", "customTimeouts", "importID", "retainOnDelete",
    "deletedWith", "created", "modified", "sourcePosition", "ignoreChanges", "replaceOnChanges", "resourceHooks",
)  # fmt: skip


@dataclass(slots=True, kw_only=True)
class ResourceState:
    """One resource of a stack; the camelCase names are those of the checkpoint."""

    urn: str
    type: str
    custom: bool
    id: str = ""
    inputs: dict[str, Value] = field(default_factory=dict)
    outputs: dict[str, Value] = field(default_factory=dict)
    parent: str = ""
    provider: str = ""
    dependencies: list[str] = field(default_factory=list)
    propertyDependencies: dict[str, list[str]] = field(default_factory=dict)  # noqa: N815 - checkpoint's name
    protect: bool = False
    external: bool = False
    delete: bool = False
    pendingReplacement: bool = False  # noqa: N815
    retainOnDelete: bool = False  # noqa: N815
    deletedWith: str = ""  # noqa: N815
    additionalSecretOutputs: list[str] = field(default_factory=list)  # noqa: N815
    customTimeouts: dict[str, float] = field(default_factory=dict)  # noqa: N815
    ignoreChanges: list[str] = field(default_factory=list)  # noqa: N815
    replaceOnChanges: list[str] = field(default_factory=list)  # noqa: N815
    initErrors: list[str] = field(default_factory=list)  # noqa: N815
    importID: str = ""  # noqa: N815
    replacementTrigger: Value = None  # noqa: N815
    resourceHooks: dict[str, list[str]] = field(default_factory=dict)  # noqa: N815 - moment → names
    created: str = ""
    modified: str = ""
    sourcePosition: str = ""  # noqa: N815
    defaulted: list[str] = field(default_factory=list)  # inputs that the program left open: `__defaults` on disk

    @property
    def name(self) -> str:
        """The name that the program gave it."""
        return self.urn.split("::", 3)[3]

    @property
    def is_provider(self) -> bool:
        """True for `pulumi:providers:*`, which has no AWS resource behind it."""
        return self.type.startswith("pulumi:providers:")

    def needs(self) -> set[str]:
        """The URNs that must exist while this resource does."""
        found = set(self.dependencies) | {urn for urns in self.propertyDependencies.values() for urn in urns}
        found |= {self.parent, self.deletedWith, self.provider.rsplit("::", 1)[0]}
        return found - {""}

    def to_json(self, encrypt: wire.Encrypt) -> dict[str, Any]:
        """The checkpoint's entry."""
        entry: dict[str, Any] = {"urn": self.urn, "custom": self.custom}
        if self.delete:
            entry["delete"] = True
        if self.id:
            entry["id"] = self.id
        entry["type"] = self.type
        for key in ("inputs", "outputs", "replacementTrigger"):
            if getattr(self, key):
                entry[key] = wire.to_json(getattr(self, key), encrypt)
        if self.custom and not self.type.startswith("pulumi:"):
            # Without it the real provider would take an automatic name for an old choice of the program's.
            entry["inputs"] = {**entry.get("inputs", {}), _DEFAULTS: self.defaulted}
        return entry | {key: getattr(self, key) for key in _STATE_KEYS if getattr(self, key)}

    @classmethod
    def from_json(cls, entry: dict[str, Any], decrypt: wire.Decrypt) -> ResourceState:
        """What `to_json` wrote; keys of newer engines that this one does not need are dropped."""
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in entry.items() if key in known}
        for key in ("inputs", "outputs"):
            values[key] = wire.from_json(values.get(key) or {}, decrypt)
        values["defaulted"] = [str(key) for key in values["inputs"].get(_DEFAULTS) or ()]
        values["inputs"] = transform(values["inputs"], _without_defaults)
        values["replacementTrigger"] = wire.from_json(values.get("replacementTrigger"), decrypt)
        return cls(**values)


def _without_defaults(part: Value) -> Value:
    return {key: value for key, value in part.items() if key != _DEFAULTS} if isinstance(part, dict) else part


@dataclass(slots=True, kw_only=True)
class PendingOperation:
    """Something that was under way when the checkpoint was written: `creating`, `updating`, `deleting`."""

    type: str
    resource: ResourceState

    def to_json(self, encrypt: wire.Encrypt) -> dict[str, Any]:
        """The checkpoint's entry."""
        return {"resource": self.resource.to_json(encrypt), "type": self.type}

    @classmethod
    def from_json(cls, entry: dict[str, Any], decrypt: wire.Decrypt) -> PendingOperation:
        """What `to_json` wrote."""
        return cls(type=entry["type"], resource=ResourceState.from_json(entry["resource"], decrypt))


@dataclass(slots=True)
class Checkpoint:
    """One stack's state file. Not safe for threads: the deployment holds its own lock around it."""

    path: Path
    secrets: PassphraseSecrets
    resources: list[ResourceState] = field(default_factory=list)
    pending: list[PendingOperation] = field(default_factory=list)
    has_secrets: bool = False
    recovered: bool = False  # a journal was read: the file is behind

    def write(self) -> None:
        """Write the checkpoint atomically; a journal that continued the one before is done with.

        Raises:
            StateError: the file cannot be written (full disk); the one before, and its journal, are untouched.
        """
        try:
            write_atomically(self.path, json.dumps(self.document(), indent=1), mode=0o600)
        except NotReadyError as error:
            raise StateError(error.what, where=error.where, hint=error.hint) from error
        self.path.with_suffix(".journal").unlink(missing_ok=True)

    def encrypt(self, text: str) -> str:
        """A secret as it stands in the checkpoint."""
        self.has_secrets = True
        return self.secrets.encrypt(text)

    def document(self) -> dict[str, Any]:
        """The whole file as JSON values."""
        resources = [resource.to_json(self.encrypt) for resource in self.resources]
        pending = [operation.to_json(self.encrypt) for operation in self.pending]
        # Deriving the key costs 0.3 s: a stack without secrets is spared it.
        keep = self.has_secrets or bool(self.secrets.proof)
        provider = {"secrets_providers": {"type": "passphrase", "state": self.secrets.state()}} if keep else {}
        return {
            "version": SCHEMA,
            "deployment": {
                "manifest": {
                    "time": utc_iso(),
                    "magic": hashlib.sha256(ENGINE_VERSION.encode()).hexdigest(),
                    "version": ENGINE_VERSION,
                },
                **provider,
                "resources": resources,
                **({"pending_operations": pending} if pending else {}),
                "metadata": {},
            },
        }
