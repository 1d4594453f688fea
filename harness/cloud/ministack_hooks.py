"""Where we reach into ministack, beside the `emulated.py` files. `tests/contract/test_ministack_hooks.py` pins it.

What we keep of ministack and what we replace, for Lambda: every trigger ends in
`lambda_svc._execute_function(record, event)`. It re-enters under the function's own account and region,
takes a concurrency slot (reserved and account limits, with AWS's throttle shape) and then calls
`_execute_function_dispatch`, which picks an executor and writes a synthetic log. `install_executor`
replaces that last call: scope, slots and throttles stay ministack's, execution and logs become ours.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.cloud.egress import WayOut

FunctionRecord = dict[str, Any]
"""ministack's record of a function: `config` (as GetFunctionConfiguration gives it), `code_zip`, `concurrency`…"""

ExecutionResult = dict[str, Any]
"""What ministack wants back: `body` (JSON value), and optionally `error` (True: `body` is the error object),
`throttle` (True: answers 429), `log` (text for LogResult). The callers of `_execute_function` read nothing else."""

Execute = Callable[[FunctionRecord, Any], ExecutionResult]
"""Runs one invocation: the function's record, the event as a JSON value. Called from ministack's worker threads."""


_ANYWHERE = frozenset({"0.0.0.0/0", "::/0"})


def install_executor(execute: Execute) -> Callable[[], None]:
    """Let `execute` run every Lambda invocation, whatever triggered it; returns what undoes it.

    `execute` is called with account and region of the function in ministack's context variables and with a
    concurrency slot held. It writes its own logs. Invoke metrics stay with ministack's Invoke API.
    """
    from ministack.services import lambda_svc

    builtin = lambda_svc._execute_function_dispatch  # noqa: SLF001 - the seam that this file is for

    def dispatch(
        record: FunctionRecord, config: Mapping[str, Any], event: Any, request_id: str, started: float
    ) -> ExecutionResult:
        del config, request_id, started  # the record holds the configuration; the environment has its own request id
        return execute(record, event)

    def restore() -> None:
        lambda_svc._execute_function_dispatch = builtin  # noqa: SLF001

    dispatch.builtin = builtin  # type: ignore[attr-defined]
    lambda_svc._execute_function_dispatch = dispatch  # noqa: SLF001
    return restore


PENDING_S = 0.05
"""How long a new or changed function is Pending: long enough to be seen."""


def functions_are_soon_active() -> None:
    """Half a second of ministack's, for nothing that happens, held up each deployment of a function."""
    from ministack.services import lambda_svc

    lambda_svc._LAMBDA_STATE_TRANSITION_DELAY = PENDING_S  # noqa: SLF001


def keep_what_is_put() -> None:
    """Let what ministack loses be kept. `tests/integration/providers` sees each over the wire.

    - Each subnet has a network ACL, as on EC2: the VPC's default one until it is given another. ministack associates
      none, and forgets which subnet an association that is replaced was of.
    - Patches of REST APIs keep lists, escaped names and types.
    - An event bus has the policy that was put as a whole.
    """
    before_first_call("ec2", _keep_acl_associations)
    before_first_call("apigateway", _keep_patches)
    before_first_call("events", _keep_bus_policies)


def before_first_call(service: str, prepare: Callable[[], None]) -> None:
    """Run `prepare` when the service is first called: ministack imports it no sooner."""
    from ministack import app

    builtin, done = app.SERVICE_HANDLERS[service], threading.Event()

    async def handle(*request: Any) -> Any:
        if not done.is_set():
            done.set()
            prepare()
        return await builtin(*request)

    app.SERVICE_HANDLERS[service] = handle


def _keep_patches() -> None:
    from ministack.services import apigateway_v1

    from harness.cloud.json_patch import apply_patch

    apigateway_v1._apply_patch = apply_patch  # noqa: SLF001


