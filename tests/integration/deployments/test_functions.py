"""CodeDeploy to Lambda, as an operator deploys: an alias whose traffic moves, is watched, and comes back."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.integration.deployments.conftest import Site
from tests.waiting import awaited

CODE = "import os\ndef handler(event, _):\n    return os.environ['AWS_LAMBDA_FUNCTION_VERSION']\n"
HOOK = """
import boto3
def handler(event, _):
    if '{says}' == 'raise':
        raise ValueError('the smoke test broke')
    boto3.client('codedeploy').put_lifecycle_event_hook_execution_status(
        deploymentId=event['DeploymentId'], status='{says}',
        lifecycleEventHookExecutionId=event['LifecycleEventHookExecutionId'])
"""
CANARY = "CodeDeployDefault.LambdaCanary10Percent5Minutes"


class Shop:
    """A function with two versions and the alias `live` at the first, and a deployment group for it."""

    def __init__(self, site: Site, **group: Any) -> None:
        self.site, self.lambdas = site, site.client("lambda")
        site.function(site.name, CODE)
        for text in ("one", "two"):
            self.lambdas.publish_version(FunctionName=site.name, Description=text)
            self.lambdas.update_function_configuration(FunctionName=site.name, Description=text)
        self.lambdas.create_alias(FunctionName=site.name, Name="live", FunctionVersion="1")
        site.deploys.create_application(applicationName=site.name, computePlatform="Lambda")
        role = group.pop("role", "") or site.role(
            "codedeploy.amazonaws.com", "service-role/AWSCodeDeployRoleForLambda"
        )
        site.deploys.create_deployment_group(
            applicationName=site.name,
            deploymentGroupName="live",
            serviceRoleArn=role,
            deploymentStyle={"deploymentType": "BLUE_GREEN", "deploymentOption": "WITH_TRAFFIC_CONTROL"},
            **{"deploymentConfigName": CANARY, **group},
        )

    def deploy(self, *, hooks: dict[str, str] | None = None, version: str = "2", **more: Any) -> str:
        properties = {"Name": self.site.name, "Alias": "live", "CurrentVersion": "1", "TargetVersion": version}
        appspec = {
            "version": 0.0,
            "Resources": [{"shop": {"Type": "AWS::Lambda::Function", "Properties": properties}}],
            "Hooks": [{name: function} for name, function in (hooks or {}).items()],
        }
        content = {"revisionType": "AppSpecContent", "appSpecContent": {"content": json.dumps(appspec)}}
        made = self.site.deploys.create_deployment(
            applicationName=self.site.name, deploymentGroupName="live", revision=content, **more
        )
        return str(made["deploymentId"])

    def hook(self, says: str) -> str:
        """A function that reports `says`, or raises; the service role may only call those with this prefix."""
        name = f"CodeDeployHook_{self.site.name}_{says}"
        self.site.function(name, HOOK.replace("{says}", says))
        return name

    def alias(self) -> tuple[str, dict[str, float]]:
        """The alias's version, and the weights of others."""
        found = self.lambdas.get_alias(FunctionName=self.site.name, Name="live")
        return found["FunctionVersion"], (found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {}

    def at(self, deployment: str, alias: tuple[str, dict[str, float]]) -> bool:
        """True once the alias is there; fails when the deployment ends before."""

        def there() -> bool:
            assert (self.alias() == alias) or "errorInformation" not in self.site.told(deployment)
            return self.alias() == alias

        return awaited(there)

    def answers(self) -> set[str]:
        """Which versions answer calls of the alias."""
        calls = [self.lambdas.invoke(FunctionName=self.site.name, Qualifier="live") for _ in range(4)]
        return {json.loads(one["Payload"].read()) for one in calls}


@pytest.fixture
def shop(site: Site) -> Callable[..., Shop]:
    return lambda **group: Shop(site, **group)


def test_a_canary_ends_with_all_traffic_on_the_new_version(shop: Callable[..., Shop]) -> None:
    mine = shop()
    ready = mine.hook("Succeeded")
    deployment = mine.deploy(hooks={"BeforeAllowTraffic": ready, "AfterAllowTraffic": ready})
    found = mine.site.ended(deployment)
    assert (found["status"], found.get("errorInformation")) == ("Succeeded", None)
    assert (mine.alias(), mine.answers()) == (("2", {}), {"2"})
    names = ("BeforeAllowTraffic", "AllowTraffic", "AfterAllowTraffic")
    assert mine.site.events(deployment) == dict.fromkeys(names, "Succeeded")
    assert found["completeTime"].timestamp() - found["startTime"].timestamp() >= 5 * 0.05
    group = mine.site.deploys.get_deployment_group(applicationName=mine.site.name, deploymentGroupName="live")
    assert group["deploymentGroupInfo"]["lastSuccessfulDeployment"]["deploymentId"] == deployment


def test_an_alarm_during_the_canary_takes_the_traffic_back(shop: Callable[..., Shop], site: Site) -> None:
    alarm = site.alarm()
    mine = shop(
        deploymentConfigName=site.config("Lambda", percent=25, minutes=2000),
        alarmConfiguration={"enabled": True, "alarms": [{"name": alarm}]},
        autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_STOP_ON_ALARM"]},
    )
    deployment = mine.deploy()
    assert mine.at(deployment, ("1", {"2": 0.25}))
    assert mine.site.target(deployment)["lambdaFunctionInfo"]["targetVersionWeight"] == 25.0
    with pytest.raises(ClientError, match=f"already has an active Deployment '{deployment}'"):
        mine.deploy()
    site.ring(alarm)
    found = site.taken_back(deployment)
    assert (found["status"], found["errorInformation"]["code"]) == ("Stopped", "ALARM_ACTIVE")
    assert alarm in found["errorInformation"]["message"]
    assert (mine.alias(), mine.answers()) == (("1", {}), {"1"})


@pytest.mark.parametrize(("says", "why"), [("Failed", "reported Failed"), ("raise", "the smoke test broke")])
def test_a_hook_that_fails_ends_the_deployment(shop: Callable[..., Shop], says: str, why: str) -> None:
    mine = shop(autoRollbackConfiguration={"enabled": True, "events": ["DEPLOYMENT_FAILURE"]})
    deployment = mine.deploy(
        hooks={"AfterAllowTraffic": mine.hook(says)}, deploymentConfigName="CodeDeployDefault.LambdaAllAtOnce"
    )
    found = mine.site.taken_back(deployment)
    assert (found["status"], found["errorInformation"]["code"]) == ("Failed", "HOOK_EXECUTION_FAILURE")
    assert why in found["errorInformation"]["message"]
    assert mine.site.events(deployment)["AfterAllowTraffic"] == "Failed"
    assert mine.alias() == ("1", {})


def test_stopping_keeps_the_weights_or_takes_them_back_as_it_is_asked(shop: Callable[..., Shop], site: Site) -> None:
    mine = shop(deploymentConfigName=site.config("Lambda", percent=25, minutes=2000))
    kept = mine.deploy()
    assert mine.at(kept, ("1", {"2": 0.25}))
    site.deploys.stop_deployment(deploymentId=kept, autoRollbackEnabled=False)
    assert "rollbackInfo" not in site.ended(kept)
    assert mine.alias() == ("1", {"2": 0.25})
    back = mine.deploy()
    site.deploys.stop_deployment(deploymentId=back, autoRollbackEnabled=True)
    assert site.taken_back(back)["errorInformation"]["code"] == "MANUAL_STOP"
    assert mine.alias() == ("1", {})


def test_the_service_role_may_do_only_what_it_may(shop: Callable[..., Shop], site: Site) -> None:
    mine = shop(role=site.role("codedeploy.amazonaws.com", "ReadOnlyAccess"))
    assert site.ended(mine.deploy())["errorInformation"]["code"] == "IAM_ROLE_PERMISSIONS"
    assert mine.alias() == ("1", {})


def test_what_cannot_be_deployed_is_said(shop: Callable[..., Shop], site: Site) -> None:
    mine = shop()
    assert site.ended(mine.deploy(version="7"))["errorInformation"]["code"] == "INVALID_LAMBDA_FUNCTION"
    with pytest.raises(ClientError, match="is no hook of a Lambda deployment"):
        mine.deploy(hooks={"BeforeInstall": "f"})
    with pytest.raises(ClientError, match="is for ECS, the group for Lambda"):
        mine.deploy(deploymentConfigName="CodeDeployDefault.ECSAllAtOnce")
