"""Automatic names as a project configures them: `pulumi:autonaming` in Pulumi.<stack>.yaml or Pulumi.yaml.

Source: Pulumi's documentation of autonaming configuration: modes `default`, `verbatim`, `disabled`, or a
`pattern`; for everything, for a provider, for a type of it.
"""

from __future__ import annotations

import json
import re
import secrets
import string
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.errors import ConfigError

KEY = "pulumi:autonaming"
_HOLE = re.compile(r"\$\{([a-z]+)(?:\((\d+)\)|\.([\w:.-]+))?\}")
_ALPHABETS = {
    "hex": "0123456789abcdef",
    "alphanum": string.ascii_lowercase + string.digits,
    "string": string.ascii_lowercase,
    "num": string.digits,
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Autonaming:
    """The rules of one deployment; `words` are what patterns may use beside random digits."""

    rules: Mapping[str, Any] = field(default_factory=dict)
    words: Mapping[str, str] = field(default_factory=dict)
    config: Mapping[str, str] = field(default_factory=dict)

    def pattern(self, kind: str) -> str | None:
        """The pattern for names of type `kind`; None for Pulumi's own rule, '' where names must be given.

        Raises:
            ConfigError: the rule is none.
        """
        provider = (self.rules.get("providers") or {}).get(kind.split(":", 1)[0]) or {}
        levels = ((provider.get("resources") or {}).get(kind) or {}, provider, self.rules)
        rule = next((level for level in levels if "mode" in level or "pattern" in level), {})
        if rule.get("pattern"):
            return str(rule["pattern"])
        mode = rule.get("mode", "default")
        if mode not in ("default", "verbatim", "disabled"):
            raise ConfigError(f"{mode!r} is no mode", where=KEY, hint="default, verbatim, disabled, or a pattern")
        return {"default": None, "verbatim": "${name}", "disabled": ""}[mode]

    def expand(self, pattern: str, name: str) -> str:
        """A name made by `pattern`, `${name}-${hex(6)}`, for the resource `name`.

        Raises:
            ConfigError: the pattern uses what there is not.
        """

        def fill(hole: re.Match[str]) -> str:
            word, digits, key = hole.groups()
            if word in _ALPHABETS and digits:
                return "".join(secrets.choice(_ALPHABETS[word]) for _ in range(int(digits)))
            if word == "uuid":
                return str(uuid.uuid4())
            if word == "config" and key:
                value = self.config.get(key if ":" in key else f"{self.words['project']}:{key}")
                if value is not None:
                    return value
            known = {**self.words, "name": name}
            if word not in known:
                raise ConfigError(f"{hole[0]} stands for nothing", where=f"{KEY} pattern {pattern!r}")
            return known[word]

        return _HOLE.sub(fill, pattern)


def read_autonaming(config: Mapping[str, str], *, organization: str, project: str, stack: str) -> Autonaming:
    """The rules in a stack's configuration.

    Raises:
        ConfigError: the value is no mapping.
    """
    try:
        rules = json.loads(config.get(KEY, "{}"))
    except ValueError:
        rules = None
    if not isinstance(rules, dict):
        raise ConfigError("a mapping is expected", where=KEY, hint="for example {mode: verbatim}")
    return Autonaming(
        rules=rules, words={"organization": organization, "project": project, "stack": stack}, config=config
    )
