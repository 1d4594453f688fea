"""Which Python runs the program: the virtual environment that Pulumi.yaml names, or its tool's.

Source: Pulumi's documentation of the Python runtime's options `toolchain` (pip, poetry, uv) and `virtualenv`.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from harness.errors import UsageError, nearest

_INSTALL: Mapping[str, str] = {"pip": "", "poetry": "poetry install", "uv": "uv sync"}
"""Tool → what makes its environment."""
_ASKING_S = 30.0


def python_of(folder: Path, runtime: Any) -> tuple[str, Path | None]:
    """The interpreter; our own, with the path of the environment that is missing, where pip's does not exist yet.

    `runtime` is Pulumi.yaml's entry of that name.

    Raises:
        UsageError: the toolchain is none, or its environment does not exist.
    """
    options = runtime.get("options") or {} if isinstance(runtime, dict) else {}
    tool = str(options.get("toolchain") or "pip").lower()
    if tool not in _INSTALL:
        raise UsageError(
            f"toolchain {tool!r} is not supported", where=str(folder / "Pulumi.yaml"), hint=nearest(tool, _INSTALL)
        )
    named = options.get("virtualenv")
    venv = folder / str(named) if named else None if tool == "pip" else _environment_of(tool, folder)
    if venv is None and tool == "pip":
        return sys.executable, None
    python = venv / "bin" / "python" if venv is not None else None
    if python is not None and python.exists():
        return str(python), None
    if tool == "pip":
        return sys.executable, venv
    raise UsageError(
        f"toolchain {tool}: there is no virtual environment{f' at {venv}' if venv is not None else ''}",
        where=str(folder / "Pulumi.yaml"),
        hint=f"run `{_INSTALL[tool]}` in {folder}",
    )


def _environment_of(tool: str, folder: Path) -> Path | None:
    """Where `tool` keeps the project's environment, as far as it can be known."""
    if tool == "uv":  # beside the lock file of the project, or of the workspace above it
        root = next((one for one in (folder, *folder.parents) if (one / "uv.lock").is_file()), folder)
        return root / ".venv"
    own = folder / ".venv"
    poetry = shutil.which("poetry")
    if own.is_dir() or poetry is None:
        return own
    command = [poetry, "env", "info", "--path"]
    told = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=_ASKING_S, check=False)
    path = told.stdout.strip()
    return Path(path) if told.returncode == 0 and path else None
