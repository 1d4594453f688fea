"""The operations of the FIS API, as methods by their names."""

from __future__ import annotations

import base64
import copy
import json
import secrets
import string
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any

from chaos.fis.actions import ACTIONS, RESOURCE_TYPES
from chaos.fis.actions.action import Action
from chaos.fis.errors import ConflictException, ResourceNotFoundException, ValidationException
from chaos.fis.experiment import Experiment
from chaos.fis.template import Template, check_template
from harness.cloud.doors import Doors
from harness.errors import nearest

Members = dict[str, Any]  # JSON by FIS's own member names
_TEMPLATE_MEMBERS = (
    "description", "targets", "actions", "stopConditions", "roleArn", "logConfiguration", "experimentOptions",
    "experimentReportConfiguration",
)  # fmt: skip
_PAGE = 100


@dataclass(slots=True)
class Operations:
    """All templates and experiments of one cloud. Used by one event loop."""

    doors: Doors
    templates: dict[str, Template] = field(default_factory=dict)
    experiments: dict[str, Experiment] = field(default_factory=dict)
    _tokens: dict[str, tuple[str, Members]] = field(default_factory=dict)

    async def call(self, operation: str, members: Members) -> Members:
        """Carry out an operation.

        Raises:
            FisError: as the API answers it.
        """
        method: Callable[[Members], Members] | None = getattr(self, _snake(operation), None)
        if operation == "StopExperiment":
            return await self.stop(members)
        if method is None:
            raise ValidationException(f"{operation} is not supported by the embedded FIS yet")
        return method(members)

    # -- templates -------------------------------------------------------------------------------------------

    def create_experiment_template(self, members: Members) -> Members:
        """Store a template; the same client token and body return the one of before."""
        known = self._known(members)
        if known is not None:
            return {"experimentTemplate": self.templates[known]}
        template = {name: copy.deepcopy(members[name]) for name in _TEMPLATE_MEMBERS if name in members}
        template.setdefault("targets", {})
        check_template(template, self.doors.capabilities)
        identity, now = _identifier("EXT"), time.time()
        template |= {
            "id": identity,
            "arn": self._arn("experiment-template", identity),
            "creationTime": now,
            "lastUpdateTime": now,
            "tags": members.get("tags", {}),
            "experimentOptions": {
                "accountTargeting": "single-account",
                "emptyTargetResolutionMode": "fail",
                **members.get("experimentOptions", {}),
            },
            "targetAccountConfigurationsCount": 0,
        }
        self.templates[identity] = template
        self._tokens[members["clientToken"]] = (identity, members)
        return {"experimentTemplate": template}

    def get_experiment_template(self, members: Members) -> Members:
        """One template."""
        return {"experimentTemplate": self._template(members["id"])}

    def update_experiment_template(self, members: Members) -> Members:
        """Change what is given; experiments under way keep their own copy."""
        template = self._template(members["id"])
        changed = {name: copy.deepcopy(members[name]) for name in _TEMPLATE_MEMBERS if name in members}
        changed["experimentOptions"] = {**template["experimentOptions"], **members.get("experimentOptions", {})}
        check_template({**template, **changed}, self.doors.capabilities)
        template |= {**changed, "lastUpdateTime": time.time()}
        return {"experimentTemplate": template}

    def delete_experiment_template(self, members: Members) -> Members:
        """Forget a template; returns it once more."""
        template = self._template(members["id"])
        del self.templates[template["id"]]
        return {"experimentTemplate": template}

    def list_experiment_templates(self, members: Members) -> Members:
        """Templates, a page at a time."""
        shown = ("id", "arn", "description", "creationTime", "lastUpdateTime", "tags")
        rows = [{name: t[name] for name in shown if name in t} for t in self.templates.values()]
        return _page("experimentTemplates", rows, members)

    # -- experiments -----------------------------------------------------------------------------------------

    def start_experiment(self, members: Members) -> Members:
        """Start a run of a template."""
        known = self._known(members)
        if known is not None:
            return {"experiment": _shown(self.experiments[known])}
        template = self._template(members["experimentTemplateId"])
        identity = _identifier("EXP")
        tags = dict(members.get("tags", {}))
        experiment = Experiment(
            id=identity,
            arn=self._arn("experiment", identity),
            template=copy.deepcopy(template),
            doors=self.doors,
            # A tag of ours sets the seed of everything drawn by chance, so that a drill can be repeated.
            seed=int(tags["blackstart:seed"])
            if tags.get("blackstart:seed", "").isdigit()
            else secrets.randbelow(2**31),
            tags=tags,
            skip_all=(members.get("experimentOptions") or {}).get("actionsMode") == "skip-all",
        )
        self.experiments[identity] = experiment
        self._tokens[members["clientToken"]] = (identity, members)
        experiment.start()
        return {"experiment": _shown(experiment)}

    async def stop(self, members: Members) -> Members:
        """StopExperiment: returns when everything is healed."""
        experiment = self._experiment(members["id"])
        await experiment.stop()
        return {"experiment": _shown(experiment)}

    def get_experiment(self, members: Members) -> Members:
        """One experiment as it is now."""
        return {"experiment": _shown(self._experiment(members["id"]))}

    def list_experiments(self, members: Members) -> Members:
        """Experiments, a page at a time; of one template where asked."""
        wanted = members.get("experimentTemplateId")
        shown = ("id", "arn", "experimentTemplateId", "state", "creationTime", "tags", "experimentOptions")
        found = [_shown(e) for e in self.experiments.values() if not wanted or e.template["id"] == wanted]
        return _page("experiments", [{name: e[name] for name in shown} for e in found], members)

    def list_experiment_resolved_targets(self, members: Members) -> Members:
        """What the targets of an experiment turned out to be."""
        experiment = self._experiment(members["experimentId"])
        wanted = members.get("targetName")
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
        return _page("resolvedTargets", rows, members)

    # -- actions, types, tags --------------------------------------------------------------------------------

    def list_actions(self, members: Members) -> Members:
        """The actions that this gate can carry out."""
        rows = [self._action(action) for action in self._actions()]
        for row in rows:
            del row["parameters"]
        return _page("actions", rows, members)

    def get_action(self, members: Members) -> Members:
        """One action with its parameters."""
        found = next((action for action in self._actions() if action.id == members["id"]), None)
        if found is None:
            known = [action.id for action in self._actions()]
            raise ResourceNotFoundException(f"Action {members['id']} does not exist; {nearest(members['id'], known)}")
        return {"action": self._action(found)}

    def list_target_resource_types(self, members: Members) -> Members:
        """The resource types that targets may have."""
        rows = [{"resourceType": kind, "description": text} for kind, text in RESOURCE_TYPES.items()]
        return _page("targetResourceTypes", rows, members)

    def get_target_resource_type(self, members: Members) -> Members:
        """One resource type."""
        kind = members["resourceType"]
        if kind not in RESOURCE_TYPES:
            raise ResourceNotFoundException(f"Resource type {kind} does not exist; {nearest(kind, RESOURCE_TYPES)}")
        parameters = (
            {"availabilityZoneIdentifier": {"description": "A zone's id or name.", "required": False}}
            if kind == "aws:ec2:subnet"
            else {}
        )
        description = RESOURCE_TYPES[kind]
        return {"targetResourceType": {"resourceType": kind, "description": description, "parameters": parameters}}

    def tag_resource(self, members: Members) -> Members:
        """Add tags to a template or an experiment."""
        self._tags(members["resourceArn"]).update(members["tags"])
        return {}

    def untag_resource(self, members: Members) -> Members:
        """Take tags away; all of them where no key is given."""
        tags = self._tags(members["resourceArn"])
        for key in members.get("tagKeys") or tuple(tags):
            tags.pop(key, None)
        return {}

    def list_tags_for_resource(self, members: Members) -> Members:
        """The tags of a template or an experiment."""
        return {"tags": dict(self._tags(members["resourceArn"]))}

    # -- shared ----------------------------------------------------------------------------------------------

    def _known(self, members: Members) -> str | None:
        """The id that an earlier request with the same token made.

        Raises:
            ConflictException: the token was used for another request.
        """
        identity, before = self._tokens.get(members["clientToken"], ("", {}))
        if not identity:
            return None
        if before != members:
            raise ConflictException("The client token was used with other parameters")
        return identity

    def _template(self, identity: str) -> Template:
        if identity not in self.templates:
            raise ResourceNotFoundException(f"Experiment template {identity} does not exist")
        return self.templates[identity]

    def _experiment(self, identity: str) -> Experiment:
        if identity not in self.experiments:
            raise ResourceNotFoundException(f"Experiment {identity} does not exist")
        return self.experiments[identity]

    def _tags(self, arn: str) -> dict[str, str]:
        for template in self.templates.values():
            if template["arn"] == arn:
                found: dict[str, str] = template["tags"]
                return found
        for experiment in self.experiments.values():
            if experiment.arn == arn:
                return experiment.tags
        raise ResourceNotFoundException(f"{arn} does not exist")

    def _actions(self) -> Iterable[Action]:
        able = self.doors.capabilities
        return [action for action in ACTIONS.values() if not action.capability or action.capability in able]

    def _action(self, action: Action) -> Members:
        return {
            "id": action.id,
            "arn": self._arn("action", action.id),
            "description": action.description,
            "parameters": {
                name: {"description": p.description, "required": p.required} for name, p in action.parameters.items()
            },
            "targets": {slot: {"resourceType": kind} for slot, kind in action.targets.items()},
            "tags": {},
        }

    def _arn(self, kind: str, identity: str) -> str:
        target = self.doors.target
        return f"arn:aws:fis:{target.region}:{target.account_id}:{kind}/{identity}"


