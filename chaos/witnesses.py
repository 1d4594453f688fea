"""Who sees what a drill does to a target: our gate where it stands before the cloud, FIS where it does not."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from chaos.alarm_watch import AlarmWatch
from chaos.drill_file import Drill
from chaos.fis_witness import FisWitness
from chaos.replica_watch import ReplicaWatch
from chaos.witness import Witness
from harness.clock import Clock
from harness.cloud.control_client import ControlClient
from harness.cloud.identify import OBSERVER_APP_ID
from harness.measure.journal import JournalWriter
from harness.target import Target


def witness_of(
    target: Target,
    drill: Drill,
    *,
    fis: Any,  # a boto3 client
    region: str | None,
    filled: Callable[[str], str],
    journal: JournalWriter,
    clock: Clock,
) -> Witness | FisWitness:
    """The witness of a drill whose alarms ring in `region`; `filled` puts the stack's outputs into a text."""
    alarms = AlarmWatch(
        client=target.client("cloudwatch", region=region, user_agent_appid=OBSERVER_APP_ID),
        journal=journal,
        clock=clock,
        wanted=[filled(name) for name in drill.alarms],
    )
    replica, part = None, drill.verification
    if part is not None and part.replica:
        replica = ReplicaWatch(
            client=target.client("dynamodb", region=filled(part.replica), user_agent_appid=OBSERVER_APP_ID),
            table=filled(part.table),
            key=part.key,
            journal=journal,
            clock=clock,
        )
    if target.control_url:
        return Witness(control=ControlClient(target), journal=journal, clock=clock, alarms=alarms, replica=replica)
    return FisWitness(fis=fis, journal=journal, clock=clock, alarms=alarms, replica=replica)
