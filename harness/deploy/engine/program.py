"""What is deployed: the program, and the project with its configuration."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """The program and its configuration; keys are `namespace:name`."""

    name: str
    stack: str
    folder: Path
    config: Mapping[str, str] = field(default_factory=dict)
    secret_keys: frozenset[str] = frozenset()
    organization: str = "organization"


@dataclass(frozen=True, slots=True, kw_only=True)
class Program:
    """Where the program is and how it is run. `entry` is what runpy gets: the folder, or Pulumi.yaml's `main`.

    `absent_venv` is the virtual environment that Pulumi.yaml names, where it does not exist.
    """

    folder: Path
    entry: Path
    interpreter: str = sys.executable
    absent_venv: Path | None = None
