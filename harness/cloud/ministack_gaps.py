"""What ministack leaves undone: zones and volumes of instances, changes of them and of EKS, names and policies."""

from __future__ import annotations

import functools
import json
import re
import time
import uuid
from collections.abc import Mapping
from typing import Any

from harness.cloud.ministack_hooks import before_first_call

Record = dict[str, Any]
"""ministack's record of a thing: JSON, in AWS's names."""

_KEPT = frozenset({"InstanceType.Value", "UserData.Value", "SourceDestCheck.Value"})
_EKS_CHANGE = re.compile(r"/clusters/([^/]+)(?:/node-groups/([^/]+))?/(update-config|update-version|updates)")


def close_gaps() -> None:
    """Let instances be changed and take their volumes along, and let EKS be changed. Call it before any is used."""
    _name_calls_of_aliases()
    _name_services_of_ecs()
    before_first_call("dynamodb", _obey_policies_of_tables)
    before_first_call("ec2", _complete_instances)
    before_first_call("eks", _change_kubernetes)


def _name_calls_of_aliases() -> None:
    """To ministack's IAM every call of one alias is ListAliases: a role that may only read could move traffic."""
    from ministack.core import iam_actions

    action_of = iam_actions._lambda_action  # noqa: SLF001
    named = {"GET": "GetAlias", "PUT": "UpdateAlias", "DELETE": "DeleteAlias"}

    def action(method: str, path: str) -> str | None:
        found: str | None = action_of(method, path)
        of_one = path.rstrip("/").split("/")[-2:-1] == ["aliases"]
        return named.get(method, found) if of_one else found

    iam_actions._lambda_action = action  # noqa: SLF001


def _name_services_of_ecs() -> None:
    """To ministack's IAM a call about an ECS service is one about its cluster; to AWS it is one about the service.

    https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazonelasticcontainerservice.html
    """
    from ministack.core import iam_actions

    arn_of = iam_actions.extract_resource_arn

    def arn(service: str, *request: Any, **named: Any) -> str:
        found: str = arn_of(service, *request, **named)
        return _service_arn(found, request[3]) if service == "ecs" and ":cluster/" in found else found

    iam_actions.extract_resource_arn = arn


def _service_arn(cluster: str, body: bytes) -> str:
    """The ARN of the one service that a request names; else its cluster's."""
    try:
        given = json.loads(body)
    except ValueError:
        return cluster
    several = given.get("services") or [None]
    name = given.get("service") or given.get("serviceName") or (several[0] if len(several) == 1 else None)
    if not isinstance(name, str) or not name:
        return cluster
    return name if name.startswith("arn:") else f"{cluster.replace(':cluster/', ':service/', 1)}/{name}"


def _obey_policies_of_tables() -> None:
    """A table's resource policy is kept by ministack and asked by nobody.

    https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/rbac-auth-iam-id-based-policies-DDB.html
    """
    from ministack.core import iam_evaluator
    from ministack.core.responses import request_scope
    from ministack.services import dynamodb

    kept_of = iam_evaluator._resource_policy  # noqa: SLF001

    def policy_of(service: str, arn: str) -> tuple[str, str] | None:
        if service != "dynamodb" or not arn.startswith("arn:"):
            found: tuple[str, str] | None = kept_of(service, arn)
            return found
        region, account = arn.split(":")[3:5]
        with request_scope(account, region):
            kept = dynamodb._resource_policies.get("/".join(arn.split("/")[:2]))  # noqa: SLF001
        return (kept["Policy"], account) if kept else None

    iam_evaluator._resource_policy = policy_of  # noqa: SLF001


def _complete_instances() -> None:
    _place_instances()
    _end_volumes()
    _change_instances()


def _place_instances() -> None:
    """An instance is in the zone of its subnet; to ministack all are in the Region's first."""
    from ministack.services import ec2

    launch = ec2._launch_instances_internal  # noqa: SLF001

    def placed(**asked: Any) -> list[Record]:
        made: list[Record] = launch(**asked)
        zone = (ec2._subnets.get(asked["subnet_id"]) or {}).get("AvailabilityZone")  # noqa: SLF001
        for instance in made if zone else ():
            instance["Placement"]["AvailabilityZone"] = zone
        return made

    ec2._launch_instances_internal = placed  # noqa: SLF001


def _end_volumes() -> None:
    """A terminated instance deletes what it says it deletes, and lets go of the rest.

    https://docs.aws.amazon.com/AWSEC2/latest/UserGuide/preserving-volumes-on-termination.html
    """
    from ministack.services import ec2

    terminate = ec2._ACTION_MAP["TerminateInstances"]  # noqa: SLF001

    def and_volumes(request: Any) -> Any:
        answer = terminate(request)
        ended = {one["InstanceId"] for one in ec2._instances.values() if one["State"]["Name"] == "terminated"}  # noqa: SLF001
        for name, volume in list(ec2._volumes.items()):  # noqa: SLF001
            held = [one for one in volume["Attachments"] if one["InstanceId"] in ended]
            if any(one.get("DeleteOnTermination") for one in held):
                del ec2._volumes[name]  # noqa: SLF001
            elif held:
                volume["Attachments"] = [one for one in volume["Attachments"] if one not in held]
                volume["State"] = "in-use" if volume["Attachments"] else "available"
        return answer

    ec2._ACTION_MAP["TerminateInstances"] = and_volumes  # noqa: SLF001