def answer_at_the_root() -> None:
    """An API's address without a path is its root, as it is for any URL."""
    from ministack import app

    builtin = app._parse_execute_api_url  # noqa: SLF001

    def parse(host: str, path: str) -> tuple[str, str, str] | None:
        parsed: tuple[str, str, str] | None = builtin(host, path)
        return builtin(host, f"{path}/") if parsed is None else parsed

    app._parse_execute_api_url = parse  # noqa: SLF001


def know_managed_policies(document_of: Callable[[str], str | None]) -> None:
    """AWS's own policies that ministack does not know come from `document_of`; alone it would allow all."""
    from ministack.services import iam

    def learn(arn: str) -> dict[str, Any] | None:
        name = arn.removeprefix(iam._AWS_MANAGED_POLICY_PREFIX)  # noqa: SLF001
        document = document_of(name)
        if document is None:
            return None
        record: dict[str, Any] = iam._make_aws_managed_record(name, document)  # noqa: SLF001
        iam._aws_managed_policies[arn] = record  # noqa: SLF001
        return record

    iam._autovivify_aws_managed_policy = learn  # noqa: SLF001


def _keep_bus_policies() -> None:
    from ministack.services import eventbridge

    put_permission = eventbridge._put_permission  # noqa: SLF001

    def put_policy(data: dict[str, Any]) -> Any:
        if not data.get("Policy"):
            return put_permission(data)
        eventbridge._event_bus_policies[data.get("EventBusName", "default")] = json.loads(data["Policy"])  # noqa: SLF001
        return eventbridge.json_response({})

    eventbridge._put_permission = put_policy  # noqa: SLF001


def _keep_acl_associations() -> None:
    from ministack.services import ec2

    actions: dict[str, Callable[[Any], Any]] = ec2._ACTION_MAP  # noqa: SLF001
    describe, replace = actions["DescribeNetworkAcls"], actions["ReplaceNetworkAclAssociation"]

    def described(params: Any) -> Any:
        acls, subnets = ec2._network_acls, ec2._subnets  # noqa: SLF001
        for acl in acls.values():
            acl["Associations"] = [one for one in acl["Associations"] if one["SubnetId"] in subnets]
        given = {one["SubnetId"] for acl in acls.values() for one in acl["Associations"]}
        defaults = {acl["VpcId"]: acl for acl in acls.values() if acl.get("IsDefault")}
        for subnet in subnets.values():
            if subnet["SubnetId"] not in given and subnet["VpcId"] in defaults:
                association = f"aclassoc-{subnet['SubnetId'].removeprefix('subnet-')}"
                one = {"NetworkAclAssociationId": association, "SubnetId": subnet["SubnetId"]}
                defaults[subnet["VpcId"]]["Associations"].append(one)
        return describe(params)

    def replaced(params: Any) -> Any:
        acls, old = ec2._network_acls, ec2._p(params, "AssociationId")  # noqa: SLF001
        known = {one["NetworkAclAssociationId"]: one for acl in acls.values() for one in acl["Associations"]}
        answer = replace(params)
        for acl in acls.values():
            for one in acl["Associations"]:
                one["SubnetId"] = one["SubnetId"] or known.get(old, {}).get("SubnetId", "")
        return answer

    actions.update(DescribeNetworkAcls=described, ReplaceNetworkAclAssociation=replaced)


def builtin_execute(record: FunctionRecord, event: Any) -> ExecutionResult:
    """Run an invocation on ministack's own executor (runtimes that our environments cannot run); it logs itself."""
    import time
    import uuid

    from ministack.services import lambda_svc

    current = lambda_svc._execute_function_dispatch  # noqa: SLF001
    builtin = getattr(current, "builtin", current)
    result: ExecutionResult = builtin(record, record.get("config") or record, event, str(uuid.uuid4()), time.time())
    return result


def execution_credentials(config: Mapping[str, Any]) -> dict[str, str]:
    """`AWS_ACCESS_KEY_ID`, `AWS_SECRET_ACCESS_KEY`, `AWS_SESSION_TOKEN` of a function's role.

    With IAM enforced, they are those of a registered session of the execution role; without, of the account.
    """
    from ministack.core import lambda_runtime

    found: dict[str, str] = lambda_runtime.execution_credentials(dict(config))
    return found


