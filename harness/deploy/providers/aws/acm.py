"""ACM: certificates, and waiting until they are issued."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError

_TOKEN = "aws:acm/getCertificate:getCertificate"


class Certificate(Declared):
    """A certificate that ACM issues, or one that is given to it; the id is the ARN."""

    token: ClassVar = "aws:acm/certificate:Certificate"
    tagging: ClassVar = Tagging(
        tag="add_tags_to_certificate", untag="remove_tags_from_certificate", resource="CertificateArn", keys="Tags"
    )
    creates: ClassVar = "RequestCertificate"
    reads: ClassVar = "DescribeCertificate"
    deletes: ClassVar = "DeleteCertificate"
    body: ClassVar = "Certificate"
    key: ClassVar = {"CertificateArn": "id"}
    id_from: ClassVar = "CertificateArn"
    secret_outputs: ClassVar = frozenset({"privateKey", "privateKeyWo"})
    renames: ClassVar = {
        "arn": "CertificateArn", "validationOptions": "DomainValidationOptions", "domainValidationOptions": "",
        "certificateBody": "", "privateKey": "", "renewalSummaries": "", "validationEmails": "",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"certificateAuthorityArn", "domainName", "keyAlgorithm", "subjectAlternativeNames", "validationMethod",
         "validationOptions"}
    )  # fmt: skip

    def make(self, context: Context, inputs: Properties) -> str:
        """Request it and wait for what proves the domain is yours; or import it."""
        if inputs.get("certificateBody"):
            return self._import(context, inputs, Tags=self.wire_tags(context, inputs) or None)
        arn = super().make(context, inputs)
        if inputs.get("validationMethod") == "DNS":
            context.wait_until(lambda: self._is_asked(context, arn), f"validation records of {arn}")
        return arn

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The records that prove the domain is yours; other names in the order that was given."""
        names, wanted = body.get("SubjectAlternativeNames") or [], inputs.get("subjectAlternativeNames")
        others = [name for name in names if name != body.get("DomainName")]
        options = [
            {
                "domainName": one["DomainName"],
                "resourceRecordName": one["ResourceRecord"]["Name"],
                "resourceRecordType": one["ResourceRecord"]["Type"],
                "resourceRecordValue": one["ResourceRecord"]["Value"],
            }
            for one in body.get("DomainValidationOptions", ())
            if one.get("ResourceRecord")
        ]
        method = next((one.get("ValidationMethod") for one in body.get("DomainValidationOptions", ())), None)
        return {
            "domainValidationOptions": options,
            "subjectAlternativeNames": wanted if wanted is not None and set(wanted) >= set(others) else names,
            "validationMethod": inputs.get("validationMethod") or method or "NONE",
            "privateKey": inputs.get("privateKey"),
            "validationOptions": inputs.get("validationOptions"),
            "validationEmails": [],
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Options, or another certificate under the same ARN."""
        differs = roots(olds, news)
        if differs & {"certificateBody", "privateKey", "certificateChain"}:
            self._import(context, news, CertificateArn=resource_id)
        if "options" in differs and news.get("options"):
            self.send(context, "UpdateCertificateOptions", news, CertificateArn=resource_id)

    def _import(self, context: Context, inputs: Properties, **fixed: Any) -> str:
        parts = {"Certificate": "certificateBody", "PrivateKey": "privateKey", "CertificateChain": "certificateChain"}
        wanted = {member: str(inputs[name]).encode() for name, member in _flip(parts) if inputs.get(name)}
        known = {name: value for name, value in fixed.items() if value is not None}
        return str(self.client(context).import_certificate(**wanted, **known)["CertificateArn"])

    def _is_asked(self, context: Context, arn: str) -> bool:
        found = self.client(context).describe_certificate(CertificateArn=arn)["Certificate"]
        options = found.get("DomainValidationOptions", ())
        return bool(options) and all(one.get("ResourceRecord") for one in options)


class CertificateValidation(Declared):
    """Waits until a certificate is issued; the id is the instant."""

    token: ClassVar = "aws:acm/certificateValidation:CertificateValidation"
    replace_on: ClassVar = frozenset({"certificateArn", "validationRecordFqdns"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Wait for it."""
        client, arn = self.client(context), inputs["certificateArn"]

        def issued() -> bool:
            return bool(client.describe_certificate(CertificateArn=arn)["Certificate"]["Status"] == "ISSUED")

        context.wait_until(issued, f"certificate {arn}")
        at = client.describe_certificate(CertificateArn=arn)["Certificate"].get("IssuedAt")
        return at.isoformat() if at else str(arn)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There as long as the certificate is issued."""
        found = self.client(context).describe_certificate(CertificateArn=inputs["certificateArn"])["Certificate"]
        return {"certificateArn": found["CertificateArn"]} if found["Status"] == "ISSUED" else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing."""


def _flip(pairs: Mapping[str, str]) -> list[tuple[str, str]]:
    return [(value, name) for name, value in pairs.items()]


def certificate(context: Context, arguments: Properties) -> Properties:
    """One certificate of a domain."""
    client, wanted = context.client("acm"), arguments.get("statuses") or ["ISSUED"]
    pages = client.get_paginator("list_certificates").paginate(CertificateStatuses=wanted)
    arns = [one["CertificateArn"] for page in pages for one in page["CertificateSummaryList"]]
    found = [client.describe_certificate(CertificateArn=arn)["Certificate"] for arn in arns]
    domain, kinds = arguments.get("domain"), arguments.get("types")
    mine = [one for one in found if one["DomainName"] == domain and (not kinds or one.get("Type") in kinds)]
    mine.sort(key=lambda one: str(one.get("CreatedAt", "")), reverse=True)
    if not mine or (len(mine) > 1 and not arguments.get("mostRecent")):
        raise ProviderError(f"{len(mine) or 'no'} certificates match {domain}", where=_TOKEN, hint="set most_recent")
    one = mine[0]
    return {**arguments, "id": one["CertificateArn"], "arn": one["CertificateArn"], "status": one["Status"]}


RESOURCES = (Certificate(), CertificateValidation())
INVOKES: dict[str, Invoke] = {_TOKEN: certificate}
