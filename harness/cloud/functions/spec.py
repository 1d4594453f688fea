"""What a function is, read from the emulator's record: the part that execution environments depend on."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

DEFAULT_TIMEOUT_S = 3
DEFAULT_MEMORY_MB = 128


@dataclass(frozen=True, slots=True, kw_only=True)
class FunctionSpec:
    """One version of one function. Two specs with the same `fingerprint` may share environments."""

    name: str
    arn: str
    version: str
    runtime: str
    handler: str
    region: str
    account: str
    timeout_s: float
    memory_mb: int
    variables: Mapping[str, str] = field(repr=False)
    layers: tuple[str, ...] = ()
    subnets: tuple[str, ...] = ()
    role: str = ""
    log_group: str = ""
    code: bytes = field(default=b"", repr=False)
    fingerprint: str = ""

    @property
    def is_python(self) -> bool:
        """True where our environments can run it."""
        return self.runtime.startswith("python")


def read_spec(record: Mapping[str, Any]) -> FunctionSpec:  # ministack's record has no types
    """The spec in ministack's function record."""
    config = record.get("config") or record
    arn = str(config.get("FunctionArn", ""))
    parts = arn.split(":")
    name = str(config.get("FunctionName", "unknown"))
    layers = tuple(layer["Arn"] if isinstance(layer, Mapping) else str(layer) for layer in config.get("Layers") or ())
    return FunctionSpec(
        name=name,
        arn=arn,
        version=str(config.get("Version", "$LATEST")),
        runtime=str(config.get("Runtime") or ""),
        handler=str(config.get("Handler") or ""),
        region=parts[3] if len(parts) > 4 else "us-east-1",
        account=parts[4] if len(parts) > 4 else "",
        timeout_s=float(config.get("Timeout") or DEFAULT_TIMEOUT_S),
        memory_mb=int(config.get("MemorySize") or DEFAULT_MEMORY_MB),
        variables=dict((config.get("Environment") or {}).get("Variables") or {}),
        layers=layers,
        subnets=tuple((config.get("VpcConfig") or {}).get("SubnetIds") or ()),
        role=str(config.get("Role", "")),
        log_group=str((config.get("LoggingConfig") or {}).get("LogGroup") or f"/aws/lambda/{name}"),
        code=record.get("code_zip") or b"",
        fingerprint=_fingerprint(record, config, layers),
    )


def _fingerprint(record: Mapping[str, Any], config: Mapping[str, Any], layers: tuple[str, ...]) -> str:
    """Changes whenever an environment of before must not be reused: code, configuration, layers."""
    relevant = (
        config.get("FunctionArn"),
        config.get("Version"),
        config.get("CodeSha256"),
        config.get("RevisionId"),
        config.get("Handler"),
        config.get("Runtime"),
        config.get("Timeout"),
        config.get("MemorySize"),
        repr(sorted(((config.get("Environment") or {}).get("Variables") or {}).items())),
        layers,
        repr((config.get("VpcConfig") or {}).get("SubnetIds")),
        len(record.get("code_zip") or b""),
    )
    return hashlib.sha256(repr(relevant).encode()).hexdigest()