def _change_instances() -> None:
    """ModifyInstanceAttribute: another type or user data while it is stopped; groups and checks at any time.

    https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_ModifyInstanceAttribute.html
    """
    from ministack.services import ec2

    def modify(request: Any) -> Any:
        name, kind = ec2._p(request, "InstanceId"), ec2._p(request, "InstanceType.Value")  # noqa: SLF001
        instance = ec2._instances.get(name)  # noqa: SLF001
        if instance is None:
            return ec2._error("InvalidInstanceID.NotFound", f"The instance ID '{name}' does not exist", 400)  # noqa: SLF001
        unknown = {key for key in request if key.endswith(".Value")} - _KEPT
        if unknown:
            words = f"{', '.join(sorted(unknown))} is not supported by this cloud"
            return ec2._error("UnsupportedOperation", words, 400)  # noqa: SLF001
        if (kind or "UserData.Value" in request) and instance["State"]["Name"] != "stopped":
            words = f"The instance '{name}' is not in the 'stopped' state."
            return ec2._error("IncorrectInstanceState", words, 400)  # noqa: SLF001
        if kind and kind not in _instance_types():
            words = f"Invalid value '{kind}' for InstanceType."
            return ec2._error("InvalidInstanceAttributeValue", words, 400)  # noqa: SLF001
        instance["InstanceType"] = kind or instance["InstanceType"]
        if "UserData.Value" in request:
            instance["UserData"] = ec2._p(request, "UserData.Value")  # noqa: SLF001
        if "SourceDestCheck.Value" in request:
            instance["SourceDestCheck"] = ec2._p(request, "SourceDestCheck.Value") == "true"  # noqa: SLF001
        groups = ec2._parse_member_list(request, "GroupId")  # noqa: SLF001
        known = ec2._security_groups  # noqa: SLF001
        if groups:
            instance["SecurityGroups"] = [
                {"GroupId": one, "GroupName": known.get(one, {}).get("GroupName", one)} for one in groups
            ]
        return ec2._xml(200, "ModifyInstanceAttributeResponse", "<return>true</return>")  # noqa: SLF001

    ec2._ACTION_MAP["ModifyInstanceAttribute"] = modify  # noqa: SLF001


@functools.cache
def _instance_types() -> frozenset[str]:
    """Every type that EC2 knows."""
    import botocore.session

    model = botocore.session.get_session().get_service_model("ec2")
    return frozenset(model.shape_for("InstanceType").enum)


def _change_kubernetes() -> None:
    """UpdateClusterConfig, UpdateClusterVersion, UpdateNodegroupConfig and UpdateNodegroupVersion: done at once."""
    from ministack.services import eks

    builtin = eks._handle_request_sync  # noqa: SLF001

    def handle(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        found = _EKS_CHANGE.fullmatch(path)
        if found is None or method != "POST":
            return builtin(method, path, headers, body, query)
        cluster, group, _ = found.groups()
        store, name = (eks._nodegroups, f"{cluster}/{group}") if group else (eks._clusters, cluster)  # noqa: SLF001
        record = store.get(name)
        if record is None:
            return eks._error(404, "ResourceNotFoundException", f"No {path} found.")  # noqa: SLF001
        given = json.loads(body or b"{}")
        change(record, given)
        update = {"id": str(uuid.uuid4()), "status": "Successful", "type": "ConfigUpdate", "createdAt": time.time()}
        return eks._json_resp(200, {"update": {**update, "params": [], "errors": []}})  # noqa: SLF001

    eks._handle_request_sync = handle  # noqa: SLF001


def change(record: Record, given: Mapping[str, Any]) -> None:
    """Bring a cluster or node group to what an update asks for: blocks are merged, labels and taints come and go."""
    for name, value in given.items():
        if name == "labels":
            kept = {
                key: text for key, text in record.get(name, {}).items() if key not in value.get("removeLabels", ())
            }
            record[name] = {**kept, **value.get("addOrUpdateLabels", {})}
        elif name == "taints":
            news = value.get("addOrUpdateTaints", [])
            gone = {_taint(one) for one in (*news, *value.get("removeTaints", ()))}
            record[name] = [one for one in record.get(name, ()) if _taint(one) not in gone] + news
        elif name in {"clientRequestToken", "force"}:
            continue
        else:
            record[name] = {**(record.get(name) or {}), **value} if isinstance(value, dict) else value


def _taint(one: Mapping[str, Any]) -> tuple[Any, Any]:
    return one.get("key"), one.get("effect")
