"""EventBridge's schema registry."""

from __future__ import annotations

from typing import ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging

_TAGGING = Tagging(resource="ResourceArn", key="")


class Registry(Declared):
    """aws:schemas/registry:Registry; the id is the name."""

    token: ClassVar = "aws:schemas/registry:Registry"
    service: ClassVar = "schemas"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"name"})
    renames: ClassVar = {"name": "RegistryName", "arn": "RegistryArn"}
    creates: ClassVar = "CreateRegistry"
    reads: ClassVar = "DescribeRegistry"
    updates: ClassVar = "UpdateRegistry"
    deletes: ClassVar = "DeleteRegistry"
    key: ClassVar = {"RegistryName": "name"}
    parts: ClassVar = ("name",)


class RegistryPolicy(Declared):
    """aws:schemas/registryPolicy:RegistryPolicy; the id is the registry's name."""

    token: ClassVar = "aws:schemas/registryPolicy:RegistryPolicy"
    service: ClassVar = "schemas"
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"registryName"})
    creates: ClassVar = "PutResourcePolicy"
    reads: ClassVar = "GetResourcePolicy"
    updates: ClassVar = "PutResourcePolicy"
    deletes: ClassVar = "DeleteResourcePolicy"
    key: ClassVar = {"RegistryName": "registryName"}
    parts: ClassVar = ("registryName",)


class Schema(Declared):
    """aws:schemas/schema:Schema; the id is `name/registry`."""

    token: ClassVar = "aws:schemas/schema:Schema"
    service: ClassVar = "schemas"
    named: ClassVar = "name"
    tagging: ClassVar = _TAGGING
    json_keys: ClassVar = frozenset({"content"})
    replace_on: ClassVar = frozenset({"name", "registryName"})
    renames: ClassVar = {"name": "SchemaName", "arn": "SchemaArn", "version": "SchemaVersion"}
    creates: ClassVar = "CreateSchema"
    reads: ClassVar = "DescribeSchema"
    updates: ClassVar = "UpdateSchema"
    deletes: ClassVar = "DeleteSchema"
    key: ClassVar = {"SchemaName": "name", "RegistryName": "registryName"}
    parts: ClassVar = ("name", "registryName")


class Discoverer(Declared):
    """aws:schemas/discoverer:Discoverer; the id is AWS's."""

    token: ClassVar = "aws:schemas/discoverer:Discoverer"
    service: ClassVar = "schemas"
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"sourceArn"})
    renames: ClassVar = {"arn": "DiscovererArn"}
    creates: ClassVar = "CreateDiscoverer"
    reads: ClassVar = "DescribeDiscoverer"
    updates: ClassVar = "UpdateDiscoverer"
    deletes: ClassVar = "DeleteDiscoverer"
    key: ClassVar = {"DiscovererId": "id"}
    id_from: ClassVar = "DiscovererId"


RESOURCES = (Registry(), RegistryPolicy(), Schema(), Discoverer())
