"""ElastiCache: replication groups, clusters, serverless caches, subnet and parameter groups, users."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.rds_type import RDS
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import CheckError, Context, Properties

_AVAILABLE = frozenset({"available"})
_NAME = {"limit": 40, "lower": True}


class _Cache(Declared):
    service: ClassVar[str] = "elasticache"
    tagging: ClassVar[Tagging | None] = RDS

    def tag_target(self, resource_id: str, state: Properties) -> Any:
        """By ARN."""
        return state.get("arn") or resource_id


class ReplicationGroup(_Cache, noun="ReplicationGroup", verbs="Create - Modify Delete"):
    """A primary and its replicas, in one shard or several."""

    token: ClassVar = "aws:elasticache/replicationGroup:ReplicationGroup"
    reads: ClassVar = "DescribeReplicationGroups"
    body: ClassVar = "ReplicationGroups"
    key: ClassVar = {"ReplicationGroupId": "replicationGroupId"}
    parts: ClassVar = ("replicationGroupId",)
    named: ClassVar = "replicationGroupId"
    name_rules: ClassVar = _NAME
    defaults: ClassVar = {"automaticFailoverEnabled": False, "multiAzEnabled": False, "engine": "redis"}
    secret_outputs: ClassVar = frozenset({"authToken", "authTokenWo"})
    renames: ClassVar = {
        "description": "ReplicationGroupDescription", "nodeType": "CacheNodeType", "arn": "ARN",
        "parameterGroupName": "CacheParameterGroupName", "subnetGroupName": "CacheSubnetGroupName",
        "securityGroupNames": "CacheSecurityGroupNames", "maintenanceWindow": "PreferredMaintenanceWindow",
        "preferredCacheClusterAzs": "PreferredCacheClusterAZs", "multiAzEnabled": "MultiAZEnabled",
        "automaticFailoverEnabled": "AutomaticFailoverEnabled", "multiAz": "", "automaticFailover": "",
        "authTokenUpdateStrategy": "AuthTokenUpdateStrategy", "userGroupIds": "UserGroupIds",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"atRestEncryptionEnabled", "dataTieringEnabled", "globalReplicationGroupId", "kmsKeyId", "networkType",
         "port", "preferredCacheClusterAzs", "replicationGroupId", "securityGroupNames", "snapshotArns",
         "snapshotName", "subnetGroupName"}
    )  # fmt: skip
    settled: ClassVar = ("Status", _AVAILABLE)

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Sizes are given in one of two ways."""
        given = super().check(context, inputs, olds)
        if given.get("numCacheClusters") is not None and given.get("numNodeGroups") is not None:
            raise CheckError([("numCacheClusters", "conflicts with numNodeGroups")])
        if given.get("automaticFailoverEnabled") is False and given.get("multiAzEnabled"):
            raise CheckError([("multiAzEnabled", "needs automaticFailoverEnabled")])
        return given

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """One node unless a size is given."""
        sized = any(
            inputs.get(name) is not None for name in ("numCacheClusters", "numNodeGroups", "replicasPerNodeGroup")
        )
        return inputs if sized or inputs.get("globalReplicationGroupId") else {**inputs, "numCacheClusters": 1}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Addresses and sizes; the token as it was given, ElastiCache does not tell it."""
        groups = body.get("NodeGroups") or [{}]
        several = bool(body.get("ClusterEnabled"))
        members = list(body.get("MemberClusters", ()))
        first = self._member(context, members)
        security = [one["SecurityGroupId"] for one in first.get("SecurityGroups", ())]
        told: Properties = {
            "authToken": inputs.get("authToken"),
            "description": body.get("Description"),
            "clusterEnabled": several,
            "memberClusters": sorted(members),
            "numNodeGroups": len(groups),
            "numCacheClusters": len(members),
            "replicasPerNodeGroup": max(len(groups[0].get("NodeGroupMembers", ())) - 1, 0),
            "automaticFailoverEnabled": body.get("AutomaticFailover") in {"enabled", "enabling"},
            "multiAzEnabled": body.get("MultiAZ") == "enabled",
            "engineVersionActual": first.get("EngineVersion"),
        }
        if several:
            told["configurationEndpointAddress"] = (body.get("ConfigurationEndpoint") or {}).get("Address", "")
        else:
            told["primaryEndpointAddress"] = (groups[0].get("PrimaryEndpoint") or {}).get("Address", "")
            told["readerEndpointAddress"] = (groups[0].get("ReaderEndpoint") or {}).get("Address", "")
            told["port"] = (groups[0].get("PrimaryEndpoint") or {}).get("Port")
        wanted = inputs.get("securityGroupIds")
        if security:
            told["securityGroupIds"] = wanted if wanted and set(wanted) == set(security) else security
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Settings by one operation, the number of replicas and shards by others."""
        differs, client = roots(olds, news), self.client(context)
        now = bool(news.get("applyImmediately"))
        sizes = {"numCacheClusters", "numNodeGroups", "replicasPerNodeGroup"}
        wanted = {name: news[name] for name in differs - sizes - {"tags", "applyImmediately"} if name in news}
        if wanted:
            request = {name: value for name, value in wanted.items() if name != "userGroupIds"}
            self.send(context, self.updates, request, ReplicationGroupId=resource_id, ApplyImmediately=now)
        for name, figure in (("numCacheClusters", -1), ("replicasPerNodeGroup", 0)):
            if name in differs and news.get(name) is not None:
                target = int(news[name]) + figure
                verb = "increase" if target > int(olds.get(name) or 1) + figure else "decrease"
                call = getattr(client, f"{verb}_replica_count")
                call(ReplicationGroupId=resource_id, NewReplicaCount=target, ApplyImmediately=True)
        if "numNodeGroups" in differs and news.get("numNodeGroups") is not None:
            client.modify_replication_group_shard_configuration(
                ReplicationGroupId=resource_id, NodeGroupCount=int(news["numNodeGroups"]), ApplyImmediately=True
            )
        self.settle(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, with a last snapshot when one is named."""
        last = (
            {"FinalSnapshotIdentifier": state["finalSnapshotIdentifier"]}
            if state.get("finalSnapshotIdentifier")
            else {}
        )
        self.client(context).delete_replication_group(ReplicationGroupId=resource_id, **last)
        self.wait_gone(context, resource_id, state)

    def _member(self, context: Context, members: list[str]) -> dict[str, Any]:
        if not members:
            return {}
        client = self.client(context)
        try:
            found = client.describe_cache_clusters(CacheClusterId=members[0])["CacheClusters"]
        except client.exceptions.CacheClusterNotFoundFault:
            return {}
        return dict(found[0]) if found else {}


class Cluster(_Cache, noun="CacheCluster", verbs="Create - Modify Delete"):
    """Nodes without a group: memcached, or one node of Redis."""

    token: ClassVar = "aws:elasticache/cluster:Cluster"
    reads: ClassVar = "DescribeCacheClusters"
    body: ClassVar = "CacheClusters"
    key: ClassVar = {"CacheClusterId": "clusterId"}
    parts: ClassVar = ("clusterId",)
    named: ClassVar = "clusterId"
    name_rules: ClassVar = _NAME
    renames: ClassVar = {
        "clusterId": "CacheClusterId", "nodeType": "CacheNodeType", "arn": "ARN", "azMode": "AZMode",
        "parameterGroupName": "", "subnetGroupName": "CacheSubnetGroupName", "engineVersionActual": "EngineVersion",
        "availabilityZone": "PreferredAvailabilityZone", "maintenanceWindow": "PreferredMaintenanceWindow",
        "cacheNodes": "", "securityGroupIds": "SecurityGroupIds",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"availabilityZone", "azMode", "clusterId", "engine", "networkType", "port", "replicationGroupId",
         "snapshotArns", "snapshotName", "subnetGroupName", "transitEncryptionEnabled"}
    )  # fmt: skip
    settled: ClassVar = ("CacheClusterStatus", _AVAILABLE)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """A parameter group is a name in requests."""
        return {**inputs, "cacheParameterGroupName": inputs.get("parameterGroupName")}

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """With its nodes."""
        found = self.client(context).describe_cache_clusters(CacheClusterId=resource_id, ShowCacheNodeInfo=True)
        return found["CacheClusters"][0] if found["CacheClusters"] else None

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Nodes and addresses."""
        nodes = [
            {
                "id": node["CacheNodeId"],
                "address": (node.get("Endpoint") or {}).get("Address", ""),
                "port": (node.get("Endpoint") or {}).get("Port"),
                "availabilityZone": node.get("CustomerAvailabilityZone", ""),
            }
            for node in body.get("CacheNodes", ())
        ]
        whole = body.get("ConfigurationEndpoint") or {}
        groups = [one["SecurityGroupId"] for one in body.get("SecurityGroups") or ()]
        told: Properties = {
            "cacheNodes": nodes,
            "parameterGroupName": (body.get("CacheParameterGroup") or {}).get("CacheParameterGroupName"),
            "port": whole.get("Port") or (nodes[0]["port"] if nodes else None),
            "securityGroupIds": groups or None,
        }
        if whole:
            told |= {
                "clusterAddress": whole["Address"],
                "configurationEndpoint": f"{whole['Address']}:{whole['Port']}",
            }
        return told

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; gone when it is no longer described."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


class SubnetGroup(_Cache, noun="CacheSubnetGroup", verbs="Create - Modify Delete"):
    """The subnets that nodes are placed in."""

    token: ClassVar = "aws:elasticache/subnetGroup:SubnetGroup"
    reads: ClassVar = "DescribeCacheSubnetGroups"
    body: ClassVar = "CacheSubnetGroups"
    key: ClassVar = {"CacheSubnetGroupName": "name"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"lower": True}
    defaults: ClassVar = {"description": "Managed by Pulumi"}
    renames: ClassVar = {
        "name": "CacheSubnetGroupName",
        "description": "CacheSubnetGroupDescription",
        "arn": "ARN",
    }
    replace_on: ClassVar = frozenset({"name"})

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its subnets, in the order that was given."""
        found = [subnet["SubnetIdentifier"] for subnet in body.get("Subnets", ())]
        wanted = inputs.get("subnetIds")
        return {"subnetIds": wanted if wanted and set(wanted) == set(found) else found}


class ParameterGroup(_Cache):
    """Settings of nodes."""

    token: ClassVar = "aws:elasticache/parameterGroup:ParameterGroup"
    creates: ClassVar = "CreateCacheParameterGroup"
    reads: ClassVar = "DescribeCacheParameterGroups"
    deletes: ClassVar = "DeleteCacheParameterGroup"
    body: ClassVar = "CacheParameterGroups"
    key: ClassVar = {"CacheParameterGroupName": "name"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"lower": True}
    defaults: ClassVar = {"description": "Managed by Pulumi"}
    renames: ClassVar = {
        "name": "CacheParameterGroupName", "family": "CacheParameterGroupFamily", "arn": "ARN", "parameters": "",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name", "family", "description"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then set its parameters."""
        group = super().make(context, inputs)
        self.change(context, group, {}, inputs)
        return group

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The parameters that were given, as they are now."""
        wanted = inputs.get("parameters")
        if not wanted:
            return {}
        told = self.client(context).describe_cache_parameters(CacheParameterGroupName=resource_id)["Parameters"]
        now = {one["ParameterName"]: one.get("ParameterValue") for one in told}
        return {"parameters": [{**one, "value": now.get(one["name"], one["value"])} for one in wanted]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Set what differs, reset what is gone; twenty at a time, as ElastiCache takes them."""
        old = {one["name"]: one["value"] for one in olds.get("parameters") or ()}
        new = {one["name"]: one["value"] for one in news.get("parameters") or ()}
        client = self.client(context)
        fresh = [{"ParameterName": n, "ParameterValue": str(v)} for n, v in new.items() if old.get(n) != v]
        gone = [{"ParameterName": name, "ParameterValue": str(old[name])} for name in sorted(set(old) - set(new))]
        for verb, items in (("reset", gone), ("modify", fresh)):
            for start in range(0, len(items), 20):
                call = getattr(client, f"{verb}_cache_parameter_group")
                call(CacheParameterGroupName=resource_id, ParameterNameValues=items[start : start + 20])


class User(_Cache, noun="User", verbs="Create - Modify Delete"):
    """Who may connect, and what they may do."""

    token: ClassVar = "aws:elasticache/user:User"
    reads: ClassVar = "DescribeUsers"
    body: ClassVar = "Users"
    key: ClassVar = {"UserId": "userId"}
    parts: ClassVar = ("userId",)
    secret_outputs: ClassVar = frozenset({"passwords", "passwordsWo"})
    renames: ClassVar = {"arn": "ARN", "authenticationMode": ""}
    replace_on: ClassVar = frozenset({"engine", "userId", "userName"})
    defaults: ClassVar = {"noPasswordRequired": False}

    def send(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> dict[str, Any]:
        """How they show who they are, in AWS's form."""
        mode = inputs.get("authenticationMode")
        if mode and operation != self.reads:
            words = {"Passwords": mode["passwords"]} if mode.get("passwords") else {}
            fixed = {**fixed, "AuthenticationMode": {"Type": mode["type"], **words}}
        return super().send(context, operation, inputs, **fixed)

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Passwords as they were given, ElastiCache does not tell them."""
        return {"passwords": inputs.get("passwords"), "authenticationMode": inputs.get("authenticationMode")}


class UserGroup(_Cache):
    """Users of a replication group."""

    token: ClassVar = "aws:elasticache/userGroup:UserGroup"
    creates: ClassVar = "CreateUserGroup"
    reads: ClassVar = "DescribeUserGroups"
    deletes: ClassVar = "DeleteUserGroup"
    body: ClassVar = "UserGroups"
    key: ClassVar = {"UserGroupId": "userGroupId"}
    parts: ClassVar = ("userGroupId",)
    renames: ClassVar = {"arn": "ARN"}
    replace_on: ClassVar = frozenset({"userGroupId"})

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Users that come and go."""
        old, new = set(olds.get("userIds") or ()), set(news.get("userIds") or ())
        if old != new:
            wanted = {"UserIdsToAdd": sorted(new - old), "UserIdsToRemove": sorted(old - new)}
            lists = {name: items for name, items in wanted.items() if items}
            self.client(context).modify_user_group(UserGroupId=resource_id, **lists)


class ServerlessCache(_Cache, noun="ServerlessCache", verbs="Create - Modify Delete"):
    """A cache without nodes to think of."""

    token: ClassVar = "aws:elasticache/serverlessCache:ServerlessCache"
    reads: ClassVar = "DescribeServerlessCaches"
    body: ClassVar = "ServerlessCaches"
    key: ClassVar = {"ServerlessCacheName": "name"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = _NAME
    renames: ClassVar = {
        "name": "ServerlessCacheName", "arn": "ARN", "endpoints": "Endpoint", "readerEndpoints": "ReaderEndpoint",
        "snapshotArnsToRestores": "SnapshotArnsToRestore", "ecpuPerSeconds": "ECPUPerSecond",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name", "kmsKeyId", "networkType", "snapshotArnsToRestores", "subnetIds"})
    settled: ClassVar = ("Status", _AVAILABLE)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; gone when it is no longer described."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


RESOURCES = (
    ReplicationGroup(), Cluster(), SubnetGroup(), ParameterGroup(), User(), UserGroup(), ServerlessCache(),
)  # fmt: skip
