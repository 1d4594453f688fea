"""aws:dynamodb:global-table-pause-replication and aws:s3:bucket-pause-replication.

What is written while a flow is paused waits, and arrives when the action ends; between tables the last writer wins.
Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#dynamodb-actions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, LEASE_S, Action, Parameter, Work
from chaos.fis.actions.values import listed, region_name
from chaos.fis.finding import Resource
from harness.cloud.copies.flow import Flow, Holds


class _PauseAction(Action):
    slot: ClassVar[str]
    capability: ClassVar[str] = "zones"

    def holds(self, work: Work, resource: Resource) -> Holds:
        """Which writes wait."""
        raise NotImplementedError

    def inject(self, work: Work) -> None:
        """One pause for each resource."""
        for resource in work.resources[self.slot]:
            pause = self.holds(work, resource)
            work.doors.replication.pause(_id(work, resource), pause, owner=work.owner, lease_s=LEASE_S)

    def heal(self, work: Work) -> None:
        """Let everything that waits arrive."""
        for resource in work.resources[self.slot]:
            work.doors.replication.resume(pause_id=_id(work, resource))


def _id(work: Work, resource: Resource) -> str:
    return f"{work.owner}/{work.name}/{resource.name}"


class GlobalTablePauseReplication(_PauseAction):
    """Nothing is replicated to and from the tables in the experiment's Region."""

    id: ClassVar = "aws:dynamodb:global-table-pause-replication"
    description: ClassVar = "Pauses replication between the target global tables and their replicas."
    parameters: ClassVar = {"duration": DURATION}
    targets: ClassVar = {"Tables": "aws:dynamodb:global-table"}
    slot: ClassVar = "Tables"
    difference: ClassVar = (
        "replication stops and resumes at once, on AWS within minutes; no resource policy is written to the table"
    )

    def holds(self, work: Work, resource: Resource) -> Holds:
        """Both directions of one table."""
        table, region = resource.name, work.doors.target.region

        def held(flow: Flow) -> bool:
            return flow.store == "dynamodb" and flow.name == table and region in {flow.source, flow.destination}

        return held


class BucketPauseReplication(_PauseAction):
    """Nothing is replicated from the buckets to the destination Region."""

    id: ClassVar = "aws:s3:bucket-pause-replication"
    description: ClassVar = "Pauses replication from the target S3 buckets to the destination buckets."
    parameters: ClassVar = {
        "duration": DURATION,
        "region": Parameter("The Region of the destination buckets."),
        "destinationBuckets": Parameter("Destination buckets, comma separated; all by default.", required=False),
        "prefixes": Parameter("Key prefixes, comma separated; all keys by default.", required=False),
    }
    targets: ClassVar = {"Buckets": "aws:s3:bucket"}
    slot: ClassVar = "Buckets"
    difference: ClassVar = "replication stops at once; on AWS objects in flight may still arrive for an hour"

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration and region."""
        super().check(parameters)
        region_name(parameters["region"])

    def holds(self, work: Work, resource: Resource) -> Holds:
        """One bucket to one Region."""
        source, region = resource.name, work.parameters["region"]
        destinations, prefixes = _optional(work, "destinationBuckets"), tuple(_optional(work, "prefixes"))

        def held(flow: Flow) -> bool:
            return (
                flow.store == "s3"
                and flow.source == source
                and flow.destination_region == region
                and (not destinations or flow.destination in destinations)
                and (not prefixes or flow.key.startswith(prefixes))
            )

        return held


def _optional(work: Work, name: str) -> list[str]:
    text = work.parameters.get(name, "")
    return [item.rpartition(":::")[2] for item in listed(text, name)] if text else []
