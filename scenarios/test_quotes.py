"""Delivery quotes: tariffs come from a layer, callers meet warm environments, a release is shared out by weight."""

import io
import json
import zipfile
from collections import Counter
from collections.abc import Iterator
from typing import Any

import pytest

pytestmark = [
    pytest.mark.part("quotes"),
    pytest.mark.blackstart_covers("execute-api", "lambda"),
]


class Desk:
    """The function as its callers and its operators know it."""

    def __init__(self, shop: Any, http: Any) -> None:
        self._url, self._http, self.lambdas = f"{shop.url}/quotes", http, shop.aws("lambda")
        self.function, self.alias = shop.outputs["quote_function"], shop.outputs["quote_alias"]
        self.layer = shop.outputs["tariffs_layer"]

    def ask(self, speed: str = "standard") -> Any:
        return self._http("GET", f"{self._url}/{speed}")

    def tariffs_seen(self, times: int) -> Counter[str]:
        return Counter(str(self.ask().body["tariffs"]) for _ in range(times))

    def main_version(self) -> str:
        return str(self.lambdas.get_alias(FunctionName=self.function, Name=self.alias)["FunctionVersion"])

    def point(self, version: str, **weights: float) -> None:
        """Send all calls to a version but those that others get by weight (`v7=0.1`)."""
        shares = {name.removeprefix("v"): weight for name, weight in weights.items()}
        self.lambdas.update_alias(
            FunctionName=self.function,
            Name=self.alias,
            FunctionVersion=version,
            RoutingConfig={"AdditionalVersionWeights": shares},
        )

    def release(self, tariffs: str) -> str:
        """A version with other tariffs, which nobody is sent to yet; returns its number."""
        buffer = io.BytesIO()
        with zipfile.ZipFile(buffer, "w") as archive:
            archive.writestr("python/tariffs.py", tariffs)
        layer = self.lambdas.publish_layer_version(LayerName=self.layer, Content={"ZipFile": buffer.getvalue()})
        self.lambdas.update_function_configuration(FunctionName=self.function, Layers=[layer["LayerVersionArn"]])
        self.lambdas.get_waiter("function_updated_v2").wait(
            FunctionName=self.function, WaiterConfig={"Delay": 1, "MaxAttempts": 60}
        )
        return str(self.lambdas.publish_version(FunctionName=self.function)["Version"])

    def weights(self) -> dict[str, float]:
        """What other versions get of the calls."""
        found = self.lambdas.get_alias(FunctionName=self.function, Name=self.alias)
        return dict((found.get("RoutingConfig") or {}).get("AdditionalVersionWeights") or {})


SUMMER = 'STANDARD_CENTS, EXPRESS_CENTS, VERSION = 590, 1190, "summer"\n'


class Releases:
    """CodeDeploy, as far as this function is released by it."""

    def __init__(self, shop: Any, desk: Desk) -> None:
        self._group, self._desk = shop.outputs["quote_releases"], desk
        self._deploy, self._alarms = shop.aws("codedeploy"), shop.aws("cloudwatch")
        self._alarm = shop.outputs["quote_alarm"]

    def start(self, old: str, new: str, config: str = "") -> str:
        properties = {"Name": self._desk.function, "Alias": self._desk.alias}
        versions = {"CurrentVersion": old, "TargetVersion": new}
        target = {"Type": "AWS::Lambda::Function", "Properties": {**properties, **versions}}
        content = json.dumps({"version": 0.0, "Resources": [{"quote": target}]})
        started = self._deploy.create_deployment(
            applicationName=self._group["application"],
            deploymentGroupName=self._group["group"],
            revision={"revisionType": "AppSpecContent", "appSpecContent": {"content": content}},
            **({"deploymentConfigName": config} if config else {}),
        )
        return str(started["deploymentId"])

    def told(self, deployment: str) -> dict[str, Any]:
        found: dict[str, Any] = self._deploy.get_deployment(deploymentId=deployment)["deploymentInfo"]
        return found

    def alarm(self, state: str) -> None:
        """Ring the alarm, or quiet it, as operators do to try it out."""
        self._alarms.set_alarm_state(AlarmName=self._alarm, StateValue=state, StateReason="tried out by a scenario")


