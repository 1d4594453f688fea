"""One phase of a build as a script of bash: all commands of a build share a folder and variables, as on AWS."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

_HEAD = """\
_state={state}
[ -f "$_state" ] && . "$_state"
trap '{{ export -p; printf "cd %q\\n" "$PWD"; }} > "$_state"' EXIT
_say() {{ printf '[Container] %s %s\\n' "$(date -u '+%Y/%m/%d %H:%M:%S.%6N')" "$1"; }}
"""


def script_of(commands: Sequence[str], state: Path) -> str:
    """Run each command until one fails; `state` carries folder and exported variables on to the next phase.

    A failure is said as CodeBuild says it, and is the script's own exit status.
    """
    lines = [_HEAD.format(state=shlex.quote(str(state)))]
    for command in commands:
        said = shlex.quote(command)
        lines.append(
            f"_say 'Running command '{said}\n"
            f"eval {said}\n"
            f"_code=$?\n"
            f'if [ "$_code" -ne 0 ]; then _say "Command did not exit successfully "{said}" exit status $_code"; '
            f'exit "$_code"; fi'
        )
    return "\n".join(lines) + "\n"
