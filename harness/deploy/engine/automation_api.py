"""Programs of Pulumi's Automation API: found by the calls that they make, and told what to do instead.

Such a program starts the `pulumi` CLI itself for each of its stacks. Here the engine deploys one program; what is
needed is the program inside: an inline function, or the folder that it names.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from harness.errors import UsageError

_STARTS = frozenset({"create_stack", "select_stack", "create_or_select_stack", "LocalWorkspace"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """One call that would start the CLI: its place (`main.py:12`), its name, and its constant or named arguments."""

    place: str
    name: str
    inline: str = ""
    work_dir: str = ""
    project: str = ""

    def hint(self) -> str:
        """What to do about it."""
        if self.inline:
            return (
                f"deploy the inline program itself: a __main__.py that imports {self.inline} and calls it, beside a "
                f"Pulumi.yaml of two lines, `name: {self.project or 'NAME'}` and `runtime: python`"
            )
        folder = f" ({self.work_dir})" if self.work_dir else ""
        return f"point --program at the folder of the project that it deploys, its work_dir{folder}"


def automation_call(folder: Path) -> Call | None:
    """The first call of the Automation API in the Python files of `folder`; None where there is none.

    A file that does not parse has none: the run of the program tells what is wrong with it.
    """
    for path in sorted(folder.glob("*.py")):
        text = path.read_text(encoding="utf-8", errors="replace")
        if "automation" in text:
            try:
                found = next(_calls(path.name, ast.parse(text)), None)
            except SyntaxError:
                continue
            if found is not None:
                return found
    return None


def refuse_automation(folder: Path) -> None:
    """Return unless the program in `folder` would start the CLI.

    Raises:
        UsageError: with the call, and what to do instead.
    """
    call = automation_call(folder)
    if call is not None:
        raise UsageError(
            f"{call.place} calls pulumi.automation.{call.name}, which starts the pulumi CLI; the embedded engine "
            "deploys one program and starts none",
            where=str(folder),
            hint=call.hint(),
        )


def _calls(name: str, tree: ast.Module) -> Iterator[Call]:
    imported = {
        alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("pulumi.automation")
        for alias in node.names
    }
    modules = {
        alias.asname or alias.name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
        for alias in node.names
        if alias.name in {"pulumi.automation", "automation"}
    }
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        owner, _, called = ast.unparse(node.func).rpartition(".")
        if called in _STARTS and (owner in modules or called in imported):
            given = {one.arg: one.value for one in node.keywords if one.arg}
            yield Call(
                place=f"{name}:{node.lineno}",
                name=called,
                inline=ast.unparse(given["program"]) if "program" in given else "",
                work_dir=_text(given.get("work_dir")),
                project=_text(given.get("project_name")),
            )


def _text(node: ast.expr | None) -> str:
    return str(node.value) if isinstance(node, ast.Constant) else ""
