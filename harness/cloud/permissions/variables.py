"""Policy variables: `${aws:PrincipalTag/team}` stands for what it is for the caller; the emulator takes it literally.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

from __future__ import annotations

import functools
import re
from typing import Any, Final

_VARIABLE = re.compile(r"\$\{([^},]+)(?:,\s*'([^']*)')?\}")
_LITERAL: Final = {"*": "?", "?": "?", "$": "$"}
"""`${*}` is the character itself: any one character comes nearest to it."""


class _AbsentError(Exception):
    """A variable stands for nothing here: its statement does not apply."""


def install() -> None:
    """Let them be replaced. Call it before the emulator serves, after what finds condition keys."""
    from ministack.core import iam_evaluator

    parse, first_match = iam_evaluator.parse_policy_document, iam_evaluator._first_match  # noqa: SLF001 - a seam
    some: list[bool] = []  # not empty once any policy has had a variable: until then nothing is looked for

    class Varying(iam_evaluator.ParsedStatement):  # type: ignore[misc]
        """A statement with a variable in it."""

    def marked(document: Any) -> tuple[Any, ...]:
        found = [(one, "${" in f"{one.resources}{one.not_resources}{one.conditions}") for one in parse(document)]
        some.extend(varies for _, varies in found if varies and not some)
        return tuple(Varying(**vars(one)) if varies else one for one, varies in found)

    of_text = functools.lru_cache(maxsize=4096)(marked)  # ministack parses a caller's policies twice for each call

    def parsed(document: Any) -> list[Any]:
        return list(of_text(document) if isinstance(document, str) else marked(document))

    def matched(context: Any, statements: list[Any], effect: str) -> Any:
        if some and any(type(one) is Varying for one in statements):
            replaced = (_replaced(one, context) if type(one) is Varying else one for one in statements)
            statements = [one for one in replaced if one is not None]
        return first_match(context, statements, effect)

    iam_evaluator.parse_policy_document, iam_evaluator._first_match = parsed, matched  # noqa: SLF001


def _replaced(statement: Any, context: Any) -> Any:
    """The statement as it is for the caller; None when a variable stands for nothing."""
    from ministack.core.iam_evaluator import ParsedStatement

    members = ("resources", "not_resources", "conditions")
    try:
        changed = {name: _filled(getattr(statement, name), context) for name in members}
    except _AbsentError:
        return None
    return ParsedStatement(**(vars(statement) | changed))


def _filled(value: Any, context: Any) -> Any:
    if isinstance(value, str):
        return _VARIABLE.sub(lambda found: _value(found, context), value)
    if isinstance(value, list):
        return [_filled(one, context) for one in value]
    return {key: _filled(one, context) for key, one in value.items()} if isinstance(value, dict) else value


def _value(found: re.Match[str], context: Any) -> str:
    from ministack.core import iam_evaluator

    name, default = found[1].strip(), found[2]
    if name in _LITERAL:
        return _LITERAL[name]
    value = iam_evaluator._resolve_condition_key(name, context)  # noqa: SLF001 - this file is a seam into ministack
    if isinstance(value, str):
        return value.replace("*", "?")
    if default is None:
        raise _AbsentError(name)
    return default
