"""EKS: clusters, node groups, add-ons, who may use them. Records only: no Kubernetes runs behind them here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import LOGS, Tagging
from harness.deploy.providers.resource import Context, Invoke, Properties

_SETTINGS = frozenset({"tags", "tagsAll", "region"})


class _Eks(Declared):
    service: ClassVar[str] = "eks"
    tagging: ClassVar[Tagging | None] = LOGS


class Cluster(_Eks, noun="Cluster", verbs="Create Describe - Delete"):
    """A control plane; the id is the name."""

    token: ClassVar = "aws:eks/cluster:Cluster"
    updates: ClassVar = "UpdateClusterConfig"
    body: ClassVar = "cluster"
    key: ClassVar = {"name": "name"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 100}
    defaults: ClassVar = {"bootstrapSelfManagedAddons": True}
    renames: ClassVar = {"vpcConfig": "resourcesVpcConfig", "clusterId": "id"}
    replace_on: ClassVar = frozenset(
        {"bootstrapSelfManagedAddons", "encryptionConfig", "kubernetesNetworkConfig.ipFamily",
         "kubernetesNetworkConfig.serviceIpv4Cidr", "name", "outpostConfig", "roleArn"}
    )  # fmt: skip
    settled: ClassVar = ("status", frozenset({"ACTIVE"}))

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Logs are a block, with those that are on."""
        del context
        kinds = inputs.get("enabledClusterLogTypes")
        logging = {"clusterLogging": [{"types": kinds, "enabled": True}]} if kinds else None
        return {**inputs, "logging": logging}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Logs, and who vouches for its service accounts."""
        del context, resource_id
        groups = (body.get("logging") or {}).get("clusterLogging", ())
        kinds = sorted(kind for group in groups if group.get("enabled") for kind in group["types"])
        wanted = inputs.get("enabledClusterLogTypes")
        issuer = ((body.get("identity") or {}).get("oidc") or {}).get("issuer")
        return {
            "enabledClusterLogTypes": wanted if wanted and sorted(wanted) == kinds else kinds or None,
            "identities": [{"oidcs": [{"issuer": issuer}]}] if issuer else [],
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """One block at a time, as AWS wants it; a version has an operation of its own."""
        differs = roots(olds, news) - _SETTINGS
        if "version" in differs and news.get("version"):
            self.send(context, "UpdateClusterVersion", {"version": news["version"]}, name=resource_id)
            self.settle(context, resource_id, news)
        for name in sorted(differs - {"version"}):
            self.send(context, self.updates, self.arrange(context, {name: news.get(name)}), name=resource_id)
            self.settle(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, and wait: its subnets can go only then."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


class NodeGroup(_Eks, noun="Nodegroup", verbs="Create Describe - Delete"):
    """Machines for a cluster; the id is `<cluster>:<name>`."""

    token: ClassVar = "aws:eks/nodeGroup:NodeGroup"
    updates: ClassVar = "UpdateNodegroupConfig"
    body: ClassVar = "nodegroup"
    key: ClassVar = {"clusterName": "clusterName", "nodegroupName": "nodeGroupName"}
    parts: ClassVar = ("clusterName", "nodeGroupName")
    separator: ClassVar = ":"
    named: ClassVar = "nodeGroupName"
    name_rules: ClassVar = {"limit": 63}
    renames: ClassVar = {
        "arn": "nodegroupArn", "nodeRoleArn": "nodeRole", "resources": "", "subnetIds": "subnets",
        "sourceSecurityGroupIds": "sourceSecurityGroups",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"amiType", "capacityType", "clusterName", "diskSize", "instanceTypes", "launchTemplate.id",
         "launchTemplate.name", "nodeGroupName", "nodeGroupNamePrefix", "nodeRoleArn", "remoteAccess", "subnetIds"}
    )  # fmt: skip
    settled: ClassVar = ("status", frozenset({"ACTIVE"}))

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The groups behind it."""
        del context, resource_id, inputs
        made = body.get("resources") or {}
        groups = [{"name": one.get("name")} for one in made.get("autoScalingGroups", ())]
        told = {"autoscalingGroups": groups, "remoteAccessSecurityGroupId": made.get("remoteAccessSecurityGroup")}
        return {"resources": [told] if made else []}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Labels and taints come and go one by one; a version has an operation of its own."""
        differs = roots(olds, news) - _SETTINGS
        where = self.keys(resource_id, news)
        versions = differs & {"version", "releaseVersion", "launchTemplate"}
        if versions:
            told = {name: news[name] for name in sorted(versions) if news.get(name) is not None}
            self.send(context, "UpdateNodegroupVersion", told, **where)
            self.settle(context, resource_id, news)
        blocks = {name: news.get(name) for name in differs - versions - {"labels", "taints"}}
        for name in differs & {"labels", "taints"}:
            blocks[name] = _come_and_gone(name, olds.get(name), news.get(name))
        if blocks:
            self.send(context, self.updates, blocks, **where)
            self.settle(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, and wait: its cluster can go only then."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


def _come_and_gone(name: str, olds: Any, news: Any) -> Properties:  # a map of labels, or a list of taints
    """A change of labels or taints as EKS takes it."""
    if name == "labels":
        return {"addOrUpdateLabels": news or {}, "removeLabels": sorted({*(olds or {})} - {*(news or {})})}
    left = [(one["key"], one["effect"]) for one in news or ()]
    gone = [one for one in olds or () if (one["key"], one["effect"]) not in left]
    return {"addOrUpdateTaints": news or [], "removeTaints": gone}


class Addon(_Eks, noun="Addon", verbs="Create Describe Update Delete"):
    """Software that EKS keeps in a cluster; the id is `<cluster>:<name>`."""

    token: ClassVar = "aws:eks/addon:Addon"
    body: ClassVar = "addon"
    key: ClassVar = {"clusterName": "clusterName", "addonName": "addonName"}
    parts: ClassVar = ("clusterName", "addonName")
    separator: ClassVar = ":"
    json_keys: ClassVar = frozenset({"configurationValues"})
    renames: ClassVar = {"arn": "addonArn", "podIdentityAssociations": ""}
    replace_on: ClassVar = frozenset({"addonName", "clusterName", "namespaceConfig"})
    settled: ClassVar = ("status", frozenset({"ACTIVE"}))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, and wait: its cluster can go only then."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


class AccessEntry(_Eks, noun="AccessEntry", verbs="Create Describe Update Delete"):
    """A role that a cluster knows; the id is `<cluster>:<its ARN>`."""

    token: ClassVar = "aws:eks/accessEntry:AccessEntry"
    body: ClassVar = "accessEntry"
    key: ClassVar = {"clusterName": "clusterName", "principalArn": "principalArn"}
    parts: ClassVar = ("clusterName", "principalArn")
    separator: ClassVar = ":"
    defaults: ClassVar = {"type": "STANDARD"}
    replace_on: ClassVar = frozenset({"clusterName", "principalArn", "type"})

    def tag_target(self, resource_id: str, state: Properties) -> Any:
        """By its own ARN, not the principal's."""
        del resource_id
        return state["accessEntryArn"]


