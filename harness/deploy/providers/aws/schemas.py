"""EventBridge's schema registry."""

from __future__ import annotations

from typing import ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging

_TAGGING = Tagging(resource="ResourceArn", key="")


class Registry(Declared, noun="Registry", verbs="Create Describe Update Delete"):
    """aws:schemas/registry:Registry; the id is the name."""

    token: ClassVar = "aws:schemas/registry:Registry"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"name"})
    renames: ClassVar = {"name": "RegistryName", "arn": "RegistryArn"}
    key: ClassVar = {"RegistryName": "name"}
    parts: ClassVar = ("name",)


class RegistryPolicy(Declared, noun="ResourcePolicy", verbs="Put Get Put Delete"):
    """aws:schemas/registryPolicy:RegistryPolicy; the id is the registry's name."""

    token: ClassVar = "aws:schemas/registryPolicy:RegistryPolicy"
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"registryName"})
    key: ClassVar = {"RegistryName": "registryName"}
    parts: ClassVar = ("registryName",)


class Schema(Declared, noun="Schema", verbs="Create Describe Update Delete"):
    """aws:schemas/schema:Schema; the id is `name/registry`."""

    token: ClassVar = "aws:schemas/schema:Schema"
    named: ClassVar = "name"
    tagging: ClassVar = _TAGGING
    json_keys: ClassVar = frozenset({"content"})
    replace_on: ClassVar = frozenset({"name", "registryName"})
    renames: ClassVar = {"name": "SchemaName", "arn": "SchemaArn", "version": "SchemaVersion"}
    key: ClassVar = {"SchemaName": "name", "RegistryName": "registryName"}
    parts: ClassVar = ("name", "registryName")


class Discoverer(Declared, noun="Discoverer", verbs="Create Describe Update Delete"):
    """aws:schemas/discoverer:Discoverer; the id is AWS's."""

    token: ClassVar = "aws:schemas/discoverer:Discoverer"
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"sourceArn"})
    renames: ClassVar = {"arn": "DiscovererArn"}
    key: ClassVar = {"DiscovererId": "id"}
    id_from: ClassVar = "DiscovererId"


RESOURCES = (Registry(), RegistryPolicy(), Schema(), Discoverer())
