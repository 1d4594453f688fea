"""Every template in chaos/experiments is one that AWS takes, or says that it is for the embedded cloud only."""

import json
from pathlib import Path
from typing import Any

import pytest

from chaos.fis.actions import ACTIONS, ELSEWHERE
from chaos.fis.actions.api_errors import ON_AWS
from chaos.fis.constraints import check
from chaos.fis.model import _routes
from chaos.fis.template import check_template
from harness.clock import parse_duration_s
from harness.target import EMBEDDED

FOLDER = Path(__file__).parents[3] / "chaos" / "experiments"
FILES = sorted(FOLDER.glob("*.json"))
LIBRARY = {
    "az-power-interruption", "az-application-slowdown", "cross-az-traffic-slowdown", "cross-region-connectivity",
    "lambda-brown-out", "dependency-brown-out", "poison-queue", "throttling-storm", "replication-lag",
    "control-plane-outage", "thundering-reconnect", "expired-credentials", "zone-loss",
}  # fmt: skip


def test_the_library_is_whole() -> None:
    assert {path.stem for path in FILES} >= LIBRARY


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_template_is_accepted(path: Path) -> None:
    template = json.loads(path.read_text())
    shape = next(
        operation.input_shape for _, _, operation in _routes() if operation.name == "CreateExperimentTemplate"
    )
    check(shape, {"clientToken": "t", **template})
    check_template(template, EMBEDDED)


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_template_runs_on_aws_or_says_that_it_does_not(path: Path) -> None:
    template = json.loads(path.read_text())
    for action in template["actions"].values():
        for name, text in action.get("parameters", {}).items():
            if name.lower().endswith("duration"):
                assert 60 <= parse_duration_s(text) <= 12 * 3600
    ours = [name for name, action in template["actions"].items() if not on_aws(action)]
    said = "embedded cloud only" in template["description"] or "is ours" in template["description"]
    assert bool(ours) == said, ours


def on_aws(action: dict[str, Any]) -> bool:
    known = ACTIONS.get(action["actionId"]) or ELSEWHERE[action["actionId"]]
    parameters = action.get("parameters", {})
    if known.id.startswith("aws:fis:inject-api-"):
        return parameters["service"] in ON_AWS and "Roles" in action.get("targets", {})
    return known.id.startswith("aws:")
