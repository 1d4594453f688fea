"""The AWS provider: one file for each service, each with `RESOURCES` (handlers) and `INVOKES` (data sources)."""

from __future__ import annotations

import functools
import importlib
import pkgutil

from harness.deploy.providers.aws.refused import REFUSED
from harness.deploy.providers.resource import Invoke, Registry, ResourceType

SERVICES = tuple(sorted(module.name for module in pkgutil.iter_modules(__path__) if not module.ispkg))
"""Every module of this package; those without types or data sources add none."""


@functools.cache
def registry() -> Registry:
    """Every handler and data source of this package, by token."""
    resources: list[ResourceType] = []
    invokes: dict[str, Invoke] = {}
    for service in SERVICES:
        module = importlib.import_module(f"{__name__}.{service}")
        resources.extend(getattr(module, "RESOURCES", ()))
        invokes.update(getattr(module, "INVOKES", {}))
    return Registry.of(resources, invokes, REFUSED)
