"""The AWS provider: one file for each service, each with `RESOURCES` (handlers) and `INVOKES` (data sources)."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from harness.deploy.providers.resource import Invoke, Registry, ResourceType

SERVICES = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg))
"""Every module of this package; those without types or data sources add none."""
SERVICES = (
    "acm",
    "apigateway",
    "apigatewayv2",
    "application_scaling",
    "auto_scaling",
    "cloudwatch",
    "data",
    "dynamodb",
    "ec2",
    "ec2_acls",
    "ec2_data",
    "ec2_gateways",
    "ec2_groups",
    "ec2_instances",
    "ec2_links",
    "ec2_routing",
    "ecr",
    "ecs",
    "efs",
    "elasticache",
    "events",
    "fis",
    "functions",
    "iam",
    "iam_access",
    "iam_attachments",
    "iam_data",
    "kms",
    "policy_document",
    "load_balancers",
    "rds",
    "rds_more",
    "route53",
    "s3",
    "s3_objects",
    "s3_settings",
    "secretsmanager",
    "servicediscovery",
    "sns",
    "sqs",
    "ssm",
)


@functools.cache
def registry() -> Registry:
    """Every handler and data source of this package, by token."""
    resources: list[ResourceType] = []
    invokes: dict[str, Invoke] = {}
    for service in SERVICES:
        module = importlib.import_module(f"{__name__}.{service}")
        resources.extend(getattr(module, "RESOURCES", ()))
        invokes.update(getattr(module, "INVOKES", {}))
    return Registry.of(resources, invokes)
