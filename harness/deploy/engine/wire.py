"""Property values on the wire (protobuf Struct) and in the checkpoint (JSON).

Special values are objects with a signature key; the constants are checked against `pulumi.runtime.rpc` by a
contract test. Source: pulumi's sdk/go/common/resource/plugin/rpc.go and the Python SDK's runtime/rpc.py.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from google.protobuf import struct_pb2

from harness.deploy.engine.values import (
    UNKNOWN,
    Archive,
    Asset,
    OutputValue,
    ResourceReference,
    Secret,
    Value,
)

SIGNATURE = "4dabf18193072939515e22adb298388d"
ASSET = "c44067f5952c0a294b673a41bacd8c17"
ARCHIVE = "0def7320c3a5731c473e5ecbe6d01bc7"
SECRET = "1b47061264138c4ac30d75fd1eb44270"  # noqa: S105 - a protocol constant
RESOURCE = "5cf8f73096256a8f31e491e813e4eb8e"
OUTPUT = "d0e6a833031e9bbcd3f4e8bde6ca49a4"
UNKNOWN_TEXT = "04da6b54-80e4-46f7-96ec-b56ff0331ba9"

_EXACT_INTEGER = 2**53  # beyond it a float64 no longer holds every integer

Encrypt = Callable[[str], str]
Decrypt = Callable[[str], str]


def from_struct(struct: struct_pb2.Struct) -> Any:
    """The value of a protobuf Struct: a dict, or the special value that its signature names."""
    fields = {key: from_proto(value) for key, value in struct.fields.items()}
    return _from_signed(fields) if SIGNATURE in fields else fields


def from_proto(value: struct_pb2.Value) -> Value:
    """The value of a protobuf Value."""
    match value.WhichOneof("kind"):
        case "string_value":
            return UNKNOWN if value.string_value == UNKNOWN_TEXT else value.string_value
        case "number_value":
            number = value.number_value
            return int(number) if number.is_integer() and abs(number) < _EXACT_INTEGER else number
        case "bool_value":
            return value.bool_value
        case "list_value":
            return [from_proto(item) for item in value.list_value.values]
        case "struct_value":
            return from_struct(value.struct_value)
        case _:
            return None


def to_struct(properties: Mapping[str, Value]) -> struct_pb2.Struct:
    """A protobuf Struct of `properties`; None values are left out, as the real engine does."""
    struct = struct_pb2.Struct()
    for key, value in properties.items():
        if value is not None:
            _to_proto(value, struct.fields[key])
    return struct


def _to_proto(value: Value, out: struct_pb2.Value) -> None:
    if value is None:
        out.null_value = struct_pb2.NULL_VALUE
    elif value is UNKNOWN:
        out.string_value = UNKNOWN_TEXT
    elif isinstance(value, bool):
        out.bool_value = value
    elif isinstance(value, int | float):
        out.number_value = value
    elif isinstance(value, str):
        out.string_value = value
    elif isinstance(value, list | tuple):
        out.list_value.SetInParent()
        for item in value:
            _to_proto(item, out.list_value.values.add())
    else:
        out.struct_value.SetInParent()
        fields = value if isinstance(value, Mapping) else _to_signed(value)
        for key, inner in fields.items():
            _to_proto(inner, out.struct_value.fields[key])


def _from_signed(fields: dict[str, Any]) -> Value:
    match fields[SIGNATURE]:
        case "1b47061264138c4ac30d75fd1eb44270":
            return Secret(fields.get("value"))
        case "c44067f5952c0a294b673a41bacd8c17":
            kind = next((k for k in ("path", "text", "uri") if k in fields), "text")
            return Asset(kind, fields.get(kind, ""), fields.get("hash", ""))  # type: ignore[arg-type] # one of the three
        case "0def7320c3a5731c473e5ecbe6d01bc7":
            kind = next((k for k in ("assets", "path", "uri") if k in fields), "assets")
            return Archive(kind, fields.get(kind, {}), fields.get("hash", ""))  # type: ignore[arg-type] # one of the three
        case "5cf8f73096256a8f31e491e813e4eb8e":
            identity = UNKNOWN if fields.get("id") == "" else fields.get("id")
            return ResourceReference(fields["urn"], identity, fields.get("packageVersion", ""))
        case "d0e6a833031e9bbcd3f4e8bde6ca49a4":
            return OutputValue(
                fields.get("value", UNKNOWN), bool(fields.get("secret")), tuple(fields.get("dependencies", ()))
            )
        case other:
            raise ValueError(f"unknown value signature {other!r}")


def _to_signed(value: Value) -> dict[str, Any]:
    if isinstance(value, Secret):
        return {SIGNATURE: SECRET, "value": value.value}
    if isinstance(value, Asset | Archive):
        kind = ASSET if isinstance(value, Asset) else ARCHIVE
        return {SIGNATURE: kind, value.kind: value.value, **({"hash": value.hash} if value.hash else {})}
    if isinstance(value, ResourceReference):
        identity = {} if value.id is None else {"id": "" if value.id is UNKNOWN else value.id}
        version = {"packageVersion": value.version} if value.version else {}
        return {SIGNATURE: RESOURCE, "urn": value.urn, **identity, **version}
    if isinstance(value, OutputValue):
        body: dict[str, Any] = {SIGNATURE: OUTPUT}
        if value.value is not UNKNOWN:
            body["value"] = value.value
        return body | {"secret": value.secret, "dependencies": list(value.dependencies)}
    raise TypeError(f"a {type(value).__name__} is no property value")


def to_json(value: Value, encrypt: Encrypt) -> Any:
    """`value` as the checkpoint holds it; every secret encrypted."""
    if isinstance(value, Mapping):
        return {key: to_json(inner, encrypt) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [to_json(inner, encrypt) for inner in value]
    if value is UNKNOWN:
        return UNKNOWN_TEXT
    if isinstance(value, Secret):
        inner = json.dumps(to_json(value.value, encrypt), separators=(",", ":"))
        return {SIGNATURE: SECRET, "ciphertext": encrypt(inner)}
    if isinstance(value, OutputValue):
        return to_json(Secret(value.value) if value.secret else value.value, encrypt)
    if isinstance(value, Asset | Archive | ResourceReference):
        return {key: to_json(inner, encrypt) for key, inner in _to_signed(value).items()}
    return value


def from_json(value: Any, decrypt: Decrypt) -> Value:
    """What `to_json` wrote."""
    if isinstance(value, list):
        return [from_json(inner, decrypt) for inner in value]
    if not isinstance(value, dict):
        return UNKNOWN if value == UNKNOWN_TEXT else value
    if value.get(SIGNATURE) == SECRET:
        text = decrypt(value["ciphertext"]) if "ciphertext" in value else value["plaintext"]
        return Secret(from_json(json.loads(text), decrypt))
    fields = {key: from_json(inner, decrypt) for key, inner in value.items()}
    return _from_signed(fields) if SIGNATURE in fields else fields
