"""RDS and what is beside it."""

from typing import Any

E = "aws:ec2/"
R = "aws:rds/"
PLACE = {
    "vpc": (E + "vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
    "a": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1a"}),
    "b": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.2.0/24", "availabilityZone": "us-east-1b"}),
    "group": (E + "securityGroup:SecurityGroup", {"vpcId": "${vpc}"}),
}  # fmt: skip
SERVERLESS = {"minCapacity": 0.5, "maxCapacity": 2}

AURORA = {
    **PLACE,
    "subnets": (R + "subnetGroup:SubnetGroup", {"subnetIds": ["${a}", "${b}"], "tags": {"a": "b"}}),
    "settings": (R + "clusterParameterGroup:ClusterParameterGroup", {
        "family": "aurora-postgresql16", "parameters": [{"name": "log_statement", "value": "ddl"}]}),
    "cluster": (R + "cluster:Cluster", {
        "engine": "aurora-postgresql", "engineVersion": "16.8", "databaseName": "shop", "masterUsername": "postgres",
        "masterPassword": "not-a-secret", "dbSubnetGroupName": "${subnets.name}", "skipFinalSnapshot": True,
        "vpcSecurityGroupIds": ["${group}"], "dbClusterParameterGroupName": "${settings.name}",
        "backupRetentionPeriod": 7, "serverlessv2ScalingConfiguration": SERVERLESS, "applyImmediately": True,
        "tags": {"a": "b"}}),
    "writer": (R + "clusterInstance:ClusterInstance", {
        "clusterIdentifier": "${cluster.clusterIdentifier}", "engine": "aurora-postgresql",
        "instanceClass": "db.serverless", "applyImmediately": True, "tags": {"a": "b"}}),
    "kept": (R + "clusterSnapshot:ClusterSnapshot", {
        "dbClusterIdentifier": "${cluster.clusterIdentifier}", "dbClusterSnapshotIdentifier": "kept"}),
    "pool": (R + "proxy:Proxy", {
        "engineFamily": "POSTGRESQL", "roleArn": "arn:aws:iam::000000000000:role/pool",
        "vpcSubnetIds": ["${a}", "${b}"],
        "auths": [{"authScheme": "SECRETS", "iamAuth": "DISABLED",
                   "secretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:db-AbCdEf"}]}),
    "pooling": (R + "proxyDefaultTargetGroup:ProxyDefaultTargetGroup", {
        "dbProxyName": "${pool.name}", "connectionPoolConfig": {"maxConnectionsPercent": 90}}),
    "pooled": (R + "proxyTarget:ProxyTarget", {
        "dbProxyName": "${pool.name}", "targetGroupName": "${pooling.name}",
        "dbClusterIdentifier": "${cluster.clusterIdentifier}"}),
    "world": (R + "globalCluster:GlobalCluster", {
        "globalClusterIdentifier": "world", "engine": "aurora-postgresql", "engineVersion": "16.8"}),
    "named": (R + "clusterEndpoint:ClusterEndpoint", {
        "clusterEndpointIdentifier": "reports", "clusterIdentifier": "x", "customEndpointType": "READER"}),
}  # fmt: skip
AURORA_CHANGES: dict[str, dict[str, Any]] = {
    "subnets": {"subnetIds": ["${a}"], "tags": {"a": "c"}},
    "settings": {"parameters": [{"name": "log_statement", "value": "all"}]},
    "cluster": {"backupRetentionPeriod": 14, "tags": {"a": "c"}},
    "writer": {"tags": {"a": "c"}},
    "world": {"deletionProtection": False},
}

SINGLE = {
    **PLACE,
    "subnets": (R + "subnetGroup:SubnetGroup", {"subnetIds": ["${a}", "${b}"]}),
    "settings": (R + "parameterGroup:ParameterGroup", {"family": "postgres16"}),
    "options": (R + "optionGroup:OptionGroup", {"engineName": "mysql", "majorEngineVersion": "8.0"}),
    "db": (R + "instance:Instance", {
        "engine": "postgres", "engineVersion": "16", "instanceClass": "db.t4g.micro", "allocatedStorage": 20,
        "dbName": "shop", "username": "postgres", "password": "not-a-secret", "skipFinalSnapshot": True,
        "dbSubnetGroupName": "${subnets.name}", "vpcSecurityGroupIds": ["${group}"], "applyImmediately": True,
        "parameterGroupName": "${settings.name}", "tags": {"a": "b"}}),
    "kept": (R + "snapshot:Snapshot", {
        "dbInstanceIdentifier": "${db.identifier}", "dbSnapshotIdentifier": "kept", "tags": {"a": "b"}}),
}  # fmt: skip
SINGLE_CHANGES: dict[str, dict[str, Any]] = {
    "db": {"allocatedStorage": 30, "backupRetentionPeriod": 3, "tags": {"a": "c"}},
}

DOCUMENTS = {
    **PLACE,
    "subnets": ("aws:docdb/subnetGroup:SubnetGroup", {"subnetIds": ["${a}", "${b}"]}),
    "settings": ("aws:docdb/clusterParameterGroup:ClusterParameterGroup", {"family": "docdb5.0"}),
    "cluster": ("aws:docdb/cluster:Cluster", {
        "masterUsername": "root", "masterPassword": "not-a-secret", "skipFinalSnapshot": True,
        "dbSubnetGroupName": "${subnets.name}"}),
    "one": ("aws:docdb/clusterInstance:ClusterInstance", {
        "clusterIdentifier": "${cluster.clusterIdentifier}", "instanceClass": "db.t3.medium"}),
}  # fmt: skip


def test_aurora(lives: Any) -> None:
    lives.run(AURORA, AURORA_CHANGES, lacking=("named",), blind=("world",))


def test_instances(lives: Any) -> None:
    lives.run(SINGLE, SINGLE_CHANGES)


def test_documents(lives: Any) -> None:
    lives.run(DOCUMENTS, {})


CACHES = {
    **PLACE,
    "subnets": ("aws:elasticache/subnetGroup:SubnetGroup", {"subnetIds": ["${a}", "${b}"], "tags": {"a": "b"}}),
    "settings": ("aws:elasticache/parameterGroup:ParameterGroup", {
        "family": "valkey8", "parameters": [{"name": "maxmemory-policy", "value": "allkeys-lru"}]}),
    "user": ("aws:elasticache/user:User", {
        "userId": "shop", "userName": "default", "engine": "redis", "accessString": "on ~* +@all",
        "noPasswordRequired": True}),
    "users": ("aws:elasticache/userGroup:UserGroup", {
        "userGroupId": "shops", "engine": "redis", "userIds": ["${user}"]}),
    "cache": ("aws:elasticache/replicationGroup:ReplicationGroup", {
        "description": "carts", "engine": "valkey", "nodeType": "cache.t4g.micro", "numCacheClusters": 2,
        "automaticFailoverEnabled": True, "subnetGroupName": "${subnets.name}", "securityGroupIds": ["${group}"],
        "parameterGroupName": "${settings.name}", "applyImmediately": True, "tags": {"a": "b"}}),
    "single": ("aws:elasticache/cluster:Cluster", {
        "engine": "redis", "nodeType": "cache.t4g.micro", "numCacheNodes": 1, "subnetGroupName": "${subnets.name}"}),
}  # fmt: skip
CACHES_CHANGES: dict[str, dict[str, Any]] = {
    "subnets": {"subnetIds": ["${a}"]},
    "settings": {"parameters": [{"name": "maxmemory-policy", "value": "noeviction"}]},
    "user": {"accessString": "on ~app* +@all"},
    "cache": {"description": "baskets", "snapshotRetentionLimit": 3, "tags": {"a": "c"}},
}


def test_caches(lives: Any) -> None:
    lives.run(CACHES, CACHES_CHANGES)