@pytest.fixture
def releases(shop: Any, desk: Desk) -> Iterator[Releases]:
    made = Releases(shop, desk)
    yield made
    made.alarm("OK")


@pytest.fixture
def desk(shop: Any, http: Any) -> Iterator[Desk]:
    """The desk, with the alias and the layer as they were afterwards."""
    made = Desk(shop, http)
    version = made.main_version()
    layers = made.lambdas.get_function_configuration(FunctionName=made.function)["Layers"]
    yield made
    made.point(version)
    made.lambdas.update_function_configuration(FunctionName=made.function, Layers=[one["Arn"] for one in layers])


def test_a_quote_comes_from_the_tariffs_of_the_layer(desk: Desk) -> None:
    told = desk.ask("express")
    assert told.body == {"speed": "express", "cents": 990, "tariffs": "spring"}
    assert told.headers["x-version"] == desk.main_version()
    assert desk.ask("by-balloon").status == 404


def test_callers_meet_an_environment_that_was_warm_before_they_came(desk: Desk, eventually: Any) -> None:
    """Provisioned concurrency is allocated, and the invocation says which kind of environment it ran in."""

    def ready() -> bool:
        found = desk.lambdas.get_provisioned_concurrency_config(FunctionName=desk.function, Qualifier=desk.alias)
        return bool(found["Status"] == "READY" and found["AvailableProvisionedConcurrentExecutions"] >= 1)

    eventually(ready, what="provisioned concurrency allocated")
    eventually(lambda: desk.ask().headers["x-started"] == "provisioned-concurrency", what="a warm answer")
    with pytest.raises(desk.lambdas.exceptions.InvalidParameterValueException):
        desk.lambdas.put_provisioned_concurrency_config(
            FunctionName=desk.function, Qualifier="$LATEST", ProvisionedConcurrentExecutions=1
        )


def test_a_release_is_shared_out_by_weight_and_taken_back(desk: Desk) -> None:
    old = desk.main_version()
    new = desk.release(SUMMER)
    assert desk.tariffs_seen(2) == {"spring": 2}  # published is not released
    desk.point(old, **{f"v{new}": 0.5})
    seen = Counter[str]()
    for _ in range(40):  # one chance in a billion that a fair coin falls on the same side forty times
        seen += desk.tariffs_seen(1)
        if len(seen) == 2:
            break
    assert set(seen) == {"spring", "summer"}
    desk.point(old)
    assert desk.tariffs_seen(4) == {"spring": 4}


def test_a_canary_is_taken_back_when_the_alarm_goes_off(desk: Desk, releases: Releases, eventually: Any) -> None:
    old = desk.main_version()
    new = desk.release(SUMMER)
    canary = releases.start(old, new)
    eventually(lambda: desk.weights() == {new: 0.1}, what="a tenth of the calls on the new version")
    assert desk.main_version() == old
    releases.alarm("ALARM")
    eventually(lambda: releases.told(canary)["status"] == "Stopped", what="the deployment stopped by the alarm")
    eventually(lambda: not desk.weights(), what="all calls back on the old version")
    assert desk.main_version() == old
    assert releases.told(canary)["errorInformation"]["code"] == "ALARM_ACTIVE"
    eventually(lambda: desk.tariffs_seen(2) == {"spring": 2}, what="the old tariffs")


def test_a_good_release_takes_all_calls(desk: Desk, releases: Releases, eventually: Any) -> None:
    old = desk.main_version()
    new = desk.release(SUMMER)
    whole = releases.start(old, new, "CodeDeployDefault.LambdaAllAtOnce")
    eventually(lambda: releases.told(whole)["status"] == "Succeeded", what="the deployment done")
    assert desk.main_version() == new
    assert desk.tariffs_seen(3) == {"summer": 3}
