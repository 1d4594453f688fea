"""Pulumi.yaml and Pulumi.<stack>.yaml: the program's name, entry, and configuration."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from harness.deploy.engine.automation_api import refuse_automation
from harness.deploy.engine.program import Program, Project
from harness.deploy.engine.secrets import PassphraseSecrets
from harness.deploy.engine.toolchain import python_of
from harness.errors import ProgramError, StateError, UsageError, nearest


def read_project(
    folder: Path, stack: str, *, region: str, overrides: Mapping[str, str], passphrase: str = ""
) -> tuple[Project, Program]:
    """The project in `folder`, with `overrides` on top of its configuration; `passphrase` opens its secrets.

    Raises:
        UsageError: there is no Pulumi.yaml, or it is no Python project.
        ProgramError: a file is not YAML, or a secret would need another secrets provider.
    """
    path = folder / "Pulumi.yaml"
    if not path.is_file():
        refuse_automation(folder)
        raise UsageError(
            "no Pulumi.yaml", where=str(folder), hint="point --program at the folder of a Pulumi program"
        )
    body = _read(path)
    runtime = body.get("runtime")
    name = runtime.get("name") if isinstance(runtime, dict) else runtime
    if name != "python":
        raise UsageError(
            f"runtime {name!r} is not supported", where=str(path), hint="the embedded engine runs python"
        )
    project_is = str(body.get("name") or folder.name)
    stack_folder = folder / str(body.get("stackConfigDir") or (body.get("config") if _is_text(body) else "") or ".")
    found = _config(body, _read(stack_folder / f"Pulumi.{stack}.yaml"), project_is, passphrase)
    config = {"aws:region": region, **found.values, **{found.full(key): text for key, text in overrides.items()}}
    _require_declared(body, config, project_is, stack)
    _refuse_unknown(config)
    entry = folder / str(body.get("main") or ".")
    if not entry.exists():
        raise UsageError(f"main: {body['main']} does not exist", where=str(path))
    refuse_automation(entry if entry.is_dir() else entry.parent)
    project = Project(
        name=project_is,
        stack=stack,
        folder=entry if entry.is_dir() else entry.parent,
        config=config,
        secret_keys=frozenset(found.secret_keys),
    )
    python, absent = python_of(folder, runtime)
    return project, Program(folder=project.folder, entry=entry.resolve(), interpreter=python, absent_venv=absent)


def _is_text(body: Mapping[str, Any]) -> bool:
    """True for the older form in which `config` is the folder of the stacks' files."""
    return isinstance(body.get("config"), str)


def project_name(folder: Path) -> str:
    """The project's name; '' where there is no readable Pulumi.yaml, which `read_project` explains."""
    try:
        return str(_read(folder / "Pulumi.yaml").get("name") or folder.name)
    except ProgramError:
        return ""


def _read(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    try:
        body = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except (OSError, yaml.YAMLError) as error:
        raise ProgramError(f"not YAML: {error}", where=str(path)) from error
    if not isinstance(body, dict):
        raise ProgramError("a mapping is expected at the top", where=str(path))
    return body


@dataclass(slots=True)
class _Configuration:
    """The configuration being put together: full keys, every value as text (JSON for objects)."""

    project: str
    secrets: PassphraseSecrets | None  # of the stack's file, when a passphrase encrypts it
    values: dict[str, str] = field(default_factory=dict)
    secret_keys: set[str] = field(default_factory=set)

    def full(self, key: str) -> str:
        """The key with its namespace."""
        return key if ":" in key else f"{self.project}:{key}"

    def take(self, key: str, value: Any, *, where: str) -> None:
        """One entry of a stack's file or of the project's defaults."""
        full = self.full(key)
        if isinstance(value, dict) and set(value) == {"secure"}:
            value = self._opened(full, str(value["secure"]), where)
            self.secret_keys.add(full)
        self.values[full] = value if isinstance(value, str) else json.dumps(value)

    def _opened(self, full: str, sealed: str, where: str) -> str:
        try:
            if self.secrets is not None:
                return self.secrets.decrypt(sealed)
            why = "encrypted for another secrets provider"
        except StateError:
            why = "encrypted with another passphrase"
        raise ProgramError(
            f"the secret {full} is {why}",
            where=where,
            hint=f"set PULUMI_CONFIG_PASSPHRASE, or give it on the command line: --set {full}=VALUE",
        )


def _config(project: dict[str, Any], stack: dict[str, Any], name: str, passphrase: str) -> _Configuration:
    salt = stack.get("encryptionsalt")
    found = _Configuration(name, PassphraseSecrets.from_state(passphrase, {"salt": salt}) if salt else None)
    for key, value in (stack.get("config") or {}).items():
        found.take(key, value, where="Pulumi.<stack>.yaml")
    schema = project.get("config")
    for key, declared in schema.items() if isinstance(schema, dict) else ():
        entry = declared if _is_declaration(declared) else {"value": declared}
        full = found.full(key)
        default = entry.get("value", entry.get("default"))
        if full not in found.values and default is not None:
            found.take(key, default, where="Pulumi.yaml")
        if entry.get("secret"):
            found.secret_keys.add(full)
    return found


def _is_declaration(value: Any) -> bool:
    """True for `{type, default, …}` of Pulumi.yaml, false for a value of its own."""
    return isinstance(value, dict) and bool({"type", "default", "value", "description", "secret"} & value.keys())


_TYPES: dict[str, Callable[[str], bool]] = {
    "string": lambda _text: True,
    "integer": lambda text: re.fullmatch(r"-?\d+", text) is not None,
    "number": lambda text: re.fullmatch(r"-?\d+(\.\d+)?([eE][-+]?\d+)?", text) is not None,
    "boolean": lambda text: text in ("true", "false"),
    "array": lambda text: text.lstrip().startswith("["),
    "object": lambda text: text.lstrip().startswith("{"),
}


_ENGINES_OWN = ("pulumi:autonaming", "pulumi:disable-default-providers", "pulumi:tags", "pulumi:template")
"""Keys that are for the engine, not the program; tags and the template are notes of the service's."""


def _refuse_unknown(config: Mapping[str, str]) -> None:
    """Settings of the engine that it would not obey.

    Raises:
        ProgramError: names the first of them.
    """
    for key in sorted(config):
        if key.startswith("pulumi:") and key not in _ENGINES_OWN:
            raise ProgramError(f"the engine has no setting {key}", where="config", hint=nearest(key, _ENGINES_OWN))


def _require_declared(project: dict[str, Any], config: Mapping[str, str], name: str, stack: str) -> None:
    """What Pulumi.yaml declares must be there, and of its type.

    Raises:
        ProgramError: names every key that is missing or of another type.
    """
    schema = project.get("config")
    wrong = []
    for key, declared in schema.items() if isinstance(schema, dict) else ():
        if not _is_declaration(declared):
            continue
        full, kind = key if ":" in key else f"{name}:{key}", str(declared.get("type", "string"))
        if full not in config:
            wrong.append(f"{full} is missing")
        elif kind in _TYPES and not _TYPES[kind](config[full]):
            secret = "[secret]" if declared.get("secret") else repr(config[full])
            wrong.append(f"{full} is {secret}, not of type {kind}")
    if wrong:
        raise ProgramError(
            f"configuration of the stack {stack}: {'; '.join(wrong)}",
            where="Pulumi.yaml",
            hint=f"set it in Pulumi.{stack}.yaml under config:, or with --set {wrong[0].split()[0]}=VALUE",
        )
