"""aws:lambda:invocation-error, -add-delay, -http-integration-response.

On AWS a layer in the function does the work; here the pool asks the rule book at each invocation.
Source: https://docs.aws.amazon.com/fis/latest/userguide/use-lambda-actions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Action, Parameter, Work, check_boolean, check_percentage
from chaos.fis.errors import ValidationException
from harness.cloud.faults import Dose, Effect, FunctionError, HttpResponse, Latency, Selector

_PERCENTAGE = Parameter("The share of invocations that are hit, 1 to 100; 100 by default.", required=False)
_PREVENT = Parameter("true to fail before the handler runs, false to run it and then fail.")


class _InvocationAction(Action):
    targets: ClassVar[Mapping[str, str]] = {"Functions": "aws:lambda:function"}
    capability: ClassVar[str] = "lambda-zones"

    def effect(self, parameters: Mapping[str, str]) -> Effect:
        """The effect that the parameters ask for."""
        raise NotImplementedError

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration and percentage, and what the effect itself cannot be."""
        super().check(parameters)
        check_percentage(parameters.get("invocationPercentage", "100"))
        self.effect(parameters)

    def inject(self, work: Work) -> None:
        """One rule for each function."""
        share = int(work.parameters.get("invocationPercentage", "100")) / 100
        for arn in work.resources["Functions"]:
            selector = Selector(layer="invocation", service="lambda", operation="Invoke", resource=arn)
            work.put(arn, selector, self.effect(work.parameters), Dose(probability=share))

    def heal(self, work: Work) -> None:
        """End the rules."""
        work.remove_rules()


class InvocationError(_InvocationAction):
    """Marks invocations as failed."""

    id: ClassVar = "aws:lambda:invocation-error"
    description: ClassVar = "Marks Lambda function invocations as failed."
    parameters: ClassVar = {
        "duration": DURATION,
        "invocationPercentage": _PERCENTAGE,
        "preventExecution": _PREVENT,
    }

    def effect(self, parameters: Mapping[str, str]) -> Effect:
        """The error, before or after the handler."""
        check_boolean(parameters["preventExecution"], "preventExecution")
        return FunctionError(prevent_execution=parameters["preventExecution"] == "true")


class InvocationAddDelay(_InvocationAction):
    """Delays the start of the handler."""

    id: ClassVar = "aws:lambda:invocation-add-delay"
    description: ClassVar = "Delays the start of Lambda function invocations."
    parameters: ClassVar = {
        "duration": DURATION,
        "invocationPercentage": _PERCENTAGE,
        "startupDelayMilliseconds": Parameter(
            "The delay in milliseconds, 0 to 900000; 1000 by default.", required=False
        ),
    }

    def effect(self, parameters: Mapping[str, str]) -> Effect:
        """The delay."""
        text = parameters.get("startupDelayMilliseconds", "1000")
        if not text.isdigit() or int(text) > 900_000:
            raise ValidationException(f"Invalid value '{text}' for startupDelayMilliseconds: 0 to 900000")
        return Latency(delay_s=int(text) / 1000)


class InvocationHttpIntegrationResponse(_InvocationAction):
    """Answers in the function's place."""

    id: ClassVar = "aws:lambda:invocation-http-integration-response"
    description: ClassVar = "Returns a custom HTTP integration response instead of the function's."
    parameters: ClassVar = {
        "duration": DURATION,
        "invocationPercentage": _PERCENTAGE,
        "preventExecution": _PREVENT,
        "statusCode": Parameter("The HTTP status code, 000 to 999."),
        "contentTypeHeader": Parameter("The value of the Content-Type header."),
    }

    def effect(self, parameters: Mapping[str, str]) -> Effect:
        """The response."""
        check_boolean(parameters["preventExecution"], "preventExecution")
        text = parameters["statusCode"]
        if not (text.isdigit() and len(text) == 3):
            raise ValidationException(f"Invalid value '{text}' for statusCode: three digits")
        return HttpResponse(
            status=int(text),
            content_type=parameters["contentTypeHeader"],
            prevent_execution=parameters["preventExecution"] == "true",
        )
