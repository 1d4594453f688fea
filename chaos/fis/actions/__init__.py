"""The actions that exist here, by their ids. Adding one: docs/adding-an-action.md."""

from __future__ import annotations

from collections.abc import Mapping

from chaos.fis.actions.action import Action
from chaos.fis.actions.api_errors import (
    InjectApiInternalError,
    InjectApiThrottleError,
    InjectApiUnavailableError,
)
from chaos.fis.actions.lambda_invocation import (
    InvocationAddDelay,
    InvocationError,
    InvocationHttpIntegrationResponse,
)
from chaos.fis.actions.network import DisruptConnectivity
from chaos.fis.actions.wait import Wait
from chaos.fis.actions.zone_power import InterruptPower

ACTIONS: Mapping[str, Action] = {
    action.id: action
    for action in (
        InjectApiInternalError(),
        InjectApiThrottleError(),
        InjectApiUnavailableError(),
        Wait(),
        InvocationAddDelay(),
        InvocationError(),
        InvocationHttpIntegrationResponse(),
        DisruptConnectivity(),
        InterruptPower(),
    )
}

RESOURCE_TYPES: Mapping[str, str] = {
    "aws:ec2:subnet": "Amazon EC2 subnets.",
    "aws:lambda:function": "AWS Lambda functions.",
}
