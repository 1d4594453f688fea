"""AWS FIS experiments of the running cloud, over the FIS API and nothing else."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from chaos.fis.role import stand_in
from chaos.fis.watching import Watched, Watcher
from harness.errors import ConfigError, UsageError, nearest
from harness.running import require_running
from harness.target import Target
from harness.workspace import Workspace

_LOOK_S = 0.2


def _client(workspace: Workspace) -> Any:  # boto3 makes clients at run time
    return require_running(workspace).target.client("fis")


def listing(workspace: Workspace) -> dict[str, list[dict[str, str]]]:
    """All templates (`id`, `description`) and experiments (`id`, `template`, `status`), newest last."""
    fis = _client(workspace)
    templates = [
        t for page in fis.get_paginator("list_experiment_templates").paginate() for t in page["experimentTemplates"]
    ]
    experiments = [e for page in fis.get_paginator("list_experiments").paginate() for e in page["experiments"]]
    return {
        "templates": [{"id": t["id"], "description": t.get("description", "")} for t in templates],
        "experiments": [
            {"id": e["id"], "template": e["experimentTemplateId"], "status": e["state"]["status"]}
            for e in sorted(experiments, key=lambda e: e["creationTime"])
        ],
    }


def start(workspace: Workspace, template: str) -> dict[str, str]:
    """Start an experiment from a template id, or from a JSON file as AWS documents it.

    Raises:
        ConfigError: the file is not JSON, or FIS refuses it (its own reason is given).
        UsageError: FIS knows no such template.
    """
    target = require_running(workspace).target
    fis, path = target.client("fis"), Path(template)
    template_id = _create(target, path) if path.suffix == ".json" or path.is_file() else template
    try:
        experiment = fis.start_experiment(experimentTemplateId=template_id)["experiment"]
    except ClientError as error:
        known = [t["id"] for t in listing(workspace)["templates"]]
        raise UsageError(_reason(error), where=template_id, hint=nearest(template_id, known)) from error
    return {"id": experiment["id"], "status": experiment["state"]["status"]}


def _create(target: Target, path: Path) -> str:
    try:
        body = json.loads(path.read_text())
        stand_in(target, str(body.get("roleArn", "")))
        return str(target.client("fis").create_experiment_template(**body)["experimentTemplate"]["id"])
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror}", where=str(path)) from error
    except json.JSONDecodeError as error:
        raise ConfigError(f"not JSON: {error.msg}", where=f"{path}:{error.lineno}") from error
    except (ClientError, BotoCoreError, TypeError, AttributeError) as error:
        raise ConfigError(f"FIS refuses the template: {_reason(error)}", where=str(path)) from error


def stop(workspace: Workspace, experiment: str) -> dict[str, str]:
    """Stop an experiment; its faults are healed when this returns or within a second.

    Raises:
        UsageError: FIS knows no such experiment.
    """
    try:
        body = _client(workspace).stop_experiment(id=experiment)["experiment"]
    except ClientError as error:
        raise UsageError(_reason(error), where=experiment, hint="blackstart fis list") from error
    return {"id": body["id"], "status": body["state"]["status"]}


def watch(workspace: Workspace, experiment: str, on_look: Callable[[Watched], None]) -> Watched:
    """Follow an experiment, telling how it is five times a second; returns when it has ended.

    Raises:
        UsageError: FIS knows no such experiment.
    """
    watcher = Watcher(require_running(workspace).target, experiment)
    while True:
        try:
            watched = watcher.look()
        except ClientError as error:
            raise UsageError(_reason(error), where=experiment, hint="blackstart fis list") from error
        on_look(watched)
        if watched.ended:
            return watched
        time.sleep(_LOOK_S)


def _reason(error: Exception) -> str:
    """AWS's own words where there are any."""
    response = getattr(error, "response", None)
    return str(response["Error"]["Message"]) if response else str(error)
