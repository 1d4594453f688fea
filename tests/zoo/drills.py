"""The zoo's drills: short, one fault each, written as the drill file and the FIS template that people would write."""

import json
import shutil
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

FUNCTION_TARGET = "aws:lambda:function"


@dataclass(frozen=True, kw_only=True)
class ShortDrill:
    """`action` is an FIS action with its parameters; `role` tags the functions it hits, if it hits functions.

    `objectives` are set beside those that every drill of the orders has; `more` is what else its file says.
    """

    title: str
    action: str
    stack: str = "orders"
    lasts: bool = True
    parameters: dict[str, str]
    role: str = ""
    attempts: int = 1
    rate: float = 10.0
    timeout: str = "4s"
    objectives: dict[str, Any] = field(default_factory=dict)
    replica: bool = False
    restore: bool = False
    reads: float = 0.0
    duration: str = "4s"
    deadline: str = "15s"
    must_recover_in_fault: bool = False
    disruption: str = "Software"
    orders: dict[str, Any] = field(
        default_factory=lambda: {"lost": 0, "duplicates": 0, "phantom": 0, "unfulfilled": 0, "wrong": 0}
    )
    more: str = ""
    targets: dict[str, Any] = field(default_factory=dict)
    zones: tuple[str, ...] = ()

    def _in_each_zone(self, action: dict[str, Any]) -> dict[str, Any]:
        return {
            zone: {**action, "parameters": {**action["parameters"], "availabilityZoneIdentifier": zone}}
            for zone in self.zones
        }

    def template(self) -> dict[str, Any]:
        """The experiment template, as CreateExperimentTemplate takes it."""
        lasting = {"duration": "PT1M"} if self.lasts else {}
        action: dict[str, Any] = {"actionId": self.action, "parameters": {**lasting, **self.parameters}}
        targets = dict(self.targets)
        if self.role:
            action["targets"] = {"Functions": "functions"}
            tags = {"app": "orders", "role": self.role}
            targets["functions"] = {"resourceType": FUNCTION_TARGET, "resourceTags": tags, "selectionMode": "ALL"}
        elif targets:
            action["targets"] = {slot: slot.lower() for slot in targets}
            targets = {slot.lower(): target for slot, target in targets.items()}
        return {
            "description": self.title,
            "roleArn": "arn:aws:iam::000000000000:role/fis-experiments",
            "stopConditions": [{"source": "none"}],
            "targets": targets,
            "actions": {"break": action} if not self.zones else self._in_each_zone(action),
        }


def _api_errors(service: str, operations: str, percentage: int) -> dict[str, str]:
    return {"service": service, "operations": operations, "percentage": str(percentage)}


INTERNAL_ERROR = "aws:fis:inject-api-internal-error"

LATENCY = "blackstart:api:add-latency"


def _slow(service: str, operations: str, percentage: int, delay_s: float) -> dict[str, str]:
    return {**_api_errors(service, operations, percentage), "delayMilliseconds": str(round(delay_s * 1000))}


ORDERS_TABLE = {"Tables": {"resourceType": "aws:dynamodb:global-table", "resourceTags": {"app": "orders"},
                           "selectionMode": "ALL"}}  # fmt: skip
