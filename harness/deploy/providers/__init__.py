"""The packages that the embedded engine serves, and what to use instead of those that it cannot."""

from __future__ import annotations

import functools
import importlib

from harness.deploy.providers.resource import Invoke, Registry, ResourceType

LOCAL = ("archives", "certificates", "commands", "randomness", "timing")
"""Packages that need no cloud, a module each with `RESOURCES` and `INVOKES`."""

_PLUGIN = "it is code in a plugin of Pulumi's own download site"
REFUSED = {
    "awsx": f"{_PLUGIN}: write the aws.ec2, aws.ecs and aws.lb resources that it would create",
    "aws-apigateway": f"{_PLUGIN}: write aws.apigateway.RestApi with a body, or aws.apigatewayv2",
    "aws-native": "it is Cloud Control, which emulators only pretend to have: use the same type of pulumi_aws",
    "command:remote": "no machine runs behind an instance here: use command.local.Command, or leave it out",
    "eks": f"{_PLUGIN}: no Kubernetes runs here; aws.ecs services run as local processes",
    "docker": "no container engine is needed here: name the image's folder in blackstart.toml",
    "docker-build": "no container engine is needed here: name the image's folder in blackstart.toml",
    "kubernetes": "no Kubernetes runs here; aws.ecs services run as local processes",
    "synced-folder": f"{_PLUGIN}: write an aws.s3.BucketObjectv2 for each file",
    "pulumi-nodejs": "dynamic providers run code inside the plugin: use command.local.Command",
}
"""Package, or package and module → why it cannot run here and what to write instead; an error's hint."""


@functools.cache
def registry() -> Registry:
    """Every handler and data source of every package, by token."""
    from harness.deploy.providers import aws

    resources: list[ResourceType] = list(dict.fromkeys(aws.registry().resources.values()))
    invokes: dict[str, Invoke] = dict(aws.registry().invokes)
    for package in LOCAL:
        module = importlib.import_module(f"{__name__}.{package}")
        resources.extend(module.RESOURCES)
        invokes.update(module.INVOKES)
    return Registry.of(resources, invokes, refused={**aws.registry().refused, **REFUSED})
