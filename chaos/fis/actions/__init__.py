"""The actions that exist here, by their ids. Adding one: docs/adding-an-action.md."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from chaos.fis.actions.action import Action
from chaos.fis.actions.alarm_state import AssertAlarmState
from chaos.fis.actions.api_errors import InjectApiInternalError, InjectApiThrottleError, InjectApiUnavailableError
from chaos.fis.actions.api_latency import AddLatency
from chaos.fis.actions.automation import StartAutomationExecution
from chaos.fis.actions.caches import InterruptAzPower
from chaos.fis.actions.connectivity import DisruptConnectivity
from chaos.fis.actions.credentials import ExpireCredentials
from chaos.fis.actions.cross_region import RouteTableDisruption, TransitGatewayDisruption
from chaos.fis.actions.databases import FailoverDbCluster, RebootDbInstances
from chaos.fis.actions.ec2_capacity import InsufficientInstanceCapacity
from chaos.fis.actions.ec2_instances import RebootInstances, SpotInterruptions, StopInstances, TerminateInstances
from chaos.fis.actions.ecs_network import TaskNetworkBlackholePort, TaskNetworkLatency, TaskNetworkPacketLoss
from chaos.fis.actions.ecs_tasks import (
    DrainContainerInstances,
    StopTask,
    TaskCpuStress,
    TaskIoStress,
    TaskKillProcess,
)
from chaos.fis.actions.elsewhere import ElsewhereAction, elsewhere
from chaos.fis.actions.kinesis import ExpiredIteratorException, ProvisionedThroughputException
from chaos.fis.actions.lambda_invocation import (
    InvocationAddDelay,
    InvocationError,
    InvocationHttpIntegrationResponse,
)
from chaos.fis.actions.links import DisruptLink
from chaos.fis.actions.replication_lag import ChangeLag
from chaos.fis.actions.replication_pause import BucketPauseReplication, GlobalTablePauseReplication
from chaos.fis.actions.state_only import GroupInsufficientCapacity, PauseVolumeIo, VolumeIoLatency
from chaos.fis.actions.vpc_endpoint import DisruptVpcEndpoint
from chaos.fis.actions.wait import Wait
from chaos.fis.actions.zonal_autoshift import StartZonalAutoshift
from chaos.fis.actions.zone_power import InterruptPower, InterruptRegionPower
from chaos.fis.finders import FINDERS

ACTIONS: Mapping[str, Action] = {
    action.id: action
    for action in (
        AddLatency(),
        AssertAlarmState(),
        BucketPauseReplication(),
        ChangeLag(),
        DisruptConnectivity(),
        DisruptLink(),
        DisruptVpcEndpoint(),
        DrainContainerInstances(),
        ExpireCredentials(),
        ExpiredIteratorException(),
        FailoverDbCluster(),
        GlobalTablePauseReplication(),
        GroupInsufficientCapacity(),
        InjectApiInternalError(),
        InjectApiThrottleError(),
        InjectApiUnavailableError(),
        InsufficientInstanceCapacity(),
        InterruptAzPower(),
        InterruptPower(),
        InterruptRegionPower(),
        InvocationAddDelay(),
        InvocationError(),
        InvocationHttpIntegrationResponse(),
        PauseVolumeIo(),
        ProvisionedThroughputException(),
        RebootDbInstances(),
        RebootInstances(),
        RouteTableDisruption(),
        SpotInterruptions(),
        StartAutomationExecution(),
        StartZonalAutoshift(),
        StopInstances(),
        StopTask(),
        TaskCpuStress(),
        TaskIoStress(),
        TaskKillProcess(),
        TaskNetworkBlackholePort(),
        TaskNetworkLatency(),
        TaskNetworkPacketLoss(),
        TerminateInstances(),
        TransitGatewayDisruption(),
        VolumeIoLatency(),
        Wait(),
    )
}

ELSEWHERE: Mapping[str, ElsewhereAction] = {action.id: action for action in elsewhere() if action.id not in ACTIONS}
"""AWS's actions that are refused here, or skipped where a template says so."""


_ASKED_BY = {"network": "ec2", "ssm": "ssm", "arc": "arc-zonal-shift"}
_LOGS_TO = {"cloudWatchLogsConfiguration": "logs", "s3Configuration": "s3"}


def services_of(template: Mapping[str, Any]) -> set[str]:
    """The services whose clients an experiment from this template needs at once."""
    kinds = {target["resourceType"] for target in template["targets"].values()}
    needed = {FINDERS[kind][0] for kind in kinds if kind in FINDERS}
    kinds = {action["actionId"].split(":")[1] for action in template["actions"].values()}
    needed |= {service for kind, service in _ASKED_BY.items() if kind in kinds}
    if any(one["source"] != "none" for one in template["stopConditions"]):
        needed.add("cloudwatch")
    logs = template.get("logConfiguration") or {}
    needed |= {service for key, service in _LOGS_TO.items() if key in logs}
    return needed
