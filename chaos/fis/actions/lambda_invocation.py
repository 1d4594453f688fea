"""aws:lambda:invocation-error, -add-delay, -http-integration-response.

On AWS a layer in the function does the work; here the pool asks the rule book at each invocation.
Source: https://docs.aws.amazon.com/fis/latest/userguide/use-lambda-actions.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Parameter, RuleAction, Work
from chaos.fis.actions.values import check_boolean, check_percentage, check_whole, refuse
from harness.cloud.faults import Dose, Effect, FunctionError, HttpResponse, Latency, Selector

_PERCENTAGE = Parameter("The share of invocations that are hit, 1 to 100; 100 by default.", required=False)
_PREVENT = Parameter("true to fail before the handler runs, false to run it and then fail.")


class _InvocationAction(RuleAction):
    targets: ClassVar[Mapping[str, str]] = {"Functions": "aws:lambda:function"}
    capability: ClassVar[str] = "lambda-zones"
    difference: ClassVar[str] = (
        "needs no extension layer and no S3 configuration, and is felt at once instead of within 60 s; of several "
        "faults of one kind the one that started first counts, as on AWS"
    )

    def effect(self, parameters: Mapping[str, str]) -> Effect:
        """The effect that the parameters ask for."""
        raise NotImplementedError

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration and percentage, and what the effect itself cannot be."""
        super().check(parameters)
        check_percentage(parameters.get("invocationPercentage", "100"), "invocationPercentage")
        self.effect(parameters)

    def inject(self, work: Work) -> None:
        """One rule for each function."""
        dose = Dose(probability=int(work.parameters.get("invocationPercentage", "100")) / 100)
        for function in work.resources["Functions"]:
            selector = Selector(layer="invocation", service="lambda", operation="Invoke", resource=function.arn)
            work.put(function.arn, selector, self.effect(work.parameters), dose)


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
        return FunctionError(prevent_execution=check_boolean(parameters["preventExecution"], "preventExecution"))


class InvocationAddDelay(_InvocationAction):
    """Delays the start of the handler; a delay beyond the function's timeout times it out."""

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
        return Latency(delay_s=check_whole(text, "startupDelayMilliseconds", 0, 900_000) / 1000)


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
        text = parameters["statusCode"]
        if not (text.isascii() and text.isdigit() and len(text) == 3):
            raise refuse("statusCode", text, "three digits")
        return HttpResponse(
            status=int(text),
            content_type=parameters["contentTypeHeader"],
            prevent_execution=check_boolean(parameters["preventExecution"], "preventExecution"),
        )