NOTIFICATIONS = """
[[verification.effects]]
name = "notifications"
queue = "{outputs.notifications_queue_url}"
attribute = "order_id"
equals = "{order_id}"
"""
GIVEN_UP = """
[detection]
alarms = ["{outputs.dead_letters_alarm}"]
"""

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
        rate=20.0,
    ),
    "table-down": ShortDrill(
        title="Every transaction of the orders table fails",
        action=INTERNAL_ERROR,
        parameters=_api_errors("dynamodb", "TransactWriteItems", 100),
        objectives={"amplification": 4.0},
    ),
    "table-restored": ShortDrill(
        title="Almost half of the transactions fail, and the orders are read from a restored table",
        action=INTERNAL_ERROR,
        parameters=_api_errors("dynamodb", "TransactWriteItems", 45),
        restore=True,
    ),
    "table-slow": ShortDrill(
        title="A third of the transactions take longer than any customer waits",
        action=LATENCY,
        parameters=_slow("dynamodb", "TransactWriteItems", 33, 8.0),
        objectives={"availability_in_fault": 0.85},
        duration="6s",
    ),
    "work-slow": ShortDrill(
        title="Charges and receipts take their time",
        action=LATENCY,
        parameters=_slow("dynamodb", "PutItem", 100, 0.8),
        more=NOTIFICATIONS,
        duration="6s",
    ),
    "replication-pauses": ShortDrill(
        title="The replica of the orders stands still",
        action="aws:dynamodb:global-table-pause-replication",
        parameters={},
        targets=ORDERS_TABLE,
        objectives={"availability_in_fault": 0.95},
        reads=3.0,
        duration="8s",
    ),
    "reads-fail": ShortDrill(
        title="Most reads of an order fail",
        action=INTERNAL_ERROR,
        parameters=_api_errors("dynamodb", "GetItem", 70),
        reads=3.0,
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
        objectives={"detect": "75s"},  # alarms on Lambda's metrics have periods of a minute
    ),
    "given-up-tells": ShortDrill(
        title="Receipts cannot be written until orders are given up, and an alarm must tell",
        action=INTERNAL_ERROR,
        parameters=_api_errors("s3", "PutObject", 100),
        objectives={"detect": "120s"},
        orders={"lost": 0, "duplicates": 0, "phantom": 0},
        duration="25s",
        rate=4.0,
        more=GIVEN_UP,
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
        duration="13s",
        disruption="AZ",
    ),
}

DRILLS |= {
    "region-loss": ShortDrill(
        title="Every zone of the region loses its power",
        stack="two_regions",
        action="blackstart:az:interrupt-power",
        parameters={},
        zones=("use1-az1", "use1-az2", "use1-az3"),
        objectives={"rto": "8s"},
        orders={},
        must_recover_in_fault=True,
        timeout="2s",
        duration="10s",
        disruption="Region",
    ),
    "writer-changes": ShortDrill(
        title="The cluster fails over to its reader",
        stack="payments",
        action="aws:rds:failover-db-cluster",
        parameters={},
        lasts=False,
        targets={
            "Clusters": {
                "resourceType": "aws:rds:cluster",
                "resourceTags": {"app": "payments"},
                "selectionMode": "ALL",
            }
        },
        objectives={"rto": "15s"},
        orders={},
        disruption="Hardware",
    ),
}

CHAOS = Path(__file__).parents[2] / "chaos"


@dataclass(frozen=True, kw_only=True)
class OwnDrill:
    """A drill of this project, in short: texts of its file and what they become. Its standby is the zoo's stack."""

    file: str
    edits: dict[str, str]
    stack: str = "orders"

    def write(self, name: str, folder: Path) -> Path:
        """The drill file, with what it refers to beside it."""
        for beside in ("experiments", "workloads"):
            shutil.copytree(CHAOS / beside, folder.parent / beside, dirs_exist_ok=True)
        text = (CHAOS / "drills" / f"{self.file}.toml").read_text()
        for old, new in {
            f'name = "{self.file}"': f'name = "{name}"',
            "../../pulumi_stack": "../orders",
            **self.edits,
        }.items():
            if text.count(old) != 1:
                raise ValueError(f"{self.file} has the text {old!r} {text.count(old)} times")
            text = text.replace(old, new)
        path = folder / f"{name}.toml"
        path.write_text(text)
        return path


