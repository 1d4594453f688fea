"""SES: identities, templates and configuration sets, in the old API and the new one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import BY_ARN
from harness.deploy.providers.resource import Context, Properties


class _Identity(AwsType):
    """A domain or an address; the id is the identity."""

    service: ClassVar[str] = "ses"
    property: ClassVar[str]

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Its ARN and token."""
        client = self.client(context)
        pages = client.get_paginator("list_identities").paginate()
        if not any(resource_id in page["Identities"] for page in pages):
            return None
        answer = client.get_identity_verification_attributes(Identities=[resource_id])
        found = answer["VerificationAttributes"].get(resource_id, {})
        arn = f"arn:aws:ses:{context.region}:{context.account_id}:identity/{resource_id}"
        return {self.property: resource_id, "arn": arn, **self.more(found)}

    def more(self, found: Mapping[str, Any]) -> Properties:
        """What this kind tells besides."""
        return {}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_identity(Identity=resource_id)


class DomainIdentity(_Identity):
    """aws:ses/domainIdentity:DomainIdentity."""

    token: ClassVar = "aws:ses/domainIdentity:DomainIdentity"
    property: ClassVar = "domain"
    parts: ClassVar = ("domain",)
    replace_on: ClassVar = frozenset({"domain"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Verify it."""
        self.client(context).verify_domain_identity(Domain=inputs["domain"])
        return str(inputs["domain"])

    def more(self, found: Mapping[str, Any]) -> Properties:
        """The token that goes into DNS."""
        return {"verificationToken": found.get("VerificationToken", "")}


class EmailIdentity(_Identity):
    """aws:ses/emailIdentity:EmailIdentity."""

    token: ClassVar = "aws:ses/emailIdentity:EmailIdentity"
    property: ClassVar = "email"
    parts: ClassVar = ("email",)
    replace_on: ClassVar = frozenset({"email"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Verify it."""
        self.client(context).verify_email_identity(EmailAddress=inputs["email"])
        return str(inputs["email"])


class DomainDkim(AwsType):
    """aws:ses/domainDkim:DomainDkim; the id is the domain. It ends with its identity."""

    token: ClassVar = "aws:ses/domainDkim:DomainDkim"
    parts: ClassVar = ("domain",)
    replace_on: ClassVar = frozenset({"domain"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Ask for keys."""
        self.client(context).verify_domain_dkim(Domain=inputs["domain"])
        return str(inputs["domain"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """The tokens that go into DNS."""
        answer = self.client(context).get_identity_dkim_attributes(Identities=[resource_id])
        found = answer["DkimAttributes"].get(resource_id)
        return {"domain": resource_id, "dkimTokens": found.get("DkimTokens", [])} if found else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """SES has no end for keys but the identity's."""


class Template(Declared, noun="Template"):
    """aws:ses/template:Template; the id is the name."""

    token: ClassVar = "aws:ses/template:Template"
    key: ClassVar = {"TemplateName": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    wraps: ClassVar = "Template"
    body: ClassVar = "Template"
    computed: ClassVar = {"arn": "arn:aws:ses:{region}:{account}:template/{id}"}
    renames: ClassVar = {"name": "TemplateName", "html": "HtmlPart", "text": "TextPart", "subject": "SubjectPart"}
    replace_on: ClassVar = frozenset({"name"})


class ConfigurationSet(Declared, noun="ConfigurationSet", verbs="Create Describe - Delete"):
    """aws:ses/configurationSet:ConfigurationSet; the id is the name."""

    token: ClassVar = "aws:ses/configurationSet:ConfigurationSet"
    key: ClassVar = {"ConfigurationSetName": "id"}
    parts: ClassVar = ("name",)
    named: ClassVar = "name"
    wraps: ClassVar = "ConfigurationSet"
    body: ClassVar = "ConfigurationSet"
    computed: ClassVar = {"arn": "arn:aws:ses:{region}:{account}:configuration-set/{id}"}
    replace_on: ClassVar = frozenset({"name", "deliveryOptions", "reputationMetricsEnabled", "sendingEnabled"})

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its name."""
        return {"name": resource_id}


class EmailIdentityV2(Declared, noun="EmailIdentity", verbs="Create Get - Delete"):
    """aws:sesv2/emailIdentity:EmailIdentity; the id is the identity."""

    token: ClassVar = "aws:sesv2/emailIdentity:EmailIdentity"
    key: ClassVar = {"EmailIdentity": "id"}
    parts: ClassVar = ("emailIdentity",)
    computed: ClassVar = {"arn": "arn:aws:ses:{region}:{account}:identity/{id}"}
    tagging: ClassVar = BY_ARN
    replace_on: ClassVar = frozenset({"emailIdentity"})


class ConfigurationSetV2(Declared, noun="ConfigurationSet", verbs="Create Get - Delete"):
    """aws:sesv2/configurationSet:ConfigurationSet; the id is the name."""

    token: ClassVar = "aws:sesv2/configurationSet:ConfigurationSet"
    key: ClassVar = {"ConfigurationSetName": "id"}
    parts: ClassVar = ("configurationSetName",)
    computed: ClassVar = {"arn": "arn:aws:ses:{region}:{account}:configuration-set/{id}"}
    tagging: ClassVar = BY_ARN
    replace_on: ClassVar = frozenset({"configurationSetName"})
    blocks: ClassVar = {
        "deliveryOptions": "PutConfigurationSetDeliveryOptions",
        "reputationOptions": "PutConfigurationSetReputationOptions",
        "sendingOptions": "PutConfigurationSetSendingOptions",
        "suppressionOptions": "PutConfigurationSetSuppressionOptions",
        "trackingOptions": "PutConfigurationSetTrackingOptions",
    }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Each block has an operation of its own."""
        for key, operation in self.blocks.items():
            if olds.get(key) != news.get(key):
                block = news.get(key) or {}
                block = block[0] if isinstance(block, list) else block
                self.send(context, operation, block, ConfigurationSetName=resource_id)


RESOURCES = (
    DomainIdentity(), EmailIdentity(), DomainDkim(), Template(), ConfigurationSet(), EmailIdentityV2(),
    ConfigurationSetV2(),
)  # fmt: skip
