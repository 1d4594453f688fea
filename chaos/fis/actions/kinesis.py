"""aws:kinesis:stream-provisioned-throughput-exception and -expired-iterator-exception.

Source: https://docs.aws.amazon.com/fis/latest/userguide/fis-actions-reference.html#kinesis-actions-reference
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from chaos.fis.actions.action import DURATION, Parameter, RuleAction, Work
from chaos.fis.actions.values import check_percentage
from harness.cloud.faults import ApiError, Dose, Selector


class _StreamAction(RuleAction):
    error: ClassVar[ApiError]
    operations: ClassVar[tuple[str, ...]]
    targets: ClassVar[Mapping[str, str]] = {"KinesisStreams": "aws:kinesis:stream"}
    capability: ClassVar[str] = "faults"
    difference: ClassVar[str] = "event source mappings read streams without the gate and are not hit"
    parameters: ClassVar[Mapping[str, Parameter]] = {
        "duration": DURATION,
        "percentage": Parameter("The share of calls that fail, 1 to 100."),
    }

    def check(self, parameters: Mapping[str, str]) -> None:
        """Duration and share."""
        super().check(parameters)
        check_percentage(parameters["percentage"])

    def inject(self, work: Work) -> None:
        """A call names its stream or gives the ARN: a rule for each."""
        dose = Dose(probability=check_percentage(work.parameters["percentage"]))
        for stream in work.resources["KinesisStreams"]:
            for resource in (stream.name, stream.arn):
                for operation in self.operations:
                    selector = Selector(service="kinesis", operation=operation, resource=resource)
                    work.put(f"{operation}/{resource}", selector, self.error, dose)


class ProvisionedThroughputException(_StreamAction):
    """Reads and writes exceed the stream's throughput."""

    id: ClassVar = "aws:kinesis:stream-provisioned-throughput-exception"
    description: ClassVar = "Returns ProvisionedThroughputExceededException to requests on the target streams."
    error: ClassVar = ApiError(
        code="ProvisionedThroughputExceededException", status=400, message="Rate exceeded for the shard."
    )
    operations: ClassVar = ("GetRecords", "GetShardIterator", "PutRecord", "PutRecords")


class ExpiredIteratorException(_StreamAction):
    """Iterators expire before they are used."""

    id: ClassVar = "aws:kinesis:stream-expired-iterator-exception"
    description: ClassVar = "Returns ExpiredIteratorException to GetRecords on the target streams."
    error: ClassVar = ApiError(code="ExpiredIteratorException", status=400, message="Iterator expired.")
    operations: ClassVar = ("GetRecords",)