class AccessPolicyAssociation(_Eks):
    """What a role may do in a cluster; the id is `<cluster>#<its ARN>#<the policy's>`."""

    token: ClassVar = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
    tagging: ClassVar = None
    creates: ClassVar = "AssociateAccessPolicy"
    reads: ClassVar = "ListAssociatedAccessPolicies"
    deletes: ClassVar = "DisassociateAccessPolicy"
    body: ClassVar = "associatedAccessPolicies"
    match: ClassVar = ("policyArn", "policyArn")
    key: ClassVar = {"clusterName": "clusterName", "principalArn": "principalArn", "policyArn": "policyArn"}
    parts: ClassVar = ("clusterName", "principalArn", "policyArn")
    separator: ClassVar = "#"
    replace_on: ClassVar = frozenset({"accessScope", "clusterName", "policyArn", "principalArn"})


class PodIdentityAssociation(_Eks, noun="PodIdentityAssociation", verbs="Create Describe Update Delete"):
    """A role for a service account; the id is AWS's."""

    token: ClassVar = "aws:eks/podIdentityAssociation:PodIdentityAssociation"
    body: ClassVar = "association"
    key: ClassVar = {"clusterName": "clusterName", "associationId": "id"}
    id_from: ClassVar = "association.associationId"
    replace_on: ClassVar = frozenset({"clusterName", "namespace", "serviceAccount"})

    def tag_target(self, resource_id: str, state: Properties) -> Any:
        """By its ARN."""
        del resource_id
        return state["associationArn"]


class FargateProfile(_Eks, noun="FargateProfile", verbs="Create Describe - Delete"):
    """Which pods run without machines; the id is `<cluster>:<name>`."""

    token: ClassVar = "aws:eks/fargateProfile:FargateProfile"
    body: ClassVar = "fargateProfile"
    key: ClassVar = {"clusterName": "clusterName", "fargateProfileName": "fargateProfileName"}
    parts: ClassVar = ("clusterName", "fargateProfileName")
    separator: ClassVar = ":"
    named: ClassVar = "fargateProfileName"
    renames: ClassVar = {"arn": "fargateProfileArn", "subnetIds": "subnets"}
    replace_on: ClassVar = frozenset(
        {"clusterName", "fargateProfileName", "podExecutionRoleArn", "selectors", "subnetIds"}
    )
    settled: ClassVar = ("status", frozenset({"ACTIVE"}))


RESOURCES = (
    Cluster(), NodeGroup(), Addon(), AccessEntry(), AccessPolicyAssociation(), PodIdentityAssociation(),
    FargateProfile(),
)  # fmt: skip


def _get_cluster(context: Context, arguments: Properties) -> Properties:
    name = str(arguments["name"])
    body = context.client("eks").describe_cluster(name=name)["cluster"]
    told = Cluster().read(context, name, {"name": name}) or {}
    told["certificateAuthorities"] = [told.pop("certificateAuthority", {"data": ""})]
    return {**told, "id": name, "tags": body.get("tags") or {}}


INVOKES: Mapping[str, Invoke] = {"aws:eks/getCluster:getCluster": _get_cluster}
