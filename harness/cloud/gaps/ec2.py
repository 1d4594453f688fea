"""Instances are in their subnet's zone, can be changed and take their volumes along; subnets have network ACLs."""

from __future__ import annotations

import functools
from collections.abc import Callable
from typing import Any

from harness.cloud.ministack_hooks import before_first_call

Record = dict[str, Any]  # ministack's record of an instance: JSON, in AWS's names

_KEPT = frozenset({"InstanceType.Value", "UserData.Value", "SourceDestCheck.Value"})


def close() -> None:
    """Call it before any service is used."""
    before_first_call("ec2", _complete)


def _complete() -> None:
    _place_instances()
    _end_volumes()
    _change_instances()
    _keep_acl_associations()


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


def _keep_acl_associations() -> None:
    """Each subnet has a network ACL: the VPC's default one until it is given another.

    ministack associates none, and forgets which subnet an association that is replaced was of.
    https://docs.aws.amazon.com/vpc/latest/userguide/default-network-acl.html
    """
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
