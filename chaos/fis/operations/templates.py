"""Experiment templates: create, get, update, delete, list."""

from __future__ import annotations

import asyncio
import copy

from chaos.fis.actions import services_of
from chaos.fis.errors import ServiceQuotaExceededException
from chaos.fis.operations.pages import page
from chaos.fis.region import Members, Region, Template, identifier
from chaos.fis.template import check_template, check_update

_GIVEN = (
    "description", "targets", "actions", "stopConditions", "roleArn", "logConfiguration",
    "experimentReportConfiguration",
)  # fmt: skip
_LISTED = ("id", "arn", "description", "creationTime", "lastUpdateTime", "tags")


async def create(region: Region, members: Members) -> Members:
    """Store a template; the same client token and body return the one of before.

    Answers once the clients that its experiments need are made, so that none of them begins late.
    """
    known = region.known("CreateExperimentTemplate", members)
    if known:
        return {"experimentTemplate": region.template(known)}
    template: Template = {name: copy.deepcopy(members[name]) for name in _GIVEN if name in members}
    template["experimentOptions"] = {
        "accountTargeting": "single-account",
        "emptyTargetResolutionMode": "fail",
        **members.get("experimentOptions", {}),
    }
    check_template(template, region.doors.capabilities, region.quotas)
    if len(region.templates) >= region.quotas.templates:
        raise ServiceQuotaExceededException(
            f"You have reached the quota of {region.quotas.templates} experiment templates."
        )
    identity, now = identifier("EXT"), region.epoch_s()
    template |= {
        "id": identity,
        "arn": region.arn("experiment-template", identity),
        "creationTime": now,
        "lastUpdateTime": now,
        "tags": dict(members.get("tags", {})),
        "targetAccountConfigurationsCount": 0,
    }
    region.templates[identity] = template
    region.remember("CreateExperimentTemplate", members, identity)
    needed = services_of(template) | ({"iam"} if region.doors.iam_enforced else set())
    await asyncio.get_running_loop().run_in_executor(region.workers, region.clients.warm, *needed)
    return {"experimentTemplate": template}


def get(region: Region, members: Members) -> Members:
    """One template."""
    return {"experimentTemplate": region.template(members["id"])}


def update(region: Region, members: Members) -> Members:
    """Change what is given; experiments under way keep their own copy."""
    template = region.template(members["id"])
    changed: Template = {name: copy.deepcopy(members[name]) for name in _GIVEN if name in members}
    check_update(changed)
    if changed.get("logConfiguration") == {}:  # an empty one turns logging off
        del changed["logConfiguration"]
        template = {name: value for name, value in template.items() if name != "logConfiguration"}
    changed["experimentOptions"] = {**template["experimentOptions"], **members.get("experimentOptions", {})}
    changed = {**template, **changed, "lastUpdateTime": region.epoch_s()}
    check_template(changed, region.doors.capabilities, region.quotas)
    region.templates[changed["id"]] = changed
    return {"experimentTemplate": changed}


def delete(region: Region, members: Members) -> Members:
    """Forget a template; returns it once more."""
    template = region.template(members["id"])
    del region.templates[template["id"]]
    region.accounts.pop(template["id"], None)
    region.forget(template["id"])
    return {"experimentTemplate": template}


def listing(region: Region, members: Members) -> Members:
    """Templates, a page at a time."""
    rows = [{name: template[name] for name in _LISTED if name in template} for template in region.templates.values()]
    return page("experimentTemplates", rows, members)
