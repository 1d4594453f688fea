"""The actions that exist here and the resource types of targets."""

from __future__ import annotations

from collections.abc import Mapping

from chaos.fis.actions import ACTIONS
from chaos.fis.actions.action import Action
from chaos.fis.errors import ResourceNotFoundException
from chaos.fis.operations.pages import page
from chaos.fis.region import Members, Region
from chaos.fis.resource_types import RESOURCE_TYPES
from harness.errors import nearest


def actions(region: Region, members: Members) -> Members:
    """The actions that this gate can carry out, without their parameters."""
    rows = [_shown(region, action) for action in _able(region).values()]
    return page("actions", [{name: row[name] for name in row if name != "parameters"} for row in rows], members)


def action(region: Region, members: Members) -> Members:
    """One action with its parameters."""
    able = _able(region)
    if members["id"] not in able:
        raise ResourceNotFoundException(f"Action {members['id']} not found; {nearest(members['id'], able)}")
    return {"action": _shown(region, able[members["id"]])}


def resource_types(region: Region, members: Members) -> Members:
    """The resource types that targets may have."""
    del region
    rows = [{"resourceType": kind, "description": told.description} for kind, told in RESOURCE_TYPES.items()]
    return page("targetResourceTypes", rows, members)


def resource_type(region: Region, members: Members) -> Members:
    """One resource type with its parameters."""
    del region
    kind = members["resourceType"]
    if kind not in RESOURCE_TYPES:
        raise ResourceNotFoundException(f"Resource type {kind} not found; {nearest(kind, RESOURCE_TYPES)}")
    told = RESOURCE_TYPES[kind]
    parameters = {
        name: {"description": one.description, "required": one.required} for name, one in told.parameters.items()
    }
    return {"targetResourceType": {"resourceType": kind, "description": told.description, "parameters": parameters}}


def _able(region: Region) -> Mapping[str, Action]:
    able = region.doors.capabilities
    return {name: one for name, one in ACTIONS.items() if not one.capability or one.capability in able}


def _shown(region: Region, one: Action) -> Members:
    return {
        "id": one.id,
        "arn": region.arn("action", one.id),
        "description": one.description,
        "parameters": {
            name: {"description": p.description, "required": p.required} for name, p in one.parameters.items()
        },
        "targets": {slot: {"resourceType": kind} for slot, kind in one.targets.items()},
        "tags": {},
    }
