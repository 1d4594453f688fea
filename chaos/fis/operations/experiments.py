"""Experiments: start, get, stop, list, and what their targets turned out to be."""

from __future__ import annotations

import copy
import secrets

from chaos.fis.errors import ServiceQuotaExceededException, ValidationException
from chaos.fis.experiment import Experiment
from chaos.fis.operations.pages import page
from chaos.fis.region import Members, Region, identifier

_LISTED = ("id", "arn", "experimentTemplateId", "state", "creationTime", "tags", "experimentOptions")
SEED_TAG = "blackstart:seed"
"""A tag of ours sets the seed of everything drawn by chance, so that a drill can be repeated."""


def start(region: Region, members: Members) -> Members:
    """Start a run of a template; the same client token and body return the one of before."""
    known = region.known("StartExperiment", members)
    if known:
        return {"experiment": region.experiment(known).shown()}
    template = region.template(members["experimentTemplateId"])
    active = sum(experiment.active for experiment in region.experiments.values())
    if active >= region.quotas.active_experiments:
        raise ServiceQuotaExceededException(
            f"You have reached the quota of {region.quotas.active_experiments} active experiments."
        )
    accounts = region.accounts.get(template["id"], {})
    if template["experimentOptions"]["accountTargeting"] == "multi-account" and not accounts:
        raise ValidationException("A multi-account experiment template needs a target account configuration.")
    identity = identifier("EXP")
    tags = dict(members.get("tags", {}))
    experiment = Experiment(
        id=identity,
        arn=region.arn("experiment", identity),
        template=copy.deepcopy(template),
        region=region,
        seed=_seed(tags),
        tags=tags,
        accounts=copy.deepcopy(accounts),
        skip_all=members.get("experimentOptions", {}).get("actionsMode") == "skip-all",
    )
    region.experiments[identity] = experiment
    region.remember("StartExperiment", members, identity)
    experiment.start()
    return {"experiment": experiment.shown()}


def get(region: Region, members: Members) -> Members:
    """One experiment as it is now."""
    return {"experiment": region.experiment(members["id"]).shown()}


async def stop(region: Region, members: Members) -> Members:
    """StopExperiment: shows the experiment as AWS does, `stopping`, and answers when nothing of it is in force.

    What has ended already is answered unchanged.
    """
    experiment = region.experiment(members["id"])
    stopping = experiment.begin_stop("Experiment stopped by user.")
    shown = experiment.shown()
    if stopping:
        await experiment.ended()
    return {"experiment": shown}


def listing(region: Region, members: Members) -> Members:
    """Experiments, a page at a time; of one template where asked."""
    wanted = members.get("experimentTemplateId")
    found = [e.shown() for e in region.experiments.values() if not wanted or e.template["id"] == wanted]
    return page("experiments", [{name: e[name] for name in _LISTED} for e in found], members)


def resolved_targets(region: Region, members: Members) -> Members:
    """What the targets of an experiment turned out to be."""
    experiment = region.experiment(members["experimentId"])
    wanted = members.get("targetName")
    if wanted and wanted not in (experiment.template.get("targets") or {}):
        raise ValidationException(f"Experiment {experiment.id} has no target {wanted}.")
    rows = [
        {
            "resourceType": experiment.template["targets"][name]["resourceType"],
            "targetName": name,
            "targetInformation": {"arn": resource.arn},
        }
        for name, resources in experiment.resolved.items()
        for resource in resources
        if not wanted or name == wanted
    ]
    return page("resolvedTargets", rows, members)


def _seed(tags: Members) -> int:
    given = str(tags.get(SEED_TAG, ""))
    return int(given) if given.isascii() and given.isdigit() else secrets.randbelow(2**31)
