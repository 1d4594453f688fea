"""GuardDuty and Security Hub: whether they are on. Neither finds anything here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.resource import Context, Invoke, Properties


class Detector(Declared, noun="Detector"):
    """aws:guardduty/detector:Detector."""

    token: ClassVar = "aws:guardduty/detector:Detector"
    key: ClassVar = {"DetectorId": "id"}
    id_from: ClassVar = "DetectorId"
    defaults: ClassVar = {"enable": True}
    computed: ClassVar = {"arn": "arn:aws:guardduty:{region}:{account}:detector/{id}", "accountId": "{account}"}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """On or off."""
        return {"enable": body.get("Status") == "ENABLED"}


class SecurityHub(AwsType):
    """aws:securityhub/account:Account; the id is the account."""

    token: ClassVar = "aws:securityhub/account:Account"
    id_format: ClassVar = "{account}"
    defaults: ClassVar = {"enableDefaultStandards": True, "autoEnableControls": True}
    replace_on: ClassVar = frozenset({"enableDefaultStandards"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Turn it on."""
        self.client(context).enable_security_hub(EnableDefaultStandards=bool(inputs["enableDefaultStandards"]))
        return context.account_id

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """On, or not."""
        client = self.client(context)
        try:
            found = client.describe_hub()
        except (client.exceptions.InvalidAccessException, client.exceptions.ResourceNotFoundException):
            return None
        return {"arn": found["HubArn"]}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Controls by themselves or not."""
        self.client(context).update_security_hub_configuration(AutoEnableControls=bool(news["autoEnableControls"]))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Turn it off."""
        if self.look(context, resource_id, state) is not None:
            self.client(context).disable_security_hub()


def get_detector(context: Context, arguments: Properties) -> Properties:
    """The region's detector."""
    client = context.client("guardduty")
    wanted = arguments.get("id") or next(iter(client.list_detectors()["DetectorIds"]), "")
    found = client.get_detector(DetectorId=wanted)
    arn = f"arn:aws:guardduty:{context.region}:{context.account_id}:detector/{wanted}"
    return {
        **arguments, "id": wanted, "arn": arn,
        "status": found.get("Status", ""), "serviceRoleArn": found.get("ServiceRole", ""), "features": [],
        "findingPublishingFrequency": found.get("FindingPublishingFrequency", ""), "tags": found.get("Tags", {}),
        "region": context.region,
    }  # fmt: skip


RESOURCES = (Detector(), SecurityHub())
INVOKES: Mapping[str, Invoke] = {"aws:guardduty/getDetector:getDetector": get_detector}
