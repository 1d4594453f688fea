"""aws:rds:failover-db-cluster and aws:rds:reboot-db-instances.

Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#rds-actions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import Action, Parameter, Work
from chaos.fis.actions.values import check_boolean
from chaos.fis.finding import Resource

_AURORA = "Aurora and RDS PostgreSQL run as processes in zones"


class _DatabaseAction(Action):
    difference: ClassVar[str] = f"{_AURORA}; other engines are API state"

    def heal(self, work: Work) -> None:
        """There is no way back, and no need of one: the database comes back by itself."""


class FailoverDbCluster(_DatabaseAction):
    """The writer hands over to a reader."""

    id: ClassVar = "aws:rds:failover-db-cluster"
    description: ClassVar = "Runs a failover on the target Aurora DB clusters."
    targets: ClassVar[Mapping[str, str]] = {"Clusters": "aws:rds:cluster"}

    def inject(self, work: Work) -> None:
        """Fail each cluster over."""
        for cluster in work.resources["Clusters"]:
            work.clients.get("rds").failover_db_cluster(DBClusterIdentifier=cluster.name)
            _fired(work, cluster)


class RebootDbInstances(_DatabaseAction):
    """Instances restart, by failover where asked."""

    id: ClassVar = "aws:rds:reboot-db-instances"
    description: ClassVar = "Reboots the target DB instances."
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "forceFailover": Parameter("true to fail over on the way; false by default.", required=False)
    }
    targets: ClassVar[Mapping[str, str]] = {"DBInstances": "aws:rds:db"}

    def check(self, parameters: Mapping[str, str]) -> None:
        """The flag."""
        check_boolean(parameters.get("forceFailover", "false"), "forceFailover")

    def inject(self, work: Work) -> None:
        """Reboot each instance."""
        force = work.parameters.get("forceFailover", "false").lower() == "true"
        for instance in work.resources["DBInstances"]:
            given = {"ForceFailover": True} if force else {}
            work.clients.get("rds").reboot_db_instance(DBInstanceIdentifier=instance.name, **given)
            _fired(work, instance)


def _fired(work: Work, hit: Resource) -> None:
    """RDS accepted it: the proof of injection, where no rule of the gate counts."""
    work.doors.evidence.add("fault_fired", owner=work.owner, resource=hit.arn)
