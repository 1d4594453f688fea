"""RDS beside its databases: global clusters, snapshots, proxies, option groups, cluster endpoints; DocumentDB."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.rds import Cluster, ClusterInstance
from harness.deploy.providers.aws.rds_type import Parameters, Rds, Subnets
from harness.deploy.providers.resource import Context, Properties

_AVAILABLE = frozenset({"available"})


class GlobalCluster(Rds, noun="GlobalCluster", verbs="Create - Modify Delete"):
    """Clusters of several regions, one of them the writer."""

    token: ClassVar = "aws:rds/globalCluster:GlobalCluster"
    reads: ClassVar = "DescribeGlobalClusters"
    body: ClassVar = "GlobalClusters"
    key: ClassVar = {"GlobalClusterIdentifier": "globalClusterIdentifier"}
    parts: ClassVar = ("globalClusterIdentifier",)
    renames: ClassVar = {
        "arn": "GlobalClusterArn",
        "engineVersionActual": "EngineVersion",
        "globalClusterMembers": "",
    }
    replace_on: ClassVar = frozenset(
        {"databaseName", "engine", "globalClusterIdentifier", "sourceDbClusterIdentifier", "storageEncrypted"}
    )
    settled: ClassVar = ("Status", _AVAILABLE)

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its members."""
        members = body.get("GlobalClusterMembers", ())
        told = [{"dbClusterArn": one["DBClusterArn"], "isWriter": bool(one.get("IsWriter"))} for one in members]
        return {"globalClusterMembers": told}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, when forced with members that are still in it."""
        client, body = self.client(context), self.ask(context, resource_id, state)
        for member in (body or {}).get("GlobalClusterMembers", ()) if state.get("forceDestroy") else ():
            client.remove_from_global_cluster(
                GlobalClusterIdentifier=resource_id, DbClusterIdentifier=member["DBClusterArn"]
            )
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


class ClusterSnapshot(Rds):
    """A cluster's data at an instant."""

    token: ClassVar = "aws:rds/clusterSnapshot:ClusterSnapshot"
    creates: ClassVar = "CreateDBClusterSnapshot"
    reads: ClassVar = "DescribeDBClusterSnapshots"
    deletes: ClassVar = "DeleteDBClusterSnapshot"
    body: ClassVar = "DBClusterSnapshots"
    key: ClassVar = {"DBClusterSnapshotIdentifier": "dbClusterSnapshotIdentifier"}
    parts: ClassVar = ("dbClusterSnapshotIdentifier",)
    replace_on: ClassVar = frozenset({"dbClusterIdentifier", "dbClusterSnapshotIdentifier"})
    settled: ClassVar = ("Status", _AVAILABLE)

    def tag_target(self, resource_id: str, state: Properties) -> Any:
        """By ARN."""
        return state["dbClusterSnapshotArn"]


class Snapshot(Rds):
    """An instance's data at an instant."""

    token: ClassVar = "aws:rds/snapshot:Snapshot"
    creates: ClassVar = "CreateDBSnapshot"
    reads: ClassVar = "DescribeDBSnapshots"
    deletes: ClassVar = "DeleteDBSnapshot"
    body: ClassVar = "DBSnapshots"
    key: ClassVar = {"DBSnapshotIdentifier": "dbSnapshotIdentifier"}
    parts: ClassVar = ("dbSnapshotIdentifier",)
    replace_on: ClassVar = frozenset({"dbInstanceIdentifier", "dbSnapshotIdentifier"})
    settled: ClassVar = ("Status", _AVAILABLE)

    def tag_target(self, resource_id: str, state: Properties) -> Any:
        """By ARN."""
        return state["dbSnapshotArn"]


