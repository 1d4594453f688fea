"""The checkpoint: what a stack consists of, in Pulumi's deployment schema version 3.

`pulumi stack import` reads it. It is written atomically after each step, and what is being done right now
stands in `pending_operations`, so that a deployment killed at any moment goes on from there.
"""

from __future__ import annotations

import hashlib
import json
import time
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any

from harness.clock import utc_iso
from harness.deploy.engine import wire
from harness.deploy.engine.secrets import PassphraseSecrets
from harness.deploy.engine.values import Value
from harness.errors import StateError
from harness.files import write_atomically

SCHEMA = 3
ENGINE_VERSION = "v3.272.0"
"""The Pulumi version whose checkpoint format and semantics this engine follows."""

_STATE_KEYS = (
    "parent", "protect", "external", "dependencies", "initErrors", "provider", "propertyDependencies",
    "pendingReplacement", "additionalSecretOutputs", "customTimeouts", "importID", "retainOnDelete",
    "deletedWith", "created", "modified", "sourcePosition", "ignoreChanges", "replaceOnChanges",
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
    created: str = ""
    modified: str = ""
    sourcePosition: str = ""  # noqa: N815

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
        for key in ("inputs", "outputs"):
            if getattr(self, key):
                entry[key] = wire.to_json(getattr(self, key), encrypt)
        return entry | {key: getattr(self, key) for key in _STATE_KEYS if getattr(self, key)}

    @classmethod
    def from_json(cls, entry: dict[str, Any], decrypt: wire.Decrypt) -> ResourceState:
        """What `to_json` wrote; keys of newer engines that this one does not need are dropped."""
        known = {f.name for f in fields(cls)}
        values = {key: value for key, value in entry.items() if key in known}
        for key in ("inputs", "outputs"):
            values[key] = wire.from_json(values.get(key) or {}, decrypt)
        return cls(**values)


@dataclass(slots=True, kw_only=True)
class PendingOperation:
    """Something that was under way when the checkpoint was written: `creating`, `updating`, `deleting`."""

    type: str
    resource: ResourceState


@dataclass(slots=True)
class Checkpoint:
    """One stack's state file. Not safe for threads: the deployment holds its own lock around it."""

    path: Path
    secrets: PassphraseSecrets
    resources: list[ResourceState] = field(default_factory=list)
    pending: list[PendingOperation] = field(default_factory=list)
    _has_secrets: bool = False

    def write(self) -> None:
        """Write the checkpoint atomically.

        Raises:
            NotReadyError: the file cannot be written (full disk); the one before is untouched.
        """
        write_atomically(self.path, json.dumps(self.document(), indent=1), mode=0o600)

    def document(self) -> dict[str, Any]:
        """The whole file as JSON values."""

        def encrypt(text: str) -> str:
            self._has_secrets = True
            return self.secrets.encrypt(text)

        resources = [resource.to_json(encrypt) for resource in self.resources]
        pending = [{"resource": p.resource.to_json(encrypt), "type": p.type} for p in self.pending]
        # Deriving the key costs 0.3 s: a stack without secrets is spared it.
        keep = self._has_secrets or bool(self.secrets.proof)
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


def read_checkpoint(path: Path, passphrase: str) -> Checkpoint:
    """The checkpoint at `path`; an empty one when there is no file.

    Raises:
        StateError: damaged, written by a newer Pulumi, or another passphrase; the file is left as it is.
    """
    if not path.exists():
        return Checkpoint(path, PassphraseSecrets.new(passphrase))
    try:
        document = json.loads(path.read_text())
        version, deployment = document["version"], document["deployment"]
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise StateError(f"the state file cannot be read: {error}", where=str(path), hint=_aside(path)) from error
    if version != SCHEMA:
        raise StateError(
            f"the state file has deployment version {version}, this engine knows {SCHEMA}",
            where=str(path),
            hint="use the pulumi that wrote it, or move it away",
        )
    try:
        manager = (deployment.get("secrets_providers") or {}).get("state")
        secrets = PassphraseSecrets.from_state(passphrase, manager) if manager else PassphraseSecrets.new(passphrase)
        return Checkpoint(
            path,
            secrets,
            [ResourceState.from_json(entry, secrets.decrypt) for entry in deployment.get("resources") or []],
            [
                PendingOperation(type=p["type"], resource=ResourceState.from_json(p["resource"], secrets.decrypt))
                for p in deployment.get("pending_operations") or []
            ],
        )
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise StateError(f"the state file is damaged: {error!r}", where=str(path), hint=_aside(path)) from error


def _aside(path: Path) -> str:
    return f"nothing was changed; move it away, for example to {path.name}.{time.strftime('%Y%m%d')}, to start anew"
