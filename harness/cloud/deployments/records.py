"""What CodeDeploy keeps: applications, deployment groups, configurations, tags. Each by account and region."""

from __future__ import annotations

import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.deployments.refusals import CodeDeployError
from harness.cloud.deployments.traffic import shifts, shipped

Members = Mapping[str, Any]
Record = dict[str, Any]
Key = tuple[str, str, str]
"""Account, region, name; a group's is `application/group`."""

PLATFORMS = ("Server", "Lambda", "ECS")
_STYLE = {"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"}
_NOT_KEPT = frozenset({"tags", "currentDeploymentGroupName", "newDeploymentGroupName"})


@dataclass(slots=True)
class Records:
    """The operations on what is kept; each takes the caller's account and region, and the members of the request."""

    applications: dict[Key, Record] = field(default_factory=dict)
    groups: dict[Key, Record] = field(default_factory=dict)
    configs: dict[Key, Record] = field(default_factory=dict)
    tags: dict[str, dict[str, str]] = field(default_factory=dict)

    def operations(self) -> dict[str, Callable[[tuple[str, str], Members], Record]]:
        """By name."""
        return {
            "CreateApplication": self._create_application,
            "GetApplication": lambda at, asked: {"application": self.application(at, asked)},
            "BatchGetApplications": self._batch_applications,
            "ListApplications": lambda at, _: {"applications": _names(self.applications, at)},
            "UpdateApplication": self._update_application,
            "DeleteApplication": self._delete_application,
            "CreateDeploymentGroup": self._create_group,
            "GetDeploymentGroup": lambda at, asked: {"deploymentGroupInfo": self.group(at, asked)},
            "BatchGetDeploymentGroups": self._batch_groups,
            "ListDeploymentGroups": self._list_groups,
            "UpdateDeploymentGroup": self._update_group,
            "DeleteDeploymentGroup": self._delete_group,
            "CreateDeploymentConfig": self._create_config,
            "GetDeploymentConfig": lambda at, asked: {"deploymentConfigInfo": self.config(at, asked)},
            "ListDeploymentConfigs": lambda at, _: {
                "deploymentConfigsList": sorted([*shipped(), *_names(self.configs, at)])
            },
            "DeleteDeploymentConfig": self._delete_config,
            "TagResource": self._tag,
            "UntagResource": self._untag,
            "ListTagsForResource": lambda _, asked: {"Tags": _listed(self.tags.get(asked["ResourceArn"], {}))},
        }

    def clear(self) -> None:
        """Forget everything."""
        for one in (self.applications, self.groups, self.configs, self.tags):
            one.clear()

    # -- applications ------------------------------------------------------------------------------------------

    def application(self, at: tuple[str, str], asked: Members) -> Record:
        """An application by name.

        Raises:
            CodeDeployError: there is none.
        """
        name = _required(asked, "applicationName", "ApplicationNameRequiredException")
        found = self.applications.get((*at, name))
        if found is None:
            raise CodeDeployError("ApplicationDoesNotExistException", f"No application found for name: {name}")
        return found

    def _create_application(self, at: tuple[str, str], asked: Members) -> Record:
        name = _required(asked, "applicationName", "ApplicationNameRequiredException")
        platform = asked.get("computePlatform") or "Server"
        if platform not in PLATFORMS:
            raise CodeDeployError("InvalidComputePlatformException", f"{platform} is none of {', '.join(PLATFORMS)}")
        if (*at, name) in self.applications:
            raise CodeDeployError("ApplicationAlreadyExistsException", f"Application already exists: {name}")
        self.applications[*at, name] = {
            "applicationId": str(uuid.uuid4()), "applicationName": name, "createTime": time.time(),
            "linkedToGitHub": False, "computePlatform": platform,
        }  # fmt: skip
        self._put_tags(f"arn:aws:codedeploy:{at[1]}:{at[0]}:application:{name}", asked.get("tags") or ())
        return {"applicationId": self.applications[*at, name]["applicationId"]}

    def _batch_applications(self, at: tuple[str, str], asked: Members) -> Record:
        names = asked.get("applicationNames") or ()
        return {"applicationsInfo": [self.application(at, {"applicationName": name}) for name in names]}

    def _update_application(self, at: tuple[str, str], asked: Members) -> Record:
        record, name = self.application(at, asked), asked.get("newApplicationName")
        if name:
            del self.applications[*at, record["applicationName"]]
            self.applications[*at, name] = {**record, "applicationName": name}
            for key, group in list(self.groups.items()):
                if key[:2] == at and group["applicationName"] == record["applicationName"]:
                    del self.groups[key]
                    group["applicationName"] = name
                    self.groups[*at, f"{name}/{group['deploymentGroupName']}"] = group
        return {}

    def _delete_application(self, at: tuple[str, str], asked: Members) -> Record:
        """As AWS: its groups go with it, and one that is gone is no error."""
        name = _required(asked, "applicationName", "ApplicationNameRequiredException")
        self.applications.pop((*at, name), None)
        for key in [key for key in self.groups if key[:2] == at and key[2].startswith(f"{name}/")]:
            del self.groups[key]
        return {}

    # -- groups ------------------------------------------------------------------------------------------------

    def group(self, at: tuple[str, str], asked: Members) -> Record:
        """A group of an application by name.

        Raises:
            CodeDeployError: there is none, or no such application.
        """
        application = self.application(at, asked)["applicationName"]
        name = _required(asked, "deploymentGroupName", "DeploymentGroupNameRequiredException")
        found = self.groups.get((*at, f"{application}/{name}"))
        if found is None:
            said = f"No Deployment Group found for name: {name}"
            raise CodeDeployError("DeploymentGroupDoesNotExistException", said)
        return found

    def _create_group(self, at: tuple[str, str], asked: Members) -> Record:
        application = self.application(at, asked)
        name = _required(asked, "deploymentGroupName", "DeploymentGroupNameRequiredException")
        _required(asked, "serviceRoleArn", "RoleRequiredException")
        key = (*at, f"{application['applicationName']}/{name}")
        if key in self.groups:
            raise CodeDeployError("DeploymentGroupAlreadyExistsException", f"Deployment group already exists: {name}")
        record = self._group(at, application, {**asked, "deploymentGroupId": str(uuid.uuid4())})
        self.groups[key] = record
        arn = f"arn:aws:codedeploy:{at[1]}:{at[0]}:deploymentgroup:{key[2]}"
        self._put_tags(arn, asked.get("tags") or ())
        return {"deploymentGroupId": record["deploymentGroupId"]}

    def _group(self, at: tuple[str, str], application: Members, asked: Members) -> Record:
        """The record of a group with these settings.

        Raises:
            CodeDeployError: they do not go together.
        """
        platform = application["computePlatform"]
        default = "CodeDeployDefault.OneAtATime" if platform == "Server" else f"CodeDeployDefault.{platform}AllAtOnce"
        record = {name: value for name, value in asked.items() if name not in _NOT_KEPT}
        record |= {
            "computePlatform": platform,
            "deploymentConfigName": asked.get("deploymentConfigName") or default,
            "autoScalingGroups": [
                one if isinstance(one, dict) else {"name": one} for one in asked.get("autoScalingGroups") or ()
            ],
        }
        self.config(at, record)
        if platform != "Server":
            record["deploymentStyle"] = asked.get("deploymentStyle") or _STYLE
            if record["deploymentStyle"] != _STYLE:
                said = f"a {platform} deployment group is BLUE_GREEN and WITH_TRAFFIC_CONTROL"
                raise CodeDeployError("InvalidDeploymentStyleException", said)
        return record

    def _update_group(self, at: tuple[str, str], asked: Members) -> Record:
        name = asked.get("currentDeploymentGroupName")
        old = self.group(at, {**asked, "deploymentGroupName": name})
        wanted = asked.get("newDeploymentGroupName") or old["deploymentGroupName"]
        given = {key: value for key, value in asked.items() if value is not None}
        made = self._group(at, self.application(at, asked), {**old, **given, "deploymentGroupName": wanted})
        del self.groups[*at, f"{old['applicationName']}/{old['deploymentGroupName']}"]
        self.groups[*at, f"{made['applicationName']}/{wanted}"] = made
        return {"hooksNotCleanedUp": []}

    def _batch_groups(self, at: tuple[str, str], asked: Members) -> Record:
        names = asked.get("deploymentGroupNames") or ()
        found = [self.group(at, {**asked, "deploymentGroupName": name}) for name in names]
        return {"deploymentGroupsInfo": found, "errorMessage": ""}

    def _list_groups(self, at: tuple[str, str], asked: Members) -> Record:
        application = self.application(at, asked)["applicationName"]
        mine = [name.partition("/")[2] for name in _names(self.groups, at) if name.startswith(f"{application}/")]
        return {"applicationName": application, "deploymentGroups": mine}

    def _delete_group(self, at: tuple[str, str], asked: Members) -> Record:
        self.groups.pop((*at, f"{asked.get('applicationName')}/{asked.get('deploymentGroupName')}"), None)
        return {"hooksNotCleanedUp": []}

    # -- configurations ----------------------------------------------------------------------------------------

    def config(self, at: tuple[str, str], asked: Members) -> Record:
        """A deployment configuration by name, AWS's own ones included.

        Raises:
            CodeDeployError: there is none.
        """
        name = _required(asked, "deploymentConfigName", "DeploymentConfigNameRequiredException")
        found = self.configs.get((*at, name)) or shipped().get(name)
        if found is None:
            said = f"No deployment configuration found for name: {name}"
            raise CodeDeployError("DeploymentConfigDoesNotExistException", said)
        return found

    def _create_config(self, at: tuple[str, str], asked: Members) -> Record:
        name = _required(asked, "deploymentConfigName", "DeploymentConfigNameRequiredException")
        if (*at, name) in self.configs or name.startswith("CodeDeployDefault."):
            said = f"Deployment Configuration already exists: {name}"
            raise CodeDeployError("DeploymentConfigAlreadyExistsException", said)
        platform = asked.get("computePlatform") or "Server"
        needed = "minimumHealthyHosts" if platform == "Server" else "trafficRoutingConfig"
        if not asked.get(needed):
            said = f"a configuration for {platform} needs {needed}"
            raise CodeDeployError("InvalidDeploymentConfigNameException", said)
        try:
            shifts(asked.get("trafficRoutingConfig") or {})
        except (KeyError, ValueError) as error:
            said = f"trafficRoutingConfig lacks {error}"
            raise CodeDeployError("InvalidTrafficRoutingConfigurationException", said) from error
        made = {"deploymentConfigId": str(uuid.uuid4()), "computePlatform": platform, "createTime": time.time()}
        self.configs[*at, name] = {**asked, **made}
        return {"deploymentConfigId": made["deploymentConfigId"]}

    def _delete_config(self, at: tuple[str, str], asked: Members) -> Record:
        name = asked.get("deploymentConfigName")
        users = [one["deploymentGroupName"] for one in self.groups.values() if one["deploymentConfigName"] == name]
        if users:
            raise CodeDeployError("DeploymentConfigInUseException", f"{name} is used by {', '.join(users)}")
        self.configs.pop((*at, str(name)), None)
        return {}

    # -- tags --------------------------------------------------------------------------------------------------

    def _put_tags(self, arn: str, tags: Any) -> None:
        self.tags.setdefault(arn, {}).update({one["Key"]: one.get("Value", "") for one in tags})

    def _tag(self, at: tuple[str, str], asked: Members) -> Record:
        del at
        self._put_tags(asked["ResourceArn"], asked["Tags"])
        return {}

    def _untag(self, at: tuple[str, str], asked: Members) -> Record:
        del at
        for key in asked["TagKeys"]:
            self.tags.get(asked["ResourceArn"], {}).pop(key, None)
        return {}


def _required(asked: Members, member: str, code: str) -> str:
    if not asked.get(member):
        raise CodeDeployError(code, f"{member} is missing")
    return str(asked[member])


def _names(kept: Mapping[Key, Any], at: tuple[str, str]) -> list[str]:
    return sorted(key[2] for key in kept if key[:2] == at)


def _listed(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
