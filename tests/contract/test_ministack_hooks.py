"""Every name of ministack that we reach into is pinned here: what it is called with, and that it is still there.

An upgrade of ministack that moves one of them fails here first, and says which; so does a hook that is not pinned.
After an upgrade, look at what changed, mend the hook, then run this file as a program for a new table.
"""

import ast
import importlib
import inspect
import json
import os
import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

CLOUD = Path(__file__).parents[2] / "harness" / "cloud"
PINNED = Path(__file__).with_name("ministack_seams.json")


def hook_files() -> list[Path]:
    """The files that import ministack; import-linter keeps them few."""
    return [path for path in sorted(CLOUD.rglob("*.py")) if "from ministack" in path.read_text()]


def reached(path: Path) -> Iterator[str]:
    """`module.name` for each attribute of a ministack module that a file touches."""
    tree = ast.parse(path.read_text())
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        modules: dict[str, str] = {}
        for node in ast.walk(function):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("ministack"):
                for alias in node.names:
                    modules[alias.asname or alias.name] = f"{node.module}.{alias.name}"
        for name in modules.values():
            if not _is_module(name):
                yield name
        for node in ast.walk(function):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in modules:
                module = modules[node.value.id]
                if _is_module(module):
                    yield f"{module}.{node.attr}"


def _is_module(name: str) -> bool:
    try:
        importlib.import_module(name)
    except ModuleNotFoundError:
        return False
    return True


def shape(name: str) -> str:
    """A function's parameters, or what kind of thing it is."""
    module, _, attribute = name.rpartition(".")
    found: Any = getattr(importlib.import_module(module), attribute)
    if inspect.isclass(found):
        return "class"
    if not callable(found):
        return type(found).__name__
    return re.sub(r" at 0x[0-9a-f]+", "", str(inspect.signature(found)))  # a default that is only itself


def table() -> dict[str, str]:
    os.environ.setdefault("BIND_HOST", "127.0.0.1")
    names = {name for path in hook_files() for name in reached(path)}
    return {name: shape(name) for name in sorted(names)}


@pytest.mark.filterwarnings("ignore")  # ministack's own, at import
def test_what_we_reach_into_is_as_it_was() -> None:
    found = table()
    assert len(found) > 20
    assert found == json.loads(PINNED.read_text())


@pytest.mark.filterwarnings("ignore")
def test_the_executor_is_what_every_trigger_ends_in() -> None:
    """`_execute_function` takes a slot and then calls what we replace; nothing else is called with the record."""
    from ministack.services import lambda_svc

    source = inspect.getsource(lambda_svc._execute_function)
    rest = inspect.getsource(lambda_svc).replace(source, "")
    inner = [
        name
        for name, function in inspect.getmembers(lambda_svc, inspect.isfunction)
        if "_execute_function_dispatch(" in inspect.getsource(function) and name != "_execute_function_dispatch"
    ]
    assert len(inner) == 1, inner
    assert "_execute_function(" in rest


if __name__ == "__main__":
    PINNED.write_text(json.dumps(table(), indent=1) + "\n")
    sys.stdout.write(f"{len(table())} names pinned\n")
