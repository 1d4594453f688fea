"""What containers on Fargate behind a load balancer have in common: port, targets, roles, size."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pulumi_aws as aws

PORT = 8080
SMALL: Mapping[str, Any] = {
    "requires_compatibilities": ["FARGATE"],
    "network_mode": "awsvpc",
    "cpu": "256",
    "memory": "512",
}
"""The smallest task."""


def targets(vpc_id: pulumi.Input[str]) -> dict[str, Any]:
    """Settings of a group of tasks that answer /health.

    The checks are the shortest that AWS takes: a lost task is left out after ten seconds.
    """
    return {
        "port": PORT,
        "protocol": "HTTP",
        "target_type": "ip",
        "vpc_id": vpc_id,
        "deregistration_delay": 5,
        "health_check": {
            "path": "/health",
            "interval": 5,
            "timeout": 2,
            "healthy_threshold": 2,
            "unhealthy_threshold": 2,
        },
    }


def task_role(name: str, opts: pulumi.ResourceOptions) -> aws.iam.Role:
    """A role that tasks take on."""
    principal = {"Service": "ecs-tasks.amazonaws.com"}
    statement = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": principal}
    trust = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return aws.iam.Role(name, assume_role_policy=trust, opts=opts)


def execution_role(name: str, opts: pulumi.ResourceOptions) -> aws.iam.Role:
    """What ECS itself takes on: it pulls images and writes logs."""
    role = task_role(f"{name}-execution", opts)
    aws.iam.RolePolicyAttachment(
        name,
        role=role.name,
        policy_arn="arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy",
        opts=opts,
    )
    return role


def reads(table: aws.dynamodb.Table) -> pulumi.Output[str]:
    """A policy that lets items of a table be read."""
    return table.arn.apply(
        lambda arn: json.dumps(
            {
                "Version": "2012-10-17",
                "Statement": [{"Effect": "Allow", "Action": "dynamodb:GetItem", "Resource": arn}],
            }
        )
    )
