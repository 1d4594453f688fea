"""Kinesis: streams, their consumers and policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_TAGGING = Tagging(resource="ResourceARN", key="")


class Stream(Declared):
    """aws:kinesis/stream:Stream; the id is the ARN."""

    token: ClassVar = "aws:kinesis/stream:Stream"
    tags_after: ClassVar = True
    id_format: ClassVar = "arn:aws:kinesis:{region}:{account}:stream/{name}"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {"retentionPeriod": 24, "encryptionType": "NONE", "enforceConsumerDeletion": False}
    tagging: ClassVar = Tagging(
        tag="add_tags_to_stream", untag="remove_tags_from_stream", resource="StreamARN", key=""
    )
    replace_on: ClassVar = frozenset({"name"})
    renames: ClassVar = {
        "name": "StreamName", "arn": "StreamARN", "retentionPeriod": "RetentionPeriodHours", "kmsKeyId": "KeyId",
        "shardCount": "OpenShardCount",
    }  # fmt: skip
    creates: ClassVar = "CreateStream"
    reads: ClassVar = "DescribeStreamSummary"
    deletes: ClassVar = "DeleteStream"
    key: ClassVar = {"StreamARN": "id"}
    body: ClassVar = "StreamDescriptionSummary"
    settled: ClassVar = ("StreamStatus", frozenset({"ACTIVE"}))

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """A provisioned stream needs shards."""
        checked = super().check(context, inputs, olds)
        if _mode(checked) == "PROVISIONED" and not checked.get("shardCount"):
            raise CheckError([("shardCount", "is required for a stream with provisioned capacity")])
        return checked

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then what is switched on when it is there."""
        wanted: dict[str, Any] = {"StreamName": inputs["name"], "StreamModeDetails": {"StreamMode": _mode(inputs)}}
        if _mode(inputs) == "PROVISIONED":
            wanted["ShardCount"] = int(inputs["shardCount"])
        if self.tags(context, inputs):
            wanted["Tags"] = self.tags(context, inputs)
        self.send(context, self.creates, {}, **wanted)
        arn = self._arn(context, inputs)
        self.settle(context, arn, inputs)
        self._switch(context, arn, {**self.defaults, "shardCount": inputs.get("shardCount")}, inputs)
        return arn

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """What is monitored, where that was asked for and AWS tells."""
        metrics = [name for one in body.get("EnhancedMonitoring") or () for name in one["ShardLevelMetrics"]]
        return {"shardLevelMetrics": metrics} if metrics and inputs.get("shardLevelMetrics") else {}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """One thing at a time, each waited for."""
        if _mode(olds) != _mode(news):
            mode = {"StreamMode": _mode(news)}
            self.client(context).update_stream_mode(StreamARN=resource_id, StreamModeDetails=mode)
            self.settle(context, resource_id, news)
        self._switch(context, resource_id, olds, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it and wait."""
        force = bool(state.get("enforceConsumerDeletion"))
        self.send(context, self.deletes, {}, StreamARN=resource_id, EnforceConsumerDeletion=force)
        self.wait_gone(context, resource_id, state)

    def _arn(self, context: Context, inputs: Properties) -> str:
        return f"arn:aws:kinesis:{context.region}:{context.account_id}:stream/{inputs['name']}"

    def _switch(self, context: Context, arn: str, olds: Properties, news: Properties) -> None:
        client, changed = self.client(context), roots(olds, news)
        calls: list[tuple[str, dict[str, Any]]] = []
        if "shardCount" in changed and _mode(news) == "PROVISIONED":
            count = int(news["shardCount"])
            calls.append(("update_shard_count", {"TargetShardCount": count, "ScalingType": "UNIFORM_SCALING"}))
        if "retentionPeriod" in changed:
            longer = int(news["retentionPeriod"]) > int(olds.get("retentionPeriod") or 24)
            name = f"{'increase' if longer else 'decrease'}_stream_retention_period"
            calls.append((name, {"RetentionPeriodHours": int(news["retentionPeriod"])}))
        if changed & {"encryptionType", "kmsKeyId"}:
            on = news["encryptionType"] == "KMS"
            known = news if on else olds
            key = {"EncryptionType": "KMS", "KeyId": known.get("kmsKeyId") or "alias/aws/kinesis"}
            calls.append(("start_stream_encryption" if on else "stop_stream_encryption", key))
        before, after = set(olds.get("shardLevelMetrics") or ()), set(news.get("shardLevelMetrics") or ())
        for name, metrics in (("disable", before - after), ("enable", after - before)):
            if metrics:
                calls.append((f"{name}_enhanced_monitoring", {"ShardLevelMetrics": sorted(metrics)}))
        for name, wanted in calls:
            getattr(client, name)(StreamARN=arn, **wanted)
            self.settle(context, arn, news)


def _mode(inputs: Properties) -> str:
    details = inputs.get("streamModeDetails") or {}
    block = details[0] if isinstance(details, list) else details
    return str(block.get("streamMode", "PROVISIONED"))


class StreamConsumer(Declared, noun="StreamConsumer", verbs="Register Describe - Deregister"):
    """aws:kinesis/streamConsumer:StreamConsumer; the id is the ARN."""

    token: ClassVar = "aws:kinesis/streamConsumer:StreamConsumer"
    asks: ClassVar = {"StreamARN": "streamArn"}
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    tagging: ClassVar = _TAGGING
    replace_on: ClassVar = frozenset({"name", "streamArn"})
    renames: ClassVar = {
        "name": "ConsumerName", "arn": "ConsumerARN", "creationTimestamp": "ConsumerCreationTimestamp",
    }  # fmt: skip
    key: ClassVar = {"ConsumerARN": "id"}
    id_from: ClassVar = "Consumer.ConsumerARN"
    body: ClassVar = "ConsumerDescription"
    settled: ClassVar = ("ConsumerStatus", frozenset({"ACTIVE"}))


class ResourcePolicy(Declared, noun="ResourcePolicy", verbs="Put Get Put Delete"):
    """aws:kinesis/resourcePolicy:ResourcePolicy; the id is the stream's ARN."""

    token: ClassVar = "aws:kinesis/resourcePolicy:ResourcePolicy"
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"resourceArn"})
    key: ClassVar = {"ResourceARN": "resourceArn"}
    parts: ClassVar = ("resourceArn",)

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """An empty policy is none."""
        found = super().ask(context, resource_id, inputs)
        return found if found and found.get("Policy") not in {None, "", "{}"} else None


RESOURCES = (Stream(), StreamConsumer(), ResourcePolicy())


def stream(context: Context, arguments: Properties) -> Properties:
    """A stream by name."""
    arn = f"arn:aws:kinesis:{context.region}:{context.account_id}:stream/{arguments['name']}"
    found = Stream().read(context, arn, None)
    if found is None:
        raise CheckError([("name", f"there is no stream {arguments['name']}")])
    return {**found, **arguments, "id": arn}


INVOKES: dict[str, Invoke] = {"aws:kinesis/getStream:getStream": stream}
