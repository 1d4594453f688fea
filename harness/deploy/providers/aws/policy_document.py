"""`aws.iam.get_policy_document`: policy JSON from its parts, as the real provider writes it.

Its rules (the Terraform AWS provider's data source `aws_iam_policy_document`): source documents first, then the
statements, then override documents; a statement with the `Sid` of an earlier one takes its place; one value stands
alone, several are sorted in reverse; `&{...}` is written `${...}`; what documents say is kept as it stands.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterable, Mapping
from typing import Any

from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

Statement = dict[str, Any]  # a statement of a policy, with AWS's names

_VERSION = "2012-10-17"
_ORDER = ("Sid", "Effect", "Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal", "Condition")
_LISTS = {"actions": "Action", "notActions": "NotAction", "resources": "Resource", "notResources": "NotResource"}
_PRINCIPALS = {"principals": "Principal", "notPrincipals": "NotPrincipal"}
_ESCAPED = {"&": "\\u0026", "<": "\\u003c", ">": "\\u003e"}  # Go's JSON writes these so
_SOURCES, _OVERRIDES = "sourcePolicyDocuments", "overridePolicyDocuments"


def policy_document(arguments: Properties, *, indent: int | None = 2) -> str:
    """The document as text; without white space where `indent` is None.

    Raises:
        CheckError: two statements of the program, or of the source documents, have the same `sid`.
    """
    sources, overrides = _documents(arguments, _SOURCES), _documents(arguments, _OVERRIDES)
    own: dict[str, Any] = {
        "Version": arguments.get("version") or _VERSION,
        "Id": arguments.get("policyId"),
        "Statement": [_statement(one) for one in arguments.get("statements") or ()],
    }
    _require_distinct([one for source in sources for one in source["Statement"]], _SOURCES)
    _require_distinct(own["Statement"], "statements")
    every = [*sources, own, *overrides]
    identity = next((one["Id"] for one in reversed(every) if one.get("Id")), None)
    statements: list[Statement] = []
    for one in every:
        _merge(statements, one["Statement"])
    document = {
        "Version": max(one.get("Version") or "" for one in every),
        **({"Id": identity} if identity else {}),
        **({"Statement": [_ordered(statement) for statement in statements]} if statements else {}),
    }
    text = json.dumps(document, indent=indent, separators=None if indent else (",", ":"), ensure_ascii=False)
    return "".join(_ESCAPED.get(letter, letter) for letter in text)


def document(context: Context, arguments: Properties) -> Properties:
    """The data source: the text, the same text without white space, and Terraform's id of it."""
    text = policy_document(arguments)
    short = policy_document(arguments, indent=None)
    return {**arguments, "json": text, "minifiedJson": short, "id": str(zlib.crc32(text.encode()))}


def _statement(given: Properties) -> Statement:
    made: Statement = {"Sid": given.get("sid"), "Effect": given.get("effect") or "Allow"}
    for key, member in _LISTS.items():
        if given.get(key):
            made[member] = _one_or_many(given[key])
    for key, member in _PRINCIPALS.items():
        if given.get(key):
            made[member] = _principals((str(one["type"]), _one_or_many(one["identifiers"])) for one in given[key])
    made["Condition"] = _conditions(
        (str(one["test"]), str(one["variable"]), [_substituted(value) for value in one["values"]])
        for one in given.get("conditions") or ()
    )
    return made


def _substituted(value: Any) -> str:
    """Programs write `&{aws:username}` because `${...}` meant something to Terraform."""
    return str(value).replace("&{", "${")


def _one_or_many(values: Iterable[Any]) -> Any:
    distinct = sorted({_substituted(value) for value in values}, reverse=True)
    return distinct[0] if len(distinct) == 1 else distinct


def _principals(given: Iterable[tuple[str, Any]]) -> Any:
    """Identifiers by type; only `*` of type `*` stands alone: IAM does not take `{"*": "*"}`."""
    by_type: dict[str, Any] = {}
    for kind, identifiers in given:
        if kind in by_type:
            by_type[kind] = [*_listed(by_type[kind]), *_listed(identifiers)]
        else:
            by_type[kind] = identifiers
    return "*" if by_type in ({"*": "*"}, {"*": ["*"]}) else dict(sorted(by_type.items()))


def _conditions(given: Iterable[tuple[str, str, list[str]]]) -> dict[str, dict[str, Any]]:
    """Values by test and variable, in the order given."""
    found: dict[str, dict[str, list[str]]] = {}
    for test, variable, values in given:
        found.setdefault(test, {}).setdefault(variable, []).extend(values)
    return {
        test: {variable: values[0] if len(values) == 1 else values for variable, values in sorted(inner.items())}
        for test, inner in sorted(found.items())
    }


def _listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _documents(arguments: Properties, key: str) -> list[dict[str, Any]]:
    """The documents of an argument, each with a list of statements."""
    return [_parsed(text, f"{key}[{i}]") for i, text in enumerate(arguments.get(key) or ()) if text]


def _parsed(text: Any, path: str) -> dict[str, Any]:
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError as error:
        raise CheckError([(path, f"is not JSON: {error}")]) from error
    if not isinstance(found, Mapping):
        raise CheckError([(path, "is not a policy")])
    return {**found, "Statement": [_read(one) for one in _listed(found.get("Statement") or [])]}


def _read(statement: Mapping[str, Any]) -> Statement:
    made = dict(statement)
    for member in _PRINCIPALS.values():
        if isinstance(made.get(member), Mapping):
            made[member] = _principals(
                (kind, sorted(value, reverse=True) if isinstance(value, list) else value)
                for kind, value in made[member].items()
            )
    made["Condition"] = _conditions(
        (test, variable, [_text(value) for value in _listed(values)])
        for test, inner in (statement.get("Condition") or {}).items()
        for variable, values in inner.items()
    )
    return made


def _text(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def _merge(statements: list[Statement], more: Iterable[Statement]) -> None:
    """Append `more`; one with a known Sid takes the place of its namesake."""
    for one in more:
        places = [i for i, old in enumerate(statements) if one.get("Sid") and old.get("Sid") == one["Sid"]]
        if places:
            statements[places[0]] = one
        else:
            statements.append(one)


def _require_distinct(statements: list[Statement], path: str) -> None:
    names = [one["Sid"] for one in statements if one.get("Sid")]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise CheckError([(path, f"two statements have the sid {', '.join(twice)}")])


def _ordered(statement: Statement) -> Statement:
    return {key: statement[key] for key in _ORDER if statement.get(key)}


INVOKES: Mapping[str, Invoke] = {"aws:iam/getPolicyDocument:getPolicyDocument": document}
