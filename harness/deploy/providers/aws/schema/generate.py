"""Write `types/<module>.json` from the installed `pulumi_aws`, for every type that has a handler.

Run after adding a resource type: `python -m harness.deploy.providers.aws.schema.generate`.
"""

from __future__ import annotations

import collections.abc
import importlib
import inspect
import itertools
import json
import re
import sys
import types
import typing
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from harness.deploy.providers.aws.schema.model import TYPES_FOLDER, module_of

_SCALAR_NAMES = {str: "string", int: "integer", float: "number", bool: "boolean"}


def extract(tokens: Iterable[str]) -> dict[str, dict[str, Any]]:
    """The entries of the types files for `tokens`, read from `pulumi_aws`.

    Raises:
        KeyError: `pulumi_aws` has no such type.
    """
    places = _places()
    return {token: _entry(*places[token]) for token in sorted(tokens)}


def _places() -> dict[str, tuple[str, str]]:
    """Token → (package, class), from the registry blob in the package's source, without importing services."""
    import pulumi_aws

    source = Path(pulumi_aws.__file__).read_text(encoding="utf-8")
    blob = re.search(r'resource_modules="""(.*?)"""', source, re.DOTALL)
    if blob is None:
        raise KeyError("pulumi_aws has changed: no resource_modules in its __init__.py")
    return {
        token: (module["fqn"], class_name)
        for module in json.loads(blob[1])
        for token, class_name in module["classes"].items()
    }


def _entry(package: str, class_name: str) -> dict[str, Any]:
    from pulumi import _types

    resource = getattr(importlib.import_module(package), class_name)
    module = sys.modules[resource.__module__]  # not the package: it may export a nested type of the same name
    # Pulumi writes InitArgs where Args is taken by a nested type (s3.BucketVersioning).
    arguments = getattr(module, f"{class_name}InitArgs", None) or getattr(module, f"{class_name}Args")
    inputs = _object(arguments)
    known = inputs["object"]
    outputs = {
        name: _kind(hint) for name, hint in sorted(_types.resource_types(resource).items()) if name not in known
    }
    secret = re.findall(r"additional_secret_outputs=\[(.*?)\]", inspect.getsource(module))
    entry: dict[str, Any] = {"inputs": inputs, "outputs": outputs}
    if secret:
        entry["secret"] = sorted(re.findall(r'"(\w+)"', secret[0]))
    return entry


def _object(arguments: type, within: tuple[type, ...] = ()) -> Any:
    """The properties of a class. One that is inside itself (a WAF statement of statements) is `any` there."""
    from pulumi import _types

    if arguments in within:
        return "any"
    inside = (*within, arguments)

    names = _types.input_type_py_to_pulumi_names(arguments)
    parameters = inspect.signature(arguments).parameters
    required = sorted(
        names[name]
        for name, parameter in parameters.items()
        if name in names and parameter.default is parameter.empty
    )
    hints = _types.input_type_types(arguments)
    properties = {name: _kind(hint, inside) for name, hint in sorted(hints.items())}
    return {"object": properties, "required": required} if required else {"object": properties}


def _kind(hint: Any, within: tuple[type, ...] = ()) -> Any:  # a type hint in, JSON out
    """The JSON form of a hint inside `within`; the wrappers Optional, Awaitable and Output are looked through."""
    from pulumi import Archive, Asset, _types

    hint = _unwrapped(hint)
    if hint in _SCALAR_NAMES:
        return _SCALAR_NAMES[hint]
    origin = typing.get_origin(hint)
    if origin in {collections.abc.Sequence, list}:
        return {"list": _kind(typing.get_args(hint)[0], within)}
    if origin in {collections.abc.Mapping, dict}:
        return {"map": _kind(typing.get_args(hint)[1], within)}
    if not isinstance(hint, type):
        return "any"
    if issubclass(hint, Asset | Archive):
        return "asset"
    if _types.is_input_type(hint):
        return _object(hint, within)
    if _types.is_output_type(hint):
        if hint in within:
            return "any"
        inside = (*within, hint)
        inner = {name: _kind(part, inside) for name, part in sorted(_types.output_type_types(hint).items())}
        return {"object": inner}
    return "any"


def _unwrapped(hint: Any) -> Any:
    """The first part of a union that is not None, Awaitable or Output (`Input[T]` is such a union)."""
    while typing.get_origin(hint) in {typing.Union, types.UnionType}:
        hint = next(part for part in typing.get_args(hint) if _is_plain(part))
    return hint


def _is_plain(hint: Any) -> bool:
    import pulumi

    return hint is not type(None) and typing.get_origin(hint) not in {collections.abc.Awaitable, pulumi.Output}


def render(entries: Mapping[str, Any]) -> str:
    """The text of one types file: one line a type, so that the differences of a new version stay readable."""
    lines = (f"{json.dumps(token)}: {json.dumps(entry, sort_keys=True)}" for token, entry in entries.items())
    return "{\n" + ",\n".join(lines) + "\n}\n"


def render_all(tokens: Iterable[str]) -> dict[str, str]:
    """File name → text, a file for each module of `tokens`."""
    by_module = itertools.groupby(sorted(tokens, key=lambda token: (module_of(token), token)), module_of)
    return {f"{module}.json": render(extract(group)) for module, group in by_module}


def main() -> None:
    """Write the files for all tokens that have a handler; a module without one has no file."""
    from harness.deploy.providers.aws import registry

    files = render_all(registry().resources)
    TYPES_FOLDER.mkdir(exist_ok=True)
    for stale in TYPES_FOLDER.glob("*.json"):
        if stale.name not in files:
            stale.unlink()
    for name, text in files.items():
        (TYPES_FOLDER / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
