"""The Python of an aws:executeScript step, in a process of its own with the automation role's credentials.

Source: https://docs.aws.amazon.com/systems-manager/latest/userguide/automation-action-executeScript.html
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness import processes

LONGEST_S = 600.0
"""AWS ends a script after ten minutes."""

_POLL_S = 0.02
_HOST = """
import json, sys
order = json.load(open(sys.argv[1]))
names = {"__name__": "script"}
exec(compile(order["script"], "script", "exec"), names)
result = names[order["handler"].rpartition(".")[2]](order["payload"], {})
json.dump({"Payload": result}, open(sys.argv[2], "w"), default=str)
"""


class ScriptError(Exception):
    """The script raised, or was ended."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScriptHost:
    """Where scripts run: their processes are ours, recorded, and reaped with the cloud."""

    registry: Path
    endpoint: str

    def run(
        self, inputs: Mapping[str, Any], environment: Mapping[str, str], cancelled: threading.Event
    ) -> dict[str, Any]:
        """Run a script to its end; its result is under `Payload`.

        Raises:
            ScriptError: it raised, took too long, or was cancelled; carries the end of what it said.
        """
        if not str(inputs.get("Runtime", "")).lower().startswith("python"):
            raise ScriptError(f"runtime {inputs.get('Runtime')!r} is not Python, which alone runs here")
        with tempfile.TemporaryDirectory(prefix="automation-") as folder:
            order, answer, said = Path(folder, "order"), Path(folder, "answer"), Path(folder, "said")
            body = {
                "script": inputs["Script"],
                "handler": inputs["Handler"],
                "payload": inputs.get("InputPayload", {}),
            }
            order.write_text(json.dumps(body, default=str))
            with said.open("wb") as log:
                process = processes.spawn(
                    [sys.executable, "-c", _HOST, str(order), str(answer)],
                    role="automation",
                    registry=self.registry,
                    env={**os.environ, **environment, "AWS_ENDPOINT_URL": self.endpoint},
                    stdout=log,
                    stderr=subprocess.STDOUT,
                )
            code = self._wait(process, cancelled)
            if code != 0 or not answer.exists():
                raise ScriptError(said.read_text(errors="replace").strip()[-800:] or f"it ended with code {code}")
            return dict(json.loads(answer.read_text()))

    def _wait(self, process: subprocess.Popen[bytes], cancelled: threading.Event) -> int:
        for _ in range(int(LONGEST_S / _POLL_S)):
            if cancelled.is_set():
                processes.stop(process, registry=self.registry, grace_s=1.0)
                raise ScriptError("cancelled")
            try:
                code = process.wait(_POLL_S)
            except subprocess.TimeoutExpired:
                continue
            processes.forget(self.registry, process.pid)
            return code
        processes.stop(process, registry=self.registry, grace_s=1.0)
        raise ScriptError(f"it took longer than {LONGEST_S:g} s")