def _identifier(prefix: str) -> str:
    """`EXT` or `EXP` and 15 letters and digits, as in AWS's samples."""
    alphabet = string.ascii_letters + string.digits
    return prefix + "".join(secrets.choice(alphabet) for _ in range(15))


def _shown(experiment: Experiment) -> Members:
    template = experiment.template
    state: Members = {"status": experiment.status, "reason": experiment.reason}
    if experiment.error:
        state["error"] = experiment.error
    body: Members = {
        "id": experiment.id,
        "arn": experiment.arn,
        "experimentTemplateId": template["id"],
        "roleArn": template["roleArn"],
        "state": state,
        "targets": template.get("targets", {}),
        "actions": {name: _shown_action(run) for name, run in experiment.actions.items()},
        "stopConditions": template["stopConditions"],
        "creationTime": experiment.created,
        "startTime": experiment.started,
        "endTime": experiment.ended,
        "tags": experiment.tags,
        "experimentOptions": {
            **template["experimentOptions"],
            "actionsMode": "skip-all" if experiment.skip_all else "run-all",
        },
        "targetAccountConfigurationsCount": 0,
    }
    return {name: value for name, value in body.items() if value is not None}


def _shown_action(run: Any) -> Members:
    body = {
        **run.given,
        "state": {"status": run.status, "reason": run.reason},
        "startTime": run.started,
        "endTime": run.ended,
    }
    return {name: value for name, value in body.items() if value is not None}


def _page(name: str, rows: list[Members], members: Members) -> Members:
    """One page of rows; the token is where the next one starts."""
    size = members.get("maxResults") or _PAGE
    start = 0
    if members.get("nextToken"):
        try:
            start = int(json.loads(base64.urlsafe_b64decode(members["nextToken"])))
        except (ValueError, TypeError) as error:
            raise ValidationException("Invalid nextToken") from error
    body: Members = {name: rows[start : start + size]}
    if start + size < len(rows):
        body["nextToken"] = base64.urlsafe_b64encode(json.dumps(start + size).encode()).decode()
    return body


def _snake(name: str) -> str:
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
