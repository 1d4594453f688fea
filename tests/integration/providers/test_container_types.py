"""Containers and what scales them."""

import json
from typing import Any

E = "aws:ec2/"
C = "aws:ecs/"
A = "aws:appautoscaling/"
G = "aws:autoscaling/"
CONTAINERS = [{"name": "web", "image": "web", "cpu": 256, "memory": 512, "portMappings": [{"containerPort": 80}]}]
PLACE = {
    "vpc": (E + "vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
    "subnet": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24"}),
    "group": (E + "securityGroup:SecurityGroup", {"vpcId": "${vpc}"}),
    "targets": ("aws:lb/targetGroup:TargetGroup", {
        "port": 80, "protocol": "HTTP", "vpcId": "${vpc}", "targetType": "ip"}),
}  # fmt: skip

TASKS = {
    **PLACE,
    "cluster": (C + "cluster:Cluster", {
        "settings": [{"name": "containerInsights", "value": "enabled"}], "tags": {"a": "b"}}),
    "providers": (C + "clusterCapacityProviders:ClusterCapacityProviders", {
        "clusterName": "${cluster.name}", "capacityProviders": ["FARGATE", "FARGATE_SPOT"],
        "defaultCapacityProviderStrategies": [{"capacityProvider": "FARGATE", "weight": 1, "base": 1}]}),
    "task": (C + "taskDefinition:TaskDefinition", {
        "family": "web", "containerDefinitions": json.dumps(CONTAINERS), "cpu": "256", "memory": "512",
        "networkMode": "awsvpc", "requiresCompatibilities": ["FARGATE"], "volumes": [{"name": "data"}],
        "tags": {"a": "b"}}),
    "service": (C + "service:Service", {
        "cluster": "${cluster}", "taskDefinition": "${task.arn}", "desiredCount": 0, "launchType": "FARGATE",
        "networkConfiguration": {"subnets": ["${subnet}"], "securityGroups": ["${group}"]},
        "loadBalancers": [{"targetGroupArn": "${targets}", "containerName": "web", "containerPort": 80}],
        "deploymentCircuitBreaker": {"enable": True, "rollback": True}, "tags": {"a": "b"}}),
    "scaled": (A + "target:Target", {
        "serviceNamespace": "ecs", "resourceId": "service/${cluster.name}/${service.name}", "minCapacity": 1,
        "scalableDimension": "ecs:service:DesiredCount", "maxCapacity": 4}),
    "by-cpu": (A + "policy:Policy", {
        "serviceNamespace": "ecs", "resourceId": "${scaled.resourceId}", "policyType": "TargetTrackingScaling",
        "scalableDimension": "ecs:service:DesiredCount", "targetTrackingScalingPolicyConfiguration": {
            "targetValue": 50, "scaleInCooldown": 60, "predefinedMetricSpecification": {
                "predefinedMetricType": "ECSServiceAverageCPUUtilization"}}}),
    "by-night": (A + "scheduledAction:ScheduledAction", {
        "serviceNamespace": "ecs", "resourceId": "${scaled.resourceId}", "schedule": "cron(0 20 * * ? *)",
        "scalableDimension": "ecs:service:DesiredCount", "scalableTargetAction": {
            "minCapacity": 0, "maxCapacity": 1}}),
}  # fmt: skip
TASKS_CHANGES: dict[str, dict[str, Any]] = {
    "cluster": {"settings": [{"name": "containerInsights", "value": "disabled"}], "tags": {"a": "c"}},
    "providers": {"capacityProviders": ["FARGATE"]},
    "task": {"tags": {"a": "c"}},
    "service": {"enableExecuteCommand": True, "tags": {"a": "c"}},
    "scaled": {"maxCapacity": 6},
    "by-night": {"schedule": "cron(0 22 * * ? *)"},
}

IMAGES = {
    "images": ("aws:ecr/repository:Repository", {
        "imageScanningConfiguration": {"scanOnPush": True}, "forceDelete": True, "tags": {"a": "b"}}),
    "expiry": ("aws:ecr/lifecyclePolicy:LifecyclePolicy", {"repository": "${images.name}", "policy": json.dumps(
        {"rules": [{"rulePriority": 1, "selection": {"tagStatus": "any", "countType": "imageCountMoreThan",
                    "countNumber": 5}, "action": {"type": "expire"}}]})}),
    "access": ("aws:ecr/repositoryPolicy:RepositoryPolicy", {"repository": "${images.name}", "policy": json.dumps(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": "ecr:*"}]})}),
}  # fmt: skip
IMAGES_CHANGES: dict[str, dict[str, Any]] = {
    "images": {"imageScanningConfiguration": {"scanOnPush": False}, "imageTagMutability": "IMMUTABLE"},
    "access": {"policy": json.dumps({"Version": "2012-10-17", "Statement": []})},
}

FLEET = {
    **PLACE,
    "template": (E + "launchTemplate:LaunchTemplate", {
        "imageId": "ami-0c2023a1b2c3d4e5f", "instanceType": "t3.micro"}),
    "old": (E + "launchConfiguration:LaunchConfiguration", {
        "imageId": "ami-0c2023a1b2c3d4e5f", "instanceType": "t3.micro", "userData": "#!/bin/sh"}),
    "fleet": (G + "group:Group", {
        "minSize": 0, "maxSize": 2, "desiredCapacity": 0, "vpcZoneIdentifiers": ["${subnet}"],
        "launchTemplate": {"id": "${template}", "version": "$Latest"}, "healthCheckType": "ELB",
        "tags": [{"key": "Name", "value": "web", "propagateAtLaunch": True}]}),
    "out": (G + "policy:Policy", {
        "autoscalingGroupName": "${fleet.name}", "adjustmentType": "ChangeInCapacity", "scalingAdjustment": 1,
        "cooldown": 60}),
    "track": (G + "policy:Policy", {
        "autoscalingGroupName": "${fleet.name}", "policyType": "TargetTrackingScaling",
        "targetTrackingConfiguration": {"targetValue": 50, "predefinedMetricSpecification": {
            "predefinedMetricType": "ASGAverageCPUUtilization"}}}),
    "night": (G + "schedule:Schedule", {
        "autoscalingGroupName": "${fleet.name}", "scheduledActionName": "night", "recurrence": "0 20 * * *",
        "minSize": 0, "maxSize": 1, "desiredCapacity": 0}),
    "hook": (G + "lifecycleHook:LifecycleHook", {
        "autoscalingGroupName": "${fleet.name}", "lifecycleTransition": "autoscaling:EC2_INSTANCE_TERMINATING",
        "heartbeatTimeout": 60}),
    "in": (G + "attachment:Attachment", {"autoscalingGroupName": "web", "lbTargetGroupArn": "x"}),
}  # fmt: skip
FLEET_CHANGES: dict[str, dict[str, Any]] = {
    "fleet": {"maxSize": 3, "healthCheckGracePeriod": 60},
    "out": {"scalingAdjustment": 2},
    "night": {"recurrence": "0 21 * * *"},
    "hook": {"heartbeatTimeout": 90},
}


def test_tasks(lives: Any) -> None:
    lives.run(TASKS, TASKS_CHANGES)


def test_images(lives: Any) -> None:
    lives.run(IMAGES, IMAGES_CHANGES)


def test_fleets(lives: Any) -> None:
    lives.run(FLEET, FLEET_CHANGES, lacking=("in",))
