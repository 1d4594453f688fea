"""Runs one procedure in a process of its own: `python -m chaos.failover.host RUNBOOK MODULE:FUNCTION [FOLDER]`.

Exit code 0 when it returned, 1 when it raised; the last line of standard error says why.
"""

from __future__ import annotations

import sys
import traceback
from importlib import import_module
from pathlib import Path

from chaos.failover.parts import function_of
from chaos.failover.runbook import read_runbook


def main(arguments: list[str]) -> int:
    """Run it. FOLDER is looked into for the module first, then what is installed."""
    path, procedure, *folders = arguments
    sys.path[:0] = [*folders, str(Path.cwd())]
    module, name = function_of(procedure) or ("", "")
    try:
        getattr(import_module(module), name)(read_runbook(Path(path)))
    except Exception as error:  # noqa: BLE001 - whatever a procedure raises, it has failed
        traceback.print_exc()
        sys.stderr.write(f"{type(error).__name__}: {error}\n".replace("\n", " ").strip() + "\n")
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