def account_and_region(config: Mapping[str, Any]) -> tuple[str, str]:
    """The account id and region in a function configuration's ARN."""
    from ministack.services import lambda_svc

    account, region = lambda_svc._account_region_from_function_config(dict(config))  # noqa: SLF001
    return str(account), str(region)


def within_function(config: Mapping[str, Any], run: Callable[[], str]) -> str:
    """What `run` returns under the account and region of a function, from a thread of ours."""
    from ministack.services import lambda_svc

    return str(lambda_svc._run_with_function_config_scope(dict(config), run))  # noqa: SLF001


def iam_enforced() -> bool:
    """True when ministack checks signatures and policies (`AUTH=true` at its import)."""
    from ministack import app

    return bool(app.AUTH)


def environment_for(*, port: int, enforce_iam: bool, region: str, account: str) -> dict[str, str]:
    """The variables ministack reads once, at import; set them before anything imports it.

    Event flow needs no knob in 1.5.33: its event source poller is woken by each SendMessage and stream
    record, and falls back to one look a second (visibility timeouts that end, batches that failed).
    """
    return {
        "BIND_HOST": "127.0.0.1",
        "GATEWAY_PORT": str(port),
        "MINISTACK_HOST": "127.0.0.1",
        "MINISTACK_REGION": region,
        "MINISTACK_ACCOUNT_ID": account,
        "AUTH": "true" if enforce_iam else "false",
        "MINISTACK_AUTOCREATE_AWS_MANAGED": "1",  # asks what `know_managed_policies` puts in its place
        "PERSIST_STATE": "0",
        "S3_PERSIST": "0",
        "LOCALSTACK_PERSISTENCE": "0",
        "IOT_MTLS_ENABLED": "0",
        "SFTP_ENABLED": "0",
        "LAMBDA_EXECUTOR": "local",
        "LOG_LEVEL": os.environ.get("BLACKSTART_MINISTACK_LOG_LEVEL", "WARNING"),
        # ministack's own executors (Node.js) must come back through the gate too.
        "AWS_ENDPOINT_URL": f"http://127.0.0.1:{port}",
        # A socket that cannot be: no Docker daemon is ever asked, and start-up does not wait for one.
        "DOCKER_HOST": os.environ.get("DOCKER_HOST", "unix:///nonexistent"),
    }


def app() -> Any:  # ministack ships no types
    """The ASGI application of ministack. Its lifespan must run; its state is global: one a process."""
    from ministack.app import app as application

    return application


def layer_zip(arn: str) -> bytes:
    """The content of a layer version; b'' when there is none. Needs the caller's account and region context."""
    from ministack.services import lambda_svc

    found: bytes | None = lambda_svc._resolve_layer_zip(arn)  # noqa: SLF001
    return found or b""


def subnet_zone(subnet: str) -> str:
    """The zone's name of a subnet, '' when there is none. Needs the caller's account and region context."""
    from ministack.services import ec2

    return str(ec2._subnets.get(subnet, {}).get("AvailabilityZone", ""))  # noqa: SLF001


def ways_out(account: str, region: str) -> list[WayOut]:
    """How each subnet of a region that has a route table reaches what is outside of its VPC."""
    from ministack.core.responses import request_scope
    from ministack.services import ec2

    with request_scope(account, region):
        tables = list(ec2._route_tables.values())  # noqa: SLF001
        of = [(one, table) for table in tables for one in table["Associations"]]
        by_subnet = {one["SubnetId"]: table for one, table in of if one.get("SubnetId")}
        by_vpc = {table["VpcId"]: table for one, table in of if one.get("Main")}
        return [
            _way_out(name, table)
            for name, subnet in list(ec2._subnets.items())  # noqa: SLF001
            if (table := by_subnet.get(name) or by_vpc.get(subnet["VpcId"])) is not None
        ]