class Proxy(Rds, noun="DBProxy", verbs="Create - Modify Delete"):
    """A pool of connections before a database."""

    token: ClassVar = "aws:rds/proxy:Proxy"
    reads: ClassVar = "DescribeDBProxies"
    body: ClassVar = "DBProxies"
    key: ClassVar = {"DBProxyName": "name"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 63}
    renames: ClassVar = {
        "name": "DBProxyName", "arn": "DBProxyArn", "auths": "Auth", "requireTls": "RequireTLS", "iamAuth": "IAMAuth",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name", "engineFamily", "vpcSubnetIds"})
    settled: ClassVar = ("Status", _AVAILABLE)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """A modification calls the groups otherwise."""
        return {**inputs, "securityGroups": inputs.get("vpcSecurityGroupIds")}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; gone when it is no longer described."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


class ProxyDefaultTargetGroup(Rds):
    """How a proxy pools connections; it goes with the proxy."""

    token: ClassVar = "aws:rds/proxyDefaultTargetGroup:ProxyDefaultTargetGroup"
    tagging: ClassVar = None
    reads: ClassVar = "DescribeDBProxyTargetGroups"
    body: ClassVar = "TargetGroups"
    key: ClassVar = {"DBProxyName": "dbProxyName"}
    parts: ClassVar = ("dbProxyName",)
    renames: ClassVar = {"arn": "TargetGroupArn", "name": "TargetGroupName", "connectionPoolConfig": ""}
    replace_on: ClassVar = frozenset({"dbProxyName"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Set it."""
        self.change(context, str(inputs["dbProxyName"]), {}, inputs)
        return str(inputs["dbProxyName"])

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Set it again."""
        known = {"dbProxyName": news["dbProxyName"], "connectionPoolConfig": news.get("connectionPoolConfig")}
        self.send(context, "ModifyDBProxyTargetGroup", known, TargetGroupName="default")

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing."""


class ProxyTarget(Rds):
    """The database behind a proxy."""

    token: ClassVar = "aws:rds/proxyTarget:ProxyTarget"
    parts: ClassVar = ("dbProxyName", "targetGroupName")
    tagging: ClassVar = None
    replace_on: ClassVar = frozenset(
        {"dbClusterIdentifier", "dbInstanceIdentifier", "dbProxyName", "targetGroupName"}
    )

    def make(self, context: Context, inputs: Properties) -> str:
        """Register it."""
        self.client(context).register_db_proxy_targets(**self._target(inputs))
        return self.joined(inputs)

    def joined(self, inputs: Properties) -> str:
        """Proxy, group, and the target with its type."""
        kind = "TRACKED_CLUSTER" if inputs.get("dbClusterIdentifier") else "RDS_INSTANCE"
        name = inputs.get("dbClusterIdentifier") or inputs["dbInstanceIdentifier"]
        return f"{inputs['dbProxyName']}/{inputs['targetGroupName']}/{kind}/{name}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the group's targets."""
        where = {"DBProxyName": inputs["dbProxyName"], "TargetGroupName": inputs["targetGroupName"]}
        found = self.client(context).describe_db_proxy_targets(**where)["Targets"]
        name = inputs.get("dbClusterIdentifier") or inputs.get("dbInstanceIdentifier")
        mine = [one for one in found if name in {one.get("RdsResourceId"), one.get("TrackedClusterId")}]
        if not mine:
            return None
        members = {"endpoint": "Endpoint", "port": "Port", "rdsResourceId": "RdsResourceId", "type": "Type",
                   "targetArn": "TargetArn", "trackedClusterId": "TrackedClusterId"}  # fmt: skip
        return {name: mine[0].get(member) for name, member in members.items()}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Deregister it."""
        if self.look(context, resource_id, state) is not None:
            self.client(context).deregister_db_proxy_targets(**self._target(state))

    def _target(self, state: Properties) -> dict[str, Any]:
        lists = {"DBClusterIdentifiers": state.get("dbClusterIdentifier"),
                 "DBInstanceIdentifiers": state.get("dbInstanceIdentifier")}  # fmt: skip
        named = {name: [value] for name, value in lists.items() if value}
        return {"DBProxyName": state["dbProxyName"], "TargetGroupName": state["targetGroupName"], **named}


class OptionGroup(Rds):
    """Features of an engine."""

    token: ClassVar = "aws:rds/optionGroup:OptionGroup"
    creates: ClassVar = "CreateOptionGroup"
    reads: ClassVar = "DescribeOptionGroups"
    deletes: ClassVar = "DeleteOptionGroup"
    body: ClassVar = "OptionGroupsList"
    key: ClassVar = {"OptionGroupName": "name"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"lower": True}
    defaults: ClassVar = {"optionGroupDescription": "Managed by Pulumi"}
    renames: ClassVar = {"name": "OptionGroupName", "arn": "OptionGroupArn", "options": ""}
    replace_on: ClassVar = frozenset(
        {"engineName", "majorEngineVersion", "name", "namePrefix", "optionGroupDescription"}
    )

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then its options."""
        group = super().make(context, inputs)
        self.change(context, group, {}, inputs)
        return group

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Options that are new or gone."""
        if "options" not in roots(olds, news):
            return
        old, new = ({one["optionName"]: one for one in state.get("options") or ()} for state in (olds, news))
        include = [
            {"OptionName": name, **({"Port": int(one["port"])} if one.get("port") else {}),
             "OptionSettings": [{"Name": s["name"], "Value": s["value"]} for s in one.get("optionSettings") or ()]}
            for name, one in new.items() if old.get(name) != one
        ]  # fmt: skip
        wanted = {"OptionsToInclude": include, "OptionsToRemove": sorted(set(old) - set(new))}
        lists = {name: items for name, items in wanted.items() if items}
        if lists:
            self.client(context).modify_option_group(OptionGroupName=resource_id, ApplyImmediately=True, **lists)


class ClusterEndpoint(Rds, noun="DBClusterEndpoint", verbs="Create - Modify Delete"):
    """An address that leads to some members of a cluster."""

    token: ClassVar = "aws:rds/clusterEndpoint:ClusterEndpoint"
    reads: ClassVar = "DescribeDBClusterEndpoints"
    body: ClassVar = "DBClusterEndpoints"
    key: ClassVar = {"DBClusterEndpointIdentifier": "clusterEndpointIdentifier"}
    parts: ClassVar = ("clusterEndpointIdentifier",)
    renames: ClassVar = {
        "clusterEndpointIdentifier": "DBClusterEndpointIdentifier", "clusterIdentifier": "DBClusterIdentifier",
        "customEndpointType": "EndpointType", "arn": "DBClusterEndpointArn",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"clusterEndpointIdentifier", "clusterIdentifier"})
    settled: ClassVar = ("Status", _AVAILABLE)


class DocumentCluster(Cluster):
    """A DocumentDB cluster."""

    token: ClassVar = "aws:docdb/cluster:Cluster"
    service: ClassVar = "docdb"
    defaults: ClassVar = {"engine": "docdb", "skipFinalSnapshot": False}


class DocumentInstance(ClusterInstance):
    """An instance of a DocumentDB cluster."""

    token: ClassVar = "aws:docdb/clusterInstance:ClusterInstance"
    service: ClassVar = "docdb"
    defaults: ClassVar = {"engine": "docdb", "promotionTier": 0}


class DocumentSubnetGroup(Subnets):
    """The subnets of DocumentDB clusters."""

    token: ClassVar = "aws:docdb/subnetGroup:SubnetGroup"
    service: ClassVar = "docdb"


class DocumentParameterGroup(Parameters):
    """Settings of DocumentDB clusters."""

    token: ClassVar = "aws:docdb/clusterParameterGroup:ClusterParameterGroup"
    service: ClassVar = "docdb"
    noun: ClassVar = "DBClusterParameterGroup"
    told_as: ClassVar = "DBClusterParameters"


RESOURCES = (
    GlobalCluster(), ClusterSnapshot(), Snapshot(), Proxy(), ProxyDefaultTargetGroup(), ProxyTarget(), OptionGroup(),
    ClusterEndpoint(), DocumentCluster(), DocumentInstance(), DocumentSubnetGroup(), DocumentParameterGroup(),
)  # fmt: skip
