"""A new project around a Pulumi program of the user's own: config, a first scenario, load and drill."""

from __future__ import annotations

from pathlib import Path

from harness.config import FILE_NAME
from harness.errors import UsageError
from harness.files import write_atomically

CONFIG = """\
# The project file of Blackstart. Unknown keys are errors.

[project]
program = "{program}"
scenarios = "scenarios"
drills = "drills"
load = "scenarios/load/locustfile.py"

[policy.AZ]
rto = "30s"
rpo = "0s"
"""

SCENARIO = '''\
"""A first scenario: the stack is up and answers."""


def test_the_stack_has_outputs(blackstart_stack):
    assert blackstart_stack.outputs, "export something from the Pulumi program, for example the API's URL"
'''

LOCUSTFILE = '''\
"""Who uses the stack: replace the path with one of your API's."""

import json
import os
from pathlib import Path

from locust import HttpUser, constant, task

STACK = json.loads(Path(os.environ["BLACKSTART_STACK_FILE"]).read_text())


class Visitor(HttpUser):
    """Asks the API once a second."""

    host = STACK["outputs"].get("api_url", STACK["target"]["endpoint"])
    wait_time = constant(1)

    @task
    def ask(self) -> None:
        """One request."""
        self.client.get("/")
'''


def scaffold(folder: Path) -> list[Path]:
    """Write the files of a new project into `folder`; returns their paths. Nothing of the user's is overwritten.

    Raises:
        UsageError: one of the files exists already; then nothing is written.
    """
    program = next((path.parent for path in sorted(folder.glob("*/Pulumi.yaml"))), folder)
    files = {
        folder / FILE_NAME: CONFIG.format(program=program.relative_to(folder)),
        folder / "scenarios" / "test_stack.py": SCENARIO,
        folder / "scenarios" / "load" / "locustfile.py": LOCUSTFILE,
    }
    for path in files:
        if path.exists():
            raise UsageError("exists already", where=str(path), hint="nothing was written; move it away first")
    for path, text in files.items():
        write_atomically(path, text)
    (folder / "drills").mkdir(exist_ok=True)
    return list(files)
