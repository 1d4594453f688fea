"""Pulumi.yaml and Pulumi.<stack>.yaml: the program's name, entry, and configuration."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import yaml

from harness.deploy.engine.deployment import Project
from harness.deploy.engine.host import Program
from harness.errors import ProgramError, UsageError


def read_project(folder: Path, stack: str, *, region: str, overrides: Mapping[str, str]) -> tuple[Project, Program]:
    """The project in `folder`, with `overrides` on top of its configuration.

    Raises:
        UsageError: there is no Pulumi.yaml, or it is no Python project.
        ProgramError: a file is not YAML, or a secret would need another secrets provider.
    """
    path = folder / "Pulumi.yaml"
    if not path.is_file():
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
    config, secret_keys = _config(body, _read(folder / f"Pulumi.{stack}.yaml"), str(body.get("name")))
    config = {"aws:region": region, **config, **overrides}
    entry = folder / str(body.get("main") or ".")
    project = Project(
        name=str(body.get("name") or folder.name),
        stack=stack,
        folder=entry if entry.is_dir() else entry.parent,
        config=config,
        secret_keys=frozenset(secret_keys),
    )
    return project, Program(folder=project.folder, entry=entry.resolve(), interpreter=_interpreter(folder, runtime))


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


def _config(project: dict[str, Any], stack: dict[str, Any], name: str) -> tuple[dict[str, str], set[str]]:
    """Configuration as the SDK wants it: full keys, every value as text (JSON for objects)."""
    import json

    config: dict[str, str] = {}
    secret_keys: set[str] = set()
    for key, value in {**_defaults(project), **(stack.get("config") or {})}.items():
        full = key if ":" in key else f"{name}:{key}"
        if isinstance(value, dict) and set(value) == {"secure"}:
            raise ProgramError(
                f"the secret {full} is encrypted for another secrets provider",
                where="Pulumi.<stack>.yaml",
                hint=f"give it on the command line: --set {full}=VALUE",
            )
        config[full] = value if isinstance(value, str) else json.dumps(value)
    return config, secret_keys


def _defaults(project: dict[str, Any]) -> dict[str, Any]:
    """The values that Pulumi.yaml's own `config` section gives."""
    found = {}
    for key, value in (project.get("config") or {}).items():
        given = value.get("value", value.get("default")) if isinstance(value, dict) else value
        if given is not None:
            found[key] = given
    return found


def _interpreter(folder: Path, runtime: Any) -> str:
    """The virtual environment that Pulumi.yaml names, where it exists; our own interpreter otherwise."""
    import sys

    options = runtime.get("options") or {} if isinstance(runtime, dict) else {}
    candidate = folder / str(options.get("virtualenv") or "") / "bin" / "python"
    return str(candidate) if options.get("virtualenv") and candidate.exists() else sys.executable