DRILLS |= {
    "pilot-light": OwnDrill(
        file="region-loss-pilot-light",
        edits={
            'alarm = "{outputs.standby_traffic_alarm}"': 'after = "8s"',
            'timeout = "120s"': 'timeout = "45s"',
            'baseline = "10s"': 'baseline = "3s"',
            'hold = "10s"': 'hold = "3s"',
            'deadline = "200s"': 'deadline = "60s"',
            'rto = "150s"': 'rto = "60s"',
        },
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
rate = {rate}
timeout = "{timeout}"

{operations}
[method]
latency_limit = "3.5s"
baseline = "3s"
window = "1s"
hold = "2s"
deadline = "{deadline}"
must_recover_in_fault = {recover}
{more}
{verification}{effects}
[objectives]
"""

_ORDERS = """
[[workload.operations]]
kind = "place_order"
method = "POST"
url = "{outputs.api_url}/orders"
headers = { "Idempotency-Key" = "{key}" }
body = { customer = "customer of {key}", items = [{ sku = "tea", quantity = 1 }] }
ok = [200, 201]
write = true
attempts = ATTEMPTS
capture = { order_id = "order_id" }
"""
_READS = """
[[workload.operations]]
kind = "read_order"
method = "GET"
url = "{outputs.api_url}/orders/{acked.order_id}"
expect = { order_id = "{acked.order_id}" }
"""


_VERIFICATION = """
[verification]
table = "{outputs.orders_table}"
key = "idempotency_key"
replica = "REPLICA"
restore = RESTORE
settled = { status = "FULFILLED" }
settle = "25s"
content = { customer = "customer of {key}" }
queues = ["{outputs.fulfil_queue_url}"]

[[verification.counters]]
name = "stock of tea"
table = "{outputs.stock_table}"
key = { sku = "tea" }
attribute = "available"
each = -1

[[verification.effects]]
name = "receipts"
bucket = "{outputs.receipts_bucket}"
object = "receipts/{order_id}.json"

[[verification.effects]]
name = "charges"
table = "{outputs.payments_table}"
attribute = "order_id"
equals = "{order_id}"
"""

_POST = """
[[workload.operations]]
kind = "post"
method = "POST"
url = "URL"
fallback = "FALLBACK"
headers = { "Idempotency-Key" = "{key}" }
ok = [201]
write = true
"""
_URLS = {
    "two_regions": ("{outputs.url_us_east_1}/orders", "{outputs.url_us_west_2}/orders"),
    "payments": ("{outputs.url}/payments", ""),
}


def _operations(drill: ShortDrill) -> str:
    if drill.stack != "orders":
        url, fallback = _URLS[drill.stack]
        return _POST.replace("URL", url).replace("FALLBACK", fallback)
    reads = f"{_READS}weight = {drill.reads}\n" if drill.reads else ""
    return _ORDERS.replace("ATTEMPTS", str(drill.attempts)) + reads


def _verification(drill: ShortDrill) -> str:
    if drill.stack != "orders":
        return ""
    replica = "{outputs.replica_region}" if drill.replica else ""
    return _VERIFICATION.replace("REPLICA", replica).replace("RESTORE", str(drill.restore).lower())


def write_drill(name: str, folder: Path) -> Path:
    """The drill file, with its template beside it."""
    drill = DRILLS[name]
    folder.mkdir(parents=True, exist_ok=True)
    if isinstance(drill, OwnDrill):
        return drill.write(name, folder)
    effects = drill.more if drill.more.startswith("\n[[verification") else ""
    text = _FILE.format(
        name=name,
        title=drill.title,
        disruption=drill.disruption,
        duration=drill.duration,
        rate=drill.rate,
        timeout=drill.timeout,
        operations=_operations(drill),
        verification=_verification(drill),
        deadline=drill.deadline,
        recover=str(drill.must_recover_in_fault).lower(),
        effects=effects,
        more="" if effects else drill.more,
    )
    text += "".join(f"{key} = {json.dumps(value)}\n" for key, value in {**drill.orders, **drill.objectives}.items())
    (folder / f"{name}.json").write_text(json.dumps(drill.template(), indent=2))
    path = folder / f"{name}.toml"
    path.write_text(text)
    return path
