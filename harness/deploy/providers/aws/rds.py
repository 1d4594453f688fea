"""RDS: Aurora clusters and their instances, single instances, subnet and parameter groups."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.rds_type import (
    Parameters,
    Rds,
    Subnets,
    final_snapshot,
    groups_and_logs,
    log_exports,
)
from harness.deploy.providers.resource import Context, Invoke, Properties

_AVAILABLE = frozenset({"available"})


class Cluster(Rds, noun="DBCluster", verbs="Create - Modify Delete"):
    """A cluster of one writer and its readers."""

    token: ClassVar = "aws:rds/cluster:Cluster"
    reads: ClassVar = "DescribeDBClusters"
    body: ClassVar = "DBClusters"
    key: ClassVar = {"DBClusterIdentifier": "clusterIdentifier"}
    parts: ClassVar = ("clusterIdentifier",)
    named: ClassVar = "clusterIdentifier"
    name_rules: ClassVar = {"limit": 63, "lower": True}
    defaults: ClassVar = {
        "engineMode": "provisioned",
        "skipFinalSnapshot": False,
        "copyTagsToSnapshot": False,
        "deleteAutomatedBackups": True,
    }
    secret_outputs: ClassVar = frozenset({"masterPassword", "masterPasswordWo"})
    renames: ClassVar = {
        "clusterIdentifier": "DBClusterIdentifier", "arn": "DBClusterArn", "masterPassword": "MasterUserPassword",
        "iamDatabaseAuthenticationEnabled": "IAMDatabaseAuthenticationEnabled",
        "engineVersionActual": "EngineVersion", "clusterResourceId": "DbClusterResourceId", "clusterMembers": "",
        "dbSubnetGroupName": "DBSubnetGroupName",
        "enabledCloudwatchLogsExports": "", "enableHttpEndpoint": "EnableHttpEndpoint", "availabilityZones": "",
        "dbClusterParameterGroupName": "DBClusterParameterGroupName", "masterUserSecrets": "",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"availabilityZones", "clusterIdentifier", "clusterIdentifierPrefix", "databaseName", "dbSubnetGroupName",
         "engine", "engineMode", "kmsKeyId", "masterUsername", "restoreToPointInTime", "s3Import",
         "snapshotIdentifier", "sourceRegion", "storageEncrypted"}
    )  # fmt: skip
    settled: ClassVar = ("Status", _AVAILABLE)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The two that requests call otherwise than answers."""
        return {
            **inputs,
            "enableIamDatabaseAuthentication": inputs.get("iamDatabaseAuthenticationEnabled"),
            "enableCloudwatchLogsExports": inputs.get("enabledCloudwatchLogsExports"),
        }

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, or restore it from what it is to be restored from."""
        if inputs.get("snapshotIdentifier"):
            return self._restored(context, "RestoreDBClusterFromSnapshot", inputs)
        point = inputs.get("restoreToPointInTime")
        if point:
            source = {"SourceDBClusterIdentifier": point.get("sourceClusterIdentifier")}
            return self._restored(context, "RestoreDBClusterToPointInTime", {**inputs, **point}, **source)
        return super().make(context, inputs)

    def _restored(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> str:
        self.send(context, operation, self.arrange(context, inputs), **fixed)
        cluster = str(inputs["clusterIdentifier"])
        self.settle(context, cluster, inputs)
        if inputs.get("masterPassword"):
            self.client(context).modify_db_cluster(
                DBClusterIdentifier=cluster, MasterUserPassword=inputs["masterPassword"], ApplyImmediately=True
            )
        return cluster

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its members, groups and logs; the password as it was given, RDS does not tell it."""
        secret = body.get("MasterUserSecret")
        kept = {"secretArn": "SecretArn", "secretStatus": "SecretStatus", "kmsKeyId": "KmsKeyId"}
        told = {**groups_and_logs(inputs, body), "masterPassword": inputs.get("masterPassword")}
        return {
            **told,
            "dbSubnetGroupName": body.get("DBSubnetGroup"),
            "dbClusterParameterGroupName": body.get("DBClusterParameterGroup"),
            "engineVersion": _version(inputs.get("engineVersion"), body.get("EngineVersion")),
            "clusterMembers": [member["DBInstanceIdentifier"] for member in body.get("DBClusterMembers", ())],
            "availabilityZones": inputs.get("availabilityZones") or sorted(body.get("AvailabilityZones", ())),
            "masterUserSecrets": [{name: secret.get(member) for name, member in kept.items()}] if secret else [],
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """What differs, at once when that is asked for."""
        differs = roots(olds, news) - {"tags", "skipFinalSnapshot", "finalSnapshotIdentifier", "applyImmediately"}
        wanted = {name: value for name, value in news.items() if name in differs}
        if wanted or differs & {"enabledCloudwatchLogsExports"}:
            request = {**self.arrange(context, wanted), **log_exports(olds, news)}
            now = bool(news.get("applyImmediately"))
            self.send(context, self.updates, request, **self.keys(resource_id, news), ApplyImmediately=now)
            self.settle(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take it out of its global cluster, then delete it; gone when it is no longer described."""
        if self.read(context, resource_id, state) is None:
            return
        client, keys = self.client(context), self.keys(resource_id, state)
        if state.get("globalClusterIdentifier"):
            wanted = {
                "GlobalClusterIdentifier": state["globalClusterIdentifier"],
                "DbClusterIdentifier": state["arn"],
            }
            client.remove_from_global_cluster(**wanted)
        client.delete_db_cluster(**keys, **final_snapshot(state, "FinalDBSnapshotIdentifier"))
        self.wait_gone(context, resource_id, state)


class ClusterInstance(Rds, noun="DBInstance", verbs="Create - Modify Delete"):
    """A writer or reader of a cluster."""

    token: ClassVar = "aws:rds/clusterInstance:ClusterInstance"
    reads: ClassVar = "DescribeDBInstances"
    body: ClassVar = "DBInstances"
    key: ClassVar = {"DBInstanceIdentifier": "identifier"}
    parts: ClassVar = ("identifier",)
    named: ClassVar = "identifier"
    name_rules: ClassVar = {"limit": 63, "lower": True}
    defaults: ClassVar = {"autoMinorVersionUpgrade": True, "promotionTier": 0, "copyTagsToSnapshot": False}
    renames: ClassVar = {
        "identifier": "DBInstanceIdentifier", "clusterIdentifier": "DBClusterIdentifier", "arn": "DBInstanceArn",
        "instanceClass": "DBInstanceClass", "engineVersionActual": "EngineVersion", "endpoint": "", "port": "",
        "dbParameterGroupName": "DBParameterGroupName", "dbSubnetGroupName": "DBSubnetGroupName",
        "performanceInsightsEnabled": "PerformanceInsightsEnabled", "kmsKeyId": "KmsKeyId",
        "caCertIdentifier": "CACertificateIdentifier", "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"availabilityZone", "clusterIdentifier", "customIamInstanceProfile", "dbSubnetGroupName", "engine",
         "identifier", "identifierPrefix"}
    )  # fmt: skip
    settled: ClassVar = ("DBInstanceStatus", _AVAILABLE)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Requests say Enable of insights; a version is the cluster's."""
        insights = inputs.get("performanceInsightsEnabled")
        return {**inputs, "enablePerformanceInsights": insights}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its address, its groups, and whether it is the writer."""
        endpoint = body.get("Endpoint") or {}
        cluster = body.get("DBClusterIdentifier")
        found = (
            self.client(context).describe_db_clusters(DBClusterIdentifier=cluster)["DBClusters"] if cluster else []
        )
        members = found[0].get("DBClusterMembers", ()) if found else ()
        mine = [one for one in members if one["DBInstanceIdentifier"] == body["DBInstanceIdentifier"]]
        return {
            **_groups(inputs, body),
            "endpoint": endpoint.get("Address", ""),
            "port": endpoint.get("Port"),
            "writer": any(one.get("IsClusterWriter") for one in mine),
            "engineVersion": _version(inputs.get("engineVersion"), body.get("EngineVersion")),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """What differs, at once when that is asked for."""
        _modify_instance(self, context, resource_id, (olds, news))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; gone when it is no longer described."""
        self.send(context, self.deletes, {}, **self.keys(resource_id, state))
        self.wait_gone(context, resource_id, state)


class Instance(Rds, noun="DBInstance", verbs="Create - Modify Delete"):
    """A database server of its own."""

    token: ClassVar = "aws:rds/instance:Instance"
    reads: ClassVar = "DescribeDBInstances"
    body: ClassVar = "DBInstances"
    key: ClassVar = {"DBInstanceIdentifier": "identifier"}
    parts: ClassVar = ("identifier",)
    named: ClassVar = "identifier"
    name_rules: ClassVar = {"limit": 63, "lower": True}
    defaults: ClassVar = {
        "autoMinorVersionUpgrade": True,
        "copyTagsToSnapshot": False,
        "deleteAutomatedBackups": True,
        "monitoringInterval": 0,
        "publiclyAccessible": False,
        "skipFinalSnapshot": False,
    }
    secret_outputs: ClassVar = frozenset({"password", "passwordWo"})
    renames: ClassVar = {
        "identifier": "DBInstanceIdentifier", "arn": "DBInstanceArn", "instanceClass": "DBInstanceClass",
        "username": "MasterUsername", "password": "MasterUserPassword", "backupWindow": "PreferredBackupWindow",
        "maintenanceWindow": "PreferredMaintenanceWindow", "parameterGroupName": "DBParameterGroupName",
        "dbSubnetGroupName": "DBSubnetGroupName", "engineVersionActual": "EngineVersion", "multiAz": "MultiAZ",
        "resourceId": "DbiResourceId", "status": "DBInstanceStatus", "endpoint": "", "address": "",
        "iamDatabaseAuthenticationEnabled": "IAMDatabaseAuthenticationEnabled", "enabledCloudwatchLogsExports": "",
        "performanceInsightsKmsKeyId": "PerformanceInsightsKMSKeyId", "masterUserSecrets": "", "port": "Port",
        "caCertIdentifier": "CACertificateIdentifier", "optionGroupName": "OptionGroupName", "listenerEndpoints": "",
        "replicas": "ReadReplicaDBInstanceIdentifiers", "replicateSourceDb": "",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"availabilityZone", "backupTarget", "characterSetName", "customIamInstanceProfile", "dbName", "engine",
         "identifier", "identifierPrefix", "kmsKeyId", "ncharCharacterSetName", "restoreToPointInTime", "s3Import",
         "snapshotIdentifier", "storageEncrypted", "timezone", "username"}
    )  # fmt: skip
    settled: ClassVar = ("DBInstanceStatus", _AVAILABLE)

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Those that requests call otherwise than answers."""
        return {
            **inputs,
            "enableIamDatabaseAuthentication": inputs.get("iamDatabaseAuthenticationEnabled"),
            "enableCloudwatchLogsExports": inputs.get("enabledCloudwatchLogsExports"),
            "enablePerformanceInsights": inputs.get("performanceInsightsEnabled"),
            "dbPortNumber": inputs.get("port"),
        }

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, as a replica or from a snapshot when it is to be one."""
        fixed, operation = {}, self.creates
        if inputs.get("replicateSourceDb"):
            operation, fixed = (
                "CreateDBInstanceReadReplica",
                {"SourceDBInstanceIdentifier": inputs["replicateSourceDb"]},
            )
        elif inputs.get("snapshotIdentifier"):
            operation, fixed = (
                "RestoreDBInstanceFromDBSnapshot",
                {"DBSnapshotIdentifier": inputs["snapshotIdentifier"]},
            )
        else:
            return super().make(context, inputs)
        tags = self.wire_tags(context, inputs)
        self.send(context, operation, self.arrange(context, inputs), **fixed, **({"Tags": tags} if tags else {}))
        self.settle(context, str(inputs["identifier"]), inputs)
        return str(inputs["identifier"])

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its address, its groups; the password as it was given, RDS does not tell it."""
        endpoint, secret = body.get("Endpoint") or {}, body.get("MasterUserSecret")
        address, port = endpoint.get("Address", ""), endpoint.get("Port")
        kept = {"secretArn": "SecretArn", "secretStatus": "SecretStatus", "kmsKeyId": "KmsKeyId"}
        return {
            **_groups(inputs, body),
            **groups_and_logs(inputs, body),
            "password": inputs.get("password"),
            "address": address,
            "port": port,
            "endpoint": f"{address}:{port}" if address else "",
            "hostedZoneId": endpoint.get("HostedZoneId", ""),
            "engineVersion": _version(inputs.get("engineVersion"), body.get("EngineVersion")),
            "masterUserSecrets": [{name: secret.get(member) for name, member in kept.items()}] if secret else [],
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """What differs, at once when that is asked for."""
        _modify_instance(self, context, resource_id, (olds, news))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; gone when it is no longer described."""
        if self.read(context, resource_id, state) is None:
            return
        last = (
            {"SkipFinalSnapshot": True}
            if state.get("replicateSourceDb")
            else final_snapshot(state, "FinalDBSnapshotIdentifier")
        )
        client = self.client(context)
        client.delete_db_instance(**self.keys(resource_id, state), **last)
        self.wait_gone(context, resource_id, state)


class SubnetGroup(Subnets):
    """The subnets that databases are placed in."""

    token: ClassVar = "aws:rds/subnetGroup:SubnetGroup"


class ParameterGroup(Parameters):
    """Settings of instances."""

    token: ClassVar = "aws:rds/parameterGroup:ParameterGroup"
    noun: ClassVar = "DBParameterGroup"
    told_as: ClassVar = "DBParameters"


class ClusterParameterGroup(Parameters):
    """Settings of clusters."""

    token: ClassVar = "aws:rds/clusterParameterGroup:ClusterParameterGroup"
    noun: ClassVar = "DBClusterParameterGroup"
    told_as: ClassVar = "DBClusterParameters"


def _groups(inputs: Properties, body: Mapping[str, Any]) -> Properties:
    """The subnet group and parameter groups of an instance, by name."""
    groups = body.get("DBParameterGroups") or [{}]
    options = body.get("OptionGroupMemberships") or [{}]
    name = groups[0].get("DBParameterGroupName")
    return {
        "dbSubnetGroupName": (body.get("DBSubnetGroup") or {}).get("DBSubnetGroupName"),
        "parameterGroupName" if "username" in inputs or "dbName" in inputs else "dbParameterGroupName": name,
        "optionGroupName": options[0].get("OptionGroupName"),
    }


def _modify_instance(handler: Rds, context: Context, resource_id: str, states: tuple[Properties, Properties]) -> None:
    olds, news = states
    apart = {"tags", "skipFinalSnapshot", "finalSnapshotIdentifier", "applyImmediately", "deleteAutomatedBackups",
             "replicateSourceDb", "forceDestroy"}  # fmt: skip
    differs = roots(olds, news) - apart
    if olds.get("replicateSourceDb") and not news.get("replicateSourceDb"):
        handler.client(context).promote_read_replica(DBInstanceIdentifier=news["identifier"])
        handler.settle(context, resource_id, news)
    wanted = {name: value for name, value in news.items() if name in differs}
    if differs:
        request = {**handler.arrange(context, wanted), **log_exports(olds, news)}
        now = bool(news.get("applyImmediately"))
        handler.send(context, handler.updates, request, **handler.keys(resource_id, news), ApplyImmediately=now)
        handler.settle(context, resource_id, news)


def _version(given: Any, found: Any) -> Any:
    """A version as it was given, while what runs is of it: `16` for 16.4."""
    return given if given and str(found).startswith(str(given)) else found


def cluster(context: Context, arguments: Properties) -> Properties:
    """One cluster."""
    found = RESOURCES[0].read(context, str(arguments["clusterIdentifier"]), {}) or {}
    return {**found, "id": arguments["clusterIdentifier"]}


def instance(context: Context, arguments: Properties) -> Properties:
    """One instance."""
    name = str(arguments["dbInstanceIdentifier"])
    found = RESOURCES[2].read(context, name, {}) or {}
    told = {"dbInstanceArn": found.get("arn"), "dbInstanceClass": found.get("instanceClass"),
            "masterUsername": found.get("username"), "dbInstanceIdentifier": name}  # fmt: skip
    return {**found, **told, "id": name}


def engine_version(context: Context, arguments: Properties) -> Properties:
    """The newest version of an engine that matches, or its default."""
    wanted = {"Engine": arguments["engine"], "EngineVersion": arguments.get("version")}
    known = {name: value for name, value in wanted.items() if value}
    found = context.client("rds").describe_db_engine_versions(**known)["DBEngineVersions"]
    preferred = [
        one
        for version in arguments.get("preferredVersions") or ()
        for one in found
        if one["EngineVersion"] == version
    ]
    one = (preferred or found)[0] if preferred or not arguments.get("latest") else max(found, key=_number)
    version = one["EngineVersion"]
    return {
        **arguments,
        "id": version,
        "version": version,
        "versionActual": version,
        "parameterGroupFamily": one.get("DBParameterGroupFamily", ""),
        "versionDescription": one.get("DBEngineVersionDescription", ""),
        "engineDescription": one.get("DBEngineDescription", ""),
    }


def _number(one: Mapping[str, Any]) -> tuple[int, ...]:
    return tuple(int(part) for part in str(one["EngineVersion"]).split(".") if part.isdigit())


RESOURCES = (
    Cluster(), ClusterInstance(), Instance(), SubnetGroup(), ParameterGroup(), ClusterParameterGroup(),
)  # fmt: skip
INVOKES: dict[str, Invoke] = {
    "aws:rds/getCluster:getCluster": cluster,
    "aws:rds/getInstance:getInstance": instance,
    "aws:rds/getEngineVersion:getEngineVersion": engine_version,
}
