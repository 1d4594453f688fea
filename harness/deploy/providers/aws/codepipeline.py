"""CodePipeline: pipelines."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import SFN
from harness.deploy.providers.resource import Context, Properties

_TYPE = ("category", "owner", "provider", "version")
_NAMES = ("inputArtifacts", "outputArtifacts")


class Pipeline(Declared, noun="Pipeline"):
    """aws:codepipeline/pipeline:Pipeline; the id is the name."""

    token: ClassVar = "aws:codepipeline/pipeline:Pipeline"
    key: ClassVar = {"name": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 100}
    wraps: ClassVar = "pipeline"
    body: ClassVar = "pipeline"
    computed: ClassVar = {"arn": "arn:aws:codepipeline:{region}:{account}:{id}"}
    defaults: ClassVar = {"executionMode": "SUPERSEDED", "pipelineType": "V1"}
    tagging: ClassVar = SFN
    replace_on: ClassVar = frozenset({"name"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Actions have a block of four for their type, artifacts are blocks; stores are one, or a map by region."""
        stores = inputs["artifactStores"]
        stages = [{**stage, "actions": [_action(one) for one in stage["actions"]]} for stage in inputs["stages"]]
        made = {**{key: inputs[key] for key in inputs if key != "artifactStores"}, "stages": stages}
        if len(stores) == 1 and not stores[0].get("region"):
            return {**made, "artifactStore": stores[0]}
        return {**made, "artifactStores": {store.get("region") or context.region: store for store in stores}}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Back in Pulumi's grouping; what was given where nothing differs."""
        stores = body.get("artifactStores") or {}
        alone = [body["artifactStore"]] if body.get("artifactStore") else []
        found = {
            "artifactStores": alone or [{**store, "region": region} for region, store in stores.items()],
            "stages": [{**stage, "actions": [_told(one) for one in stage["actions"]]} for stage in body["stages"]],
        }
        return {key: _given(inputs.get(key), value) for key, value in found.items()}


def _action(action: Properties) -> Properties:
    kept = {key: action[key] for key in action if key not in {*_TYPE, *_NAMES, "runOrder"}}
    artifacts = {key: [{"name": name} for name in action.get(key) or ()] for key in _NAMES}
    kind = {key: action[key] for key in _TYPE}
    return {**kept, **artifacts, "actionTypeId": kind, "runOrder": int(action.get("runOrder") or 1)}


def _told(action: Mapping[str, Any]) -> Properties:
    kept = {key: action[key] for key in action if key not in {"actionTypeId", *_NAMES}}
    artifacts = {key: [one["name"] for one in action.get(key) or ()] for key in _NAMES}
    return {**kept, **action["actionTypeId"], **artifacts}


def _given(given: Any, found: Any) -> Any:
    """`given` where everything in it is found so; AWS fills in what was left out."""
    return given if given is not None and _covers(given, found) else found


def _covers(given: Any, found: Any) -> bool:
    if isinstance(given, Mapping) and isinstance(found, Mapping):
        return all(_covers(value, found.get(key)) for key, value in given.items())
    if isinstance(given, list) and isinstance(found, list) and len(given) == len(found):
        return all(_covers(one, other) for one, other in zip(given, found, strict=True))
    return bool(given == found) or (not given and not found)


RESOURCES = (Pipeline(),)