def _way_out(subnet: str, table: Mapping[str, Any]) -> WayOut:
    from ministack.services import ec2

    leads_out, zone = False, ""
    for route in table["Routes"]:
        if _ANYWHERE.isdisjoint((route.get("DestinationCidrBlock"), route.get("DestinationIpv6CidrBlock"))):
            continue
        gateway = ec2._nat_gateways.get(route.get("NatGatewayId") or "", {})  # noqa: SLF001
        if route.get("NatGatewayId") and gateway.get("State") != "available":
            continue
        leads_out = leads_out or not str(route.get("GatewayId") or "").startswith("igw-")
        zone = subnet_zone(gateway["SubnetId"]) if gateway else zone
    endpoints = tuple(
        one["ServiceName"].rpartition(".")[2]
        for one in list(ec2._vpc_endpoints.values())  # noqa: SLF001
        if one.get("VpcId") == table["VpcId"]
        and (one.get("VpcEndpointType") == "Interface" or table["RouteTableId"] in one.get("RouteTableIds", ()))
    )
    return WayOut(subnet=subnet, gateway_zone=zone, endpoints=endpoints, leads_out=leads_out)


def append_logs(group: str, stream: str, lines: Sequence[str]) -> None:
    """Append lines to a log stream, made when needed, as the Lambda service does without the caller's permission.

    Metric filters, live tails and subscriptions see them. Needs the function's account and region context.
    """
    import time

    from ministack.services import cloudwatch_logs

    now_ms = int(time.time() * 1000)
    groups = cloudwatch_logs._log_groups  # noqa: SLF001
    if group not in groups:
        groups[group] = {
            "arn": cloudwatch_logs._make_group_arn(group),  # noqa: SLF001
            "creationTime": now_ms,
            "retentionInDays": None,
            "tags": {},
            "subscriptionFilters": {},
            "streams": {},
        }
    streams = groups[group]["streams"]
    if stream not in streams:
        streams[stream] = {
            "events": [],
            "uploadSequenceToken": "1",
            "creationTime": now_ms,
            "firstEventTimestamp": None,
            "lastEventTimestamp": None,
            "lastIngestionTime": None,
        }
    events = [{"timestamp": now_ms, "message": line, "ingestionTime": now_ms} for line in lines]
    cloudwatch_logs._append_log_events(streams[stream], events)  # noqa: SLF001
    cloudwatch_logs._fanout_to_subscription_filters(group, stream, events)  # noqa: SLF001


def role_of_session(access_key: str) -> str:
    """The ARN, without its path, of the role whose session has this access key; '' for any other key."""
    from ministack.services import sts

    session = sts._sessions.get(access_key)  # noqa: SLF001
    _, mark, name = str((session or {}).get("Arn", "")).partition(":assumed-role/")
    if not mark:
        return ""
    account = str(session["Arn"]).split(":")[4]
    return f"arn:aws:iam::{account}:role/{name.partition('/')[0]}"


def region_of_api(api: str) -> str:
    """The region of an API Gateway API, '' when there is none with this id."""
    from ministack.services import apigateway, apigateway_v1

    stores = (apigateway._apis, apigateway_v1._rest_apis)  # noqa: SLF001
    return next((key[1] for store in stores for key in list(store._data) if key[2] == api), "")  # noqa: SLF001


def stream_of_iterator(iterator: str) -> str:
    """The ARN of the Kinesis stream that a shard iterator reads; '' when there is no such iterator."""
    from ministack.services import kinesis

    for (_account, _region, token), state in tuple(kinesis._shard_iterators._data.items()):  # noqa: SLF001
        if token == iterator:
            return str(state["stream_arn"])
    return ""


def publish_service_event(
    *, region: str, source: str, detail_type: str, resources: list[str], detail: dict[str, Any]
) -> None:
    """Put an event of an AWS service (`aws.fis`) on a region's default bus: PutEvents refuses such sources."""
    import json

    from ministack.core.responses import get_account_id, request_scope
    from ministack.services import eventbridge

    entry = {"Source": source, "DetailType": detail_type, "Resources": resources, "Detail": json.dumps(detail)}
    with request_scope(get_account_id(), region):
        eventbridge._put_events({"Entries": [entry]}, allow_aws_source=True)  # noqa: SLF001
