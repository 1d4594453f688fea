"""The zoo's drills: short, one fault each, written as the drill file and the FIS template that people would write."""

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FUNCTION_TARGET = "aws:lambda:function"


@dataclass(frozen=True, kw_only=True)
class ShortDrill:
    """`action` is an FIS action with its parameters; `role` tags the functions it hits, if it hits functions."""

    title: str
    action: str
    parameters: dict[str, str]
    role: str = ""
    attempts: int = 1
    objectives: dict[str, Any] = field(default_factory=dict)
    replica: bool = False
    duration: str = "4s"
    hold: str = "3s"
    must_recover_in_fault: bool = False
    disruption: str = "Software"

    def template(self) -> dict[str, Any]:
        """The experiment template, as CreateExperimentTemplate takes it."""
        action: dict[str, Any] = {"actionId": self.action, "parameters": {"duration": "PT1M", **self.parameters}}
        targets: dict[str, Any] = {}
        if self.role:
            action["targets"] = {"Functions": "functions"}
            tags = {"app": "orders", "role": self.role}
            targets["functions"] = {"resourceType": FUNCTION_TARGET, "resourceTags": tags, "selectionMode": "ALL"}
        return {
            "description": self.title,
            "roleArn": "arn:aws:iam::000000000000:role/fis-experiments",
            "stopConditions": [{"source": "none"}],
            "targets": targets,
            "actions": {"break": action},
        }


def _api_errors(service: str, operations: str, percentage: int) -> dict[str, str]:
    return {"service": service, "operations": operations, "percentage": str(percentage)}


INTERNAL_ERROR = "aws:fis:inject-api-internal-error"

DRILLS = {
    "notify-fails": ShortDrill(
        title="Most notifications fail, after charge and receipt",
        action=INTERNAL_ERROR,
        parameters=_api_errors("sns", "Publish", 80),
    ),
    "storage-fails": ShortDrill(
        title="Most receipts cannot be written",
        action=INTERNAL_ERROR,
        parameters=_api_errors("s3", "PutObject", 80),
    ),
    "table-fails": ShortDrill(
        title="Almost half of the transactions of the orders table fail",
        action=INTERNAL_ERROR,
        parameters=_api_errors("dynamodb", "TransactWriteItems", 45),
        objectives={"availability_in_fault": 0.72, "static_stability": True, "staleness": "15s"},
        replica=True,
    ),
    "bus-fails": ShortDrill(
        title="Most events are refused by the bus",
        action=INTERNAL_ERROR,
        parameters=_api_errors("events", "PutEvents", 80),
    ),
    "fulfil-fails": ShortDrill(
        title="Most invocations of the fulfilment fail",
        action="aws:lambda:invocation-error",
        parameters={"invocationPercentage": "60", "preventExecution": "true"},
        role="fulfil",
    ),
    "alarm-tells": ShortDrill(
        title="Fulfilment fails, and an alarm must tell",
        action="aws:lambda:invocation-error",
        parameters={"invocationPercentage": "60", "preventExecution": "true"},
        role="fulfil",
        objectives={"detect": "75s"},
        hold="80s",  # alarms on Lambda's metrics have periods of a minute
    ),
    "place-fails-after": ShortDrill(
        title="Half of the order-taking invocations fail after their work is done; clients send again",
        action="aws:lambda:invocation-error",
        parameters={"invocationPercentage": "50", "preventExecution": "false"},
        role="place",
        attempts=3,
    ),
    "zone-loss": ShortDrill(
        title="A zone loses its power",
        action="blackstart:az:interrupt-power",
        parameters={"availabilityZoneIdentifier": "use1-az2"},
        objectives={"rto": "8s", "static_stability": True},
        must_recover_in_fault=True,
        duration="8s",
        disruption="AZ",
    ),
}

_FILE = """\
name = "{name}"
title = "{title}"
disruption = "{disruption}"

[experiment]
template = "{name}.json"
duration = "{duration}"

[workload]
rate = 20.0
timeout = "4s"

[[workload.operations]]
kind = "place_order"
method = "POST"
url = "{{outputs.api_url}}/orders"
headers = {{ "Idempotency-Key" = "{{key}}" }}
body = {{ customer = "prober", items = [{{ sku = "tea", quantity = 1 }}] }}
ok = [200, 201]
write = true
attempts = {attempts}

[method]
latency_limit = "3.5s"
baseline = "4s"
window = "1s"
hold = "{hold}"
deadline = "15s"
must_recover_in_fault = {recover}

[verification]
table = "{{outputs.orders_table}}"
key = "idempotency_key"
replica = "{replica}"
settled = {{ status = "FULFILLED" }}
settle = "25s"

[[verification.effects]]
name = "receipts"
bucket = "{{outputs.receipts_bucket}}"
object = "receipts/{{order_id}}.json"

[[verification.effects]]
name = "charges"
table = "{{outputs.payments_table}}"
attribute = "order_id"
equals = "{{order_id}}"

[objectives]
lost = 0
duplicates = 0
phantom = 0
unfulfilled = 0
"""


def write_drill(name: str, folder: Path) -> Path:
    """The drill file, with its template beside it."""
    drill = DRILLS[name]
    text = _FILE.format(
        name=name,
        title=drill.title,
        disruption=drill.disruption,
        duration=drill.duration,
        hold=drill.hold,
        replica="{outputs.replica_region}" if drill.replica else "",
        attempts=drill.attempts,
        recover=str(drill.must_recover_in_fault).lower(),
    )
    text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in drill.objectives.items())
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(drill.template(), indent=2))
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path
