"""AWS's other actions: what they act on does not run in the embedded cloud.

A template that uses one is refused by name, with the nearest action that works here, unless it says
`emptyTargetResolutionMode: skip`: then, as with a target that is empty, the action is skipped and the rest runs. That
is how the scenarios that AWS publishes are written, and it lets them run here unmodified.

Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html
"""

# ruff: noqa: E501 - a row of the table is one line

from __future__ import annotations

from collections.abc import Iterator

from chaos.fis.actions.action import Action, Parameter, Parity, Work
from chaos.fis.errors import ActionError

_LAMBDA_DELAY, _LAMBDA_ERROR = "aws:lambda:invocation-add-delay", "aws:lambda:invocation-error"
_NETWORK, _POWER = "aws:network:disrupt-connectivity", "blackstart:az:interrupt-power"
_POD = "kubernetesServiceAccount fisPodContainerImage? maxErrorsPercent? fisPodLabels? fisPodAnnotations? fisPodSecurityPolicy?"

_ROWS = f"""
aws:eks:pod-cpu-stress | Pods aws:eks:pod | duration percent? workers? {_POD} | {_LAMBDA_DELAY}
aws:eks:pod-io-stress | Pods aws:eks:pod | duration percent? workers? {_POD} | {_LAMBDA_DELAY}
aws:eks:pod-memory-stress | Pods aws:eks:pod | duration percent? workers? {_POD} | {_LAMBDA_DELAY}
aws:eks:pod-delete | Pods aws:eks:pod | gracePeriodSeconds? {_POD} | {_LAMBDA_ERROR}
aws:eks:pod-network-blackhole-port | Pods aws:eks:pod | duration protocol trafficType port {_POD} | {_NETWORK}
aws:eks:pod-network-latency | Pods aws:eks:pod | duration interface? delayMilliseconds? jitterMilliseconds? flowsPercent? sources? {_POD} | {_LAMBDA_DELAY}
aws:eks:pod-network-packet-loss | Pods aws:eks:pod | duration interface? lossPercent? flowsPercent? sources? {_POD} | {_NETWORK}
aws:eks:inject-kubernetes-custom-resource | Cluster aws:eks:cluster | kubernetesApiVersion kubernetesKind kubernetesNamespace kubernetesSpec maxDuration | {_LAMBDA_ERROR}
aws:eks:terminate-nodegroup-instances | Nodegroups aws:eks:nodegroup | instanceTerminationPercentage | {_POWER}
aws:memorydb:multi-region-cluster-pause-replication | MultiRegionClusters aws:memorydb:multi-region-cluster | duration region? | aws:dynamodb:global-table-pause-replication
aws:dsql:cluster-connection-failure | Clusters aws:dsql:cluster | duration percentage | aws:fis:inject-api-unavailable-error
aws:directconnect:virtual-interface-disconnect | VirtualInterfaces aws:directconnect:virtual-interface | duration | {_NETWORK}
aws:ssm:send-command | Instances aws:ec2:instance | documentArn duration documentVersion? documentParameters? | aws:ssm:start-automation-execution
"""
"""Action | slot and resource type | parameters, `?` for optional ones | the nearest action that works here."""


class ElsewhereAction(Action):
    """An action of AWS that this cloud does not carry out."""

    parity: Parity = "refused"  # type: ignore[misc] # one class, many actions
    nearest: str

    def inject(self, work: Work) -> None:
        """Never reached: such an action is refused or skipped.

        Raises:
            ActionError: always.
        """
        raise ActionError(f"{self.id} is not carried out here; nearest: {self.nearest} ({work.name})")

    def heal(self, work: Work) -> None:
        """Nothing was injected."""


def elsewhere() -> Iterator[ElsewhereAction]:
    """AWS's actions that this cloud does not carry out."""
    for row in _ROWS.strip().splitlines():
        identity, target, parameters, nearest = (cell.strip() for cell in row.split("|"))
        slot, _, kind = target.partition(" ")
        words = {
            "id": identity,
            "description": f"{identity}, on AWS only.",
            "targets": {slot: kind} if slot else {},
            "nearest": nearest,
            "difference": f"nothing here to act on; nearest: {nearest}",
            "parameters": {
                word.rstrip("?"): Parameter(f"As on AWS: {word.rstrip('?')}.", required=not word.endswith("?"))
                for word in parameters.split()
            },
        }
        yield type("Elsewhere", (ElsewhereAction,), words)()
