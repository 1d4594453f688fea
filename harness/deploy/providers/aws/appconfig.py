"""AppConfig: applications, environments, profiles, versions, strategies, deployments."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import BY_ARN_MAP
from harness.deploy.providers.resource import Context, Properties

_APPLICATION = "arn:aws:appconfig:{region}:{account}:application/"


class Application(Declared, noun="Application"):
    """aws:appconfig/application:Application."""

    token: ClassVar = "aws:appconfig/application:Application"
    key: ClassVar = {"ApplicationId": "id"}
    id_from: ClassVar = "Id"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    computed: ClassVar = {"arn": _APPLICATION + "{id}"}
    tagging: ClassVar = BY_ARN_MAP


class Environment(Declared, noun="Environment"):
    """aws:appconfig/environment:Environment; the id is `environment:application`."""

    token: ClassVar = "aws:appconfig/environment:Environment"
    listed: ClassVar = "Id"
    key: ClassVar = {"ApplicationId": "applicationId", "EnvironmentId": "environmentId"}
    parts: ClassVar = ("environmentId", "applicationId")
    separator: ClassVar = ":"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    computed: ClassVar = {"arn": _APPLICATION + "{applicationId}/environment/{environmentId}"}
    tagging: ClassVar = BY_ARN_MAP
    replace_on: ClassVar = frozenset({"applicationId"})
    renames: ClassVar = {"environmentId": "Id"}

    def make(self, context: Context, inputs: Properties) -> str:
        """AWS makes the first part of the id."""
        answer = self.send(context, self.creates, inputs, Tags=self.tags(context, inputs))
        return f"{answer['Id']}:{inputs['applicationId']}"


class ConfigurationProfile(Declared, noun="ConfigurationProfile"):
    """aws:appconfig/configurationProfile:ConfigurationProfile; the id is `profile:application`."""

    token: ClassVar = "aws:appconfig/configurationProfile:ConfigurationProfile"
    listed: ClassVar = "Id"
    key: ClassVar = {"ApplicationId": "applicationId", "ConfigurationProfileId": "configurationProfileId"}
    parts: ClassVar = ("configurationProfileId", "applicationId")
    separator: ClassVar = ":"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {"type": "AWS.Freeform"}
    computed: ClassVar = {"arn": _APPLICATION + "{applicationId}/configurationprofile/{configurationProfileId}"}
    tagging: ClassVar = BY_ARN_MAP
    renames: ClassVar = {"configurationProfileId": "Id"}
    replace_on: ClassVar = frozenset({"applicationId", "locationUri", "type"})

    def make(self, context: Context, inputs: Properties) -> str:
        """AWS makes the first part of the id."""
        answer = self.send(context, self.creates, inputs, Tags=self.tags(context, inputs))
        return f"{answer['Id']}:{inputs['applicationId']}"


class DeploymentStrategy(Declared, noun="DeploymentStrategy"):
    """aws:appconfig/deploymentStrategy:DeploymentStrategy."""

    token: ClassVar = "aws:appconfig/deploymentStrategy:DeploymentStrategy"
    key: ClassVar = {"DeploymentStrategyId": "id"}
    id_from: ClassVar = "Id"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"finalBakeTimeInMinutes": 0, "growthType": "LINEAR"}
    computed: ClassVar = {"arn": "arn:aws:appconfig:{region}:{account}:deploymentstrategy/{id}"}
    tagging: ClassVar = BY_ARN_MAP
    replace_on: ClassVar = frozenset({"name", "replicateTo"})


class HostedConfigurationVersion(AwsType):
    """aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion; `application/profile/version`."""

    token: ClassVar = "aws:appconfig/hostedConfigurationVersion:HostedConfigurationVersion"
    creates: ClassVar = "CreateHostedConfigurationVersion"
    listed: ClassVar = "VersionNumber"
    asks: ClassVar = {"ApplicationId": "applicationId", "ConfigurationProfileId": "configurationProfileId"}
    parts: ClassVar = ("applicationId", "configurationProfileId", "versionNumber")
    replace_on: ClassVar = frozenset(
        {"applicationId", "configurationProfileId", "content", "contentType", "description", "versionLabel"}
    )
    secret_outputs: ClassVar = frozenset({"content"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        answer = self.call(context, "CreateHostedConfigurationVersion", inputs)
        return f"{inputs['applicationId']}/{inputs['configurationProfileId']}/{answer['VersionNumber']}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Its content."""
        application, profile, version = resource_id.split("/")
        found = self.client(context).get_hosted_configuration_version(
            ApplicationId=application, ConfigurationProfileId=profile, VersionNumber=int(version)
        )
        place = f"arn:aws:appconfig:{context.region}:{context.account_id}"
        return {
            "arn": f"{place}:application/{application}/configurationprofile/{profile}"
            f"/hostedconfigurationversion/{version}",
            "applicationId": application, "configurationProfileId": profile, "versionNumber": int(version),
            "content": found["Content"].read().decode(), "contentType": found.get("ContentType"),
        }  # fmt: skip

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        application, profile, version = resource_id.split("/")
        self.client(context).delete_hosted_configuration_version(
            ApplicationId=application, ConfigurationProfileId=profile, VersionNumber=int(version)
        )


class Deployment(AwsType):
    """aws:appconfig/deployment:Deployment; `application/environment/number`. No end undoes it."""

    token: ClassVar = "aws:appconfig/deployment:Deployment"
    lists: ClassVar = "ListDeployments"
    listed: ClassVar = "DeploymentNumber"
    asks: ClassVar = {"ApplicationId": "applicationId", "EnvironmentId": "environmentId"}
    parts: ClassVar = ("applicationId", "environmentId", "deploymentNumber")
    outlives: ClassVar = True
    tagging: ClassVar = BY_ARN_MAP
    replace_on: ClassVar = frozenset(
        {
            "applicationId", "configurationProfileId", "configurationVersion", "deploymentStrategyId",
            "description", "environmentId", "kmsKeyIdentifier",
        }
    )  # fmt: skip

    def make(self, context: Context, inputs: Properties) -> str:
        """Start it."""
        known = {key: value for key, value in inputs.items() if key != "tags"}
        answer = self.call(context, "StartDeployment", known, Tags=self.tags(context, inputs))
        return f"{inputs['applicationId']}/{inputs['environmentId']}/{answer['DeploymentNumber']}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Where it stands."""
        application, environment, number = resource_id.split("/")
        found: Mapping[str, Any] = self.client(context).get_deployment(
            ApplicationId=application, EnvironmentId=environment, DeploymentNumber=int(number)
        )
        place = f"arn:aws:appconfig:{context.region}:{context.account_id}"
        arn = f"{place}:application/{application}/environment/{environment}/deployment/{number}"
        return {
            "arn": arn, "deploymentNumber": int(number), "state": found.get("State"),
            "configurationProfileId": found.get("ConfigurationProfileId"),
            "configurationVersion": found.get("ConfigurationVersion"),
        }  # fmt: skip

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Only tags change."""

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """What was deployed stays deployed."""


RESOURCES = (
    Application(), Environment(), ConfigurationProfile(), DeploymentStrategy(), HostedConfigurationVersion(),
    Deployment(),
)  # fmt: skip
