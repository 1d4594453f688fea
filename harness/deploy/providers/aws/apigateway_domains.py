"""Where API Gateway's REST APIs are reached, and what of a VPC they reach."""

from __future__ import annotations

from typing import Any, ClassVar

from harness.deploy.providers.aws.apigateway_type import ARN, Patched
from harness.deploy.providers.aws.tags import LOGS
from harness.deploy.providers.resource import Context, Properties


class DomainName(Patched, noun="DomainName"):
    """aws:apigateway/domainName:DomainName; the id is the name."""

    token: ClassVar = "aws:apigateway/domainName:DomainName"
    tagging: ClassVar = LOGS
    secret_outputs: ClassVar = frozenset({"certificatePrivateKey"})
    replace_on: ClassVar = frozenset({"domainName"})
    renames: ClassVar = {
        "cloudfrontDomainName": "distributionDomainName", "cloudfrontZoneId": "distributionHostedZoneId",
        "regionalZoneId": "regionalHostedZoneId",
    }  # fmt: skip
    key: ClassVar = {"domainName": "domainName"}
    parts: ClassVar = ("domainName",)
    computed: ClassVar = {"arn": ARN + "/domainnames/{domainName}"}


class BasePathMapping(Patched, noun="BasePathMapping"):
    """aws:apigateway/basePathMapping:BasePathMapping; the id is `domain/path`."""

    token: ClassVar = "aws:apigateway/basePathMapping:BasePathMapping"
    replace_on: ClassVar = frozenset({"domainName"})
    delete_before_replace: ClassVar = True
    renames: ClassVar = {"restApi": "restApiId", "stageName": "stage"}
    key: ClassVar = {"domainName": "domainName", "basePath": "basePath"}
    parts: ClassVar = ("domainName", "basePath")

    def joined(self, inputs: Properties) -> str:
        """The empty path is the root."""
        return f"{inputs['domainName']}/{inputs.get('basePath') or ''}"

    def keys(self, resource_id: str, state: Properties) -> dict[str, Any]:
        """AWS's word for the root is `(none)`."""
        found = super().keys(resource_id, state)
        return {**found, "basePath": found.get("basePath") or "(none)"}

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """`(none)` is not what the program said."""
        found = super().look(context, resource_id, inputs)
        return found if found is None or found.get("basePath") != "(none)" else {**found, "basePath": None}


class VpcLink(Patched, noun="VpcLink"):
    """aws:apigateway/vpcLink:VpcLink; the id is the link's."""

    token: ClassVar = "aws:apigateway/vpcLink:VpcLink"
    named: ClassVar = "name"
    tagging: ClassVar = LOGS
    renames: ClassVar = {"targetArn": "targetArns"}
    replace_on: ClassVar = frozenset({"targetArn"})
    key: ClassVar = {"vpcLinkId": "id"}
    id_from: ClassVar = "id"
    settled: ClassVar = ("status", frozenset({"AVAILABLE"}))
    computed: ClassVar = {"arn": ARN + "/vpclinks/{id}"}


RESOURCES = (DomainName(), BasePathMapping(), VpcLink())
