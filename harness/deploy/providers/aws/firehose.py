"""Firehose: delivery streams (Pulumi keeps them in its kinesis module)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared, at
from harness.deploy.providers.aws.shapes import to_request
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import CheckError, Context, Properties

_DESTINATIONS = {
    "extended_s3": ("extendedS3Configuration", "ExtendedS3Destination"),
    "http_endpoint": ("httpEndpointConfiguration", "HttpEndpointDestination"),
    "redshift": ("redshiftConfiguration", "RedshiftDestination"),
    "elasticsearch": ("elasticsearchConfiguration", "ElasticsearchDestination"),
    "opensearch": ("opensearchConfiguration", "AmazonopensearchserviceDestination"),
    "opensearchserverless": ("opensearchserverlessConfiguration", "AmazonOpenSearchServerlessDestination"),
    "splunk": ("splunkConfiguration", "SplunkDestination"),
    "snowflake": ("snowflakeConfiguration", "SnowflakeDestination"),
    "iceberg": ("icebergConfiguration", "IcebergDestination"),
}


class FirehoseDeliveryStream(Declared, noun="DeliveryStream", verbs="Create Describe - Delete"):
    """aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream; the id is the ARN."""

    token: ClassVar = "aws:kinesis/firehoseDeliveryStream:FirehoseDeliveryStream"
    service: ClassVar = "firehose"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 64}
    tagging: ClassVar = Tagging(
        tag="tag_delivery_stream", untag="untag_delivery_stream", resource="DeliveryStreamName"
    )
    replace_on: ClassVar = frozenset({"name", "destination", "kinesisSourceConfiguration", "mskSourceConfiguration"})
    renames: ClassVar = {
        "name": "DeliveryStreamName", "arn": "DeliveryStreamARN", "versionId": "VersionId",
        "s3BackupConfiguration": "S3BackupConfiguration",
        "kinesisSourceConfiguration": "KinesisStreamSourceConfiguration",
    }  # fmt: skip
    key: ClassVar = {"DeliveryStreamName": "name"}
    id_from: ClassVar = "DeliveryStreamARN"
    body: ClassVar = "DeliveryStreamDescription"
    settled: ClassVar = ("DeliveryStreamStatus", frozenset({"ACTIVE"}))

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """The destination needs its own block."""
        checked = super().check(context, inputs, olds)
        if checked["destination"] not in _DESTINATIONS:
            raise CheckError([("destination", f"is none of {', '.join(_DESTINATIONS)}")])
        block, _ = _DESTINATIONS[checked["destination"]]
        if checked.get(block) is None:
            raise CheckError([(block, f"is required for the destination {checked['destination']}")])
        return checked

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The destination as AWS names and nests it."""
        block, member = _DESTINATIONS[inputs["destination"]]
        kind = "DirectPut"
        if inputs.get("kinesisSourceConfiguration"):
            kind = "KinesisStreamAsSource"
        elif inputs.get("mskSourceConfiguration"):
            kind = "MSKAsSource"
        known = {name: value for name, value in inputs.items() if name not in {block, "destination"}}
        return {**known, "deliveryStreamType": kind, f"{member}Configuration": nested(inputs[block])}

    def known(self, resource_id: str, state: Properties) -> Properties:
        """The ARN ends in the name."""
        return {"name": resource_id.rpartition("/")[2], **super().known(resource_id, state)}

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The destination's id, and its settings in the program's words where they are its own."""
        found: Mapping[str, Any] = next(iter(body.get("Destinations") or ()), {})
        told: Properties = {"destinationId": found.get("DestinationId", "")}
        if inputs:
            block, member = _DESTINATIONS[inputs["destination"]]
            given = inputs[block][0] if isinstance(inputs[block], list) else inputs[block]
            wire = {name.lower(): value for name, value in (at(found, f"{member}Description") or {}).items()}
            plain = {name: value for name, value in given.items() if not isinstance(value, dict | list)}
            told[block] = {**given, **{name: wire.get(name.lower(), value) for name, value in plain.items()}}
            hints = wire.get("bufferinghints") or {}
            for name, hint in (("bufferingSize", "SizeInMBs"), ("bufferingInterval", "IntervalInSeconds")):
                if name in given:
                    told[block][name] = hints.get(hint, given[name])
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """The destination, in its newest version."""
        if not roots(olds, news) - {"tags"}:
            return
        found = self.ask(context, resource_id, news) or {}
        _, member = _DESTINATIONS[news["destination"]]
        wanted = self.arrange(context, news)[f"{member}Configuration"]
        shape = self.client(context).meta.service_model.operation_model("UpdateDestination").input_shape
        update = f"{member}Update"
        self.client(context).update_destination(
            DeliveryStreamName=news["name"],
            CurrentDeliveryStreamVersionId=found["VersionId"],
            DestinationId=found["Destinations"][0]["DestinationId"],
            **{update: to_request(shape.members[update], wanted, self.renames)},
        )

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """Delivery streams are tagged by name."""
        return str(state["name"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it and wait."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


def nested(value: Any) -> Any:
    """A destination's block as AWS nests it: hints for buffering, options for retries, keys for encryption."""
    if isinstance(value, list):
        return [nested(item) for item in value]
    if not isinstance(value, Mapping):
        return value
    wanted = {name: nested(inner) for name, inner in value.items()}
    size, interval = wanted.pop("bufferingSize", None), wanted.pop("bufferingInterval", None)
    hints = {"sizeInMBs": size, "intervalInSeconds": interval}
    hints = {name: number for name, number in hints.items() if number is not None}
    if hints:
        wanted["bufferingHints"] = hints
    if "retryDuration" in wanted:
        wanted["retryOptions"] = {"durationInSeconds": wanted.pop("retryDuration")}
    if "kmsKeyArn" in wanted:
        wanted["encryptionConfiguration"] = {"kmsEncryptionConfig": {"awsKmsKeyArn": wanted.pop("kmsKeyArn")}}
    if "url" in wanted:
        names = {"url": "url", "name": "name", "accessKey": "accessKey"}
        wanted["endpointConfiguration"] = {name: wanted.pop(key) for key, name in names.items() if key in wanted}
    return wanted


RESOURCES = (FirehoseDeliveryStream(),)
