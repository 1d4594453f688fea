"""The operations of the FIS API by their names: each takes a region and the request's members."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping

from chaos.fis.operations import accounts, catalogue, experiments, lever, tags, templates
from chaos.fis.region import Members, Region

Operation = Callable[[Region, Members], Members | Awaitable[Members]]

OPERATIONS: Mapping[str, Operation] = {
    "CreateExperimentTemplate": templates.create,
    "GetExperimentTemplate": templates.get,
    "UpdateExperimentTemplate": templates.update,
    "DeleteExperimentTemplate": templates.delete,
    "ListExperimentTemplates": templates.listing,
    "CreateTargetAccountConfiguration": accounts.create,
    "GetTargetAccountConfiguration": accounts.get,
    "UpdateTargetAccountConfiguration": accounts.update,
    "DeleteTargetAccountConfiguration": accounts.delete,
    "ListTargetAccountConfigurations": accounts.listing,
    "GetExperimentTargetAccountConfiguration": accounts.get_of_experiment,
    "ListExperimentTargetAccountConfigurations": accounts.listing_of_experiment,
    "StartExperiment": experiments.start,
    "GetExperiment": experiments.get,
    "StopExperiment": experiments.stop,
    "ListExperiments": experiments.listing,
    "ListExperimentResolvedTargets": experiments.resolved_targets,
    "ListActions": catalogue.actions,
    "GetAction": catalogue.action,
    "ListTargetResourceTypes": catalogue.resource_types,
    "GetTargetResourceType": catalogue.resource_type,
    "GetSafetyLever": lever.get,
    "UpdateSafetyLeverState": lever.update,
    "TagResource": tags.tag,
    "UntagResource": tags.untag,
    "ListTagsForResource": tags.listing,
}
