"""Kubernetes control planes: records only, nothing runs behind them."""

import json
from typing import Any

E = "aws:ec2/"
K = "aws:eks/"
TRUST = json.dumps({"Version": "2012-10-17", "Statement": [
    {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": ["eks.amazonaws.com"]}}]})  # fmt: skip
ADMIN = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"

CLUSTER = {
    "vpc": (E + "vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
    "a": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1a"}),
    "b": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.2.0/24", "availabilityZone": "us-east-1b"}),
    "role": ("aws:iam/role:Role", {"assumeRolePolicy": TRUST}),
    "cluster": (K + "cluster:Cluster", {
        "roleArn": "${role.arn}", "vpcConfig": {"subnetIds": ["${a}", "${b}"], "publicAccessCidrs": ["0.0.0.0/0"]},
        "enabledClusterLogTypes": ["audit", "api"], "tags": {"a": "b"}}),
    "nodes": (K + "nodeGroup:NodeGroup", {
        "clusterName": "${cluster.name}", "nodeRoleArn": "${role.arn}", "subnetIds": ["${b}", "${a}"],
        "scalingConfig": {"desiredSize": 2, "maxSize": 2, "minSize": 1}, "labels": {"for": "web"},
        "tags": {"a": "b"}}),
    "dns": (K + "addon:Addon", {
        "clusterName": "${cluster.name}", "addonName": "coredns", "tags": {"a": "b"},
        "configurationValues": json.dumps({"replicaCount": 2})}),
    "admin": (K + "accessEntry:AccessEntry", {
        "clusterName": "${cluster.name}", "principalArn": "${role.arn}", "kubernetesGroups": ["ops"],
        "tags": {"a": "b"}}),
    "may": (K + "accessPolicyAssociation:AccessPolicyAssociation", {
        "clusterName": "${cluster.name}", "principalArn": "${role.arn}", "policyArn": ADMIN,
        "accessScope": {"type": "cluster"}}),
    "pods": (K + "podIdentityAssociation:PodIdentityAssociation", {
        "clusterName": "${cluster.name}", "namespace": "default", "serviceAccount": "web",
        "roleArn": "${role.arn}", "tags": {"a": "b"}}),
    "serverless": (K + "fargateProfile:FargateProfile", {
        "clusterName": "any", "podExecutionRoleArn": "arn:aws:iam::000000000000:role/r",
        "selectors": [{"namespace": "default"}], "subnetIds": ["subnet-1"]}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "cluster": {"enabledClusterLogTypes": ["audit"], "version": "1.31", "tags": {"a": "c"}},
    "nodes": {
        "scalingConfig": {"desiredSize": 3, "maxSize": 4, "minSize": 1},
        "labels": {"of": "web"},
        "version": "1.31",
        "taints": [{"key": "k", "value": "v", "effect": "NO_SCHEDULE"}],
        "tags": {"a": "c"},
    },
    "dns": {"configurationValues": json.dumps({"replicaCount": 3}), "tags": {"a": "c"}},
    "admin": {"kubernetesGroups": ["dev"], "tags": {"a": "c"}},
    "pods": {"disableSessionTags": True},
}


def test_clusters(lives: Any) -> None:
    lives.run(CLUSTER, CHANGES, lacking=("serverless",))
