"""A stack of the real CLI: its project beside our state, its backend there too, its configuration written anew.

The user's folder is not touched: `Pulumi.yaml` in a folder of ours points at the program, and
`Pulumi.<stack>.yaml` beside it holds the user's configuration with the target's on top.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from harness.deploy.engine.program import Program, Project
from harness.deploy.pulumi_cli.command import pulumi_command
from harness.deploy.pulumi_cli.settings import Settings, environment
from harness.errors import StateError
from harness.files import write_atomically
from harness.target import Target


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the real CLI keeps the stacks of one target: `<state folder>/pulumi`."""

    folder: Path

    @property
    def backend(self) -> Path:
        """The file backend; the CLI makes `.pulumi/` in it."""
        return self.folder / "pulumi"

    def project(self, name: str) -> Path:
        """The folder of the project `name`, from which the CLI is run."""
        return self.backend / "projects" / name

    def checkpoints(self) -> list[Path]:
        """The CLI's files of every stack."""
        return sorted((self.backend / ".pulumi" / "stacks").glob("*/*.json"))

    def checkpoint(self, project: str, stack: str) -> Path:
        """The CLI's own file of one stack."""
        return self.backend / ".pulumi" / "stacks" / project / f"{stack}.json"


def open_stack(
    place: Place, project: Project, program: Program, target: Target, passphrase: str
) -> Any:  # a Stack of the Automation API
    """The stack, made when it is not there yet.

    Raises:
        NotReadyError: the CLI is not installed or does not fit.
        StateError: the stack cannot be opened, for example under another passphrase.
    """
    command = pulumi_command(place.folder / "processes", target)
    from pulumi.automation import CommandError, LocalWorkspace, Stack

    folder = place.project(project.name)
    folder.mkdir(parents=True, exist_ok=True)
    _write_project(folder, project, program)
    _forget_configuration(folder / f"Pulumi.{project.stack}.yaml")
    workspace = LocalWorkspace(
        work_dir=str(folder),
        secrets_provider="passphrase",
        pulumi_command=command,
        env_vars=environment(target, backend=place.backend, passphrase=passphrase, interpreter=program.interpreter),
    )
    try:
        return Stack.create_or_select(project.stack, workspace)
    except CommandError as error:
        raise StateError(
            f"pulumi cannot open the stack {project.stack}: {_last_line(str(error))}",
            where=str(place.backend),
            hint="set PULUMI_CONFIG_PASSPHRASE if the stack was made with one",
        ) from error


def configure(stack: Any, project: Project, settings: Settings) -> None:
    """Set the program's configuration, and the target's over it."""
    from pulumi.automation import ConfigValue

    over = {**settings.plain, **settings.secret}
    values = {
        key: ConfigValue(value, secret=key in project.secret_keys)
        for key, value in project.config.items()
        if key not in over and not key.startswith("aws:endpoints")
    }
    values |= {key: ConfigValue(value) for key, value in settings.plain.items()}
    values |= {key: ConfigValue(value, secret=True) for key, value in settings.secret.items()}
    stack.set_all_config(values)
    stack.set_all_config({key: ConfigValue(value) for key, value in settings.paths.items()}, path=True)


def _write_project(folder: Path, project: Project, program: Program) -> None:
    body: Mapping[str, Any] = {
        "name": project.name,
        "runtime": {"name": "python"},
        "main": os.fspath(program.entry),
        "description": "Written by blackstart for the Pulumi CLI; the program is where main says.",
    }
    write_atomically(folder / "Pulumi.yaml", yaml.safe_dump(dict(body), sort_keys=False))


def _forget_configuration(path: Path) -> None:
    """Keep a stack's encryption salt and nothing else: a key that the user took away must not stay."""
    if not path.is_file():
        return
    body = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    kept = {key: value for key, value in body.items() if key in {"encryptionsalt", "secretsprovider", "encryptedkey"}}
    write_atomically(path, yaml.safe_dump(kept), mode=0o600)


def _last_line(text: str) -> str:
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    errors = [line for line in lines if "error:" in line]
    return (errors or lines or ["no reason given"])[-1]
