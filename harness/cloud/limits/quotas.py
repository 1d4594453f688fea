"""Every limit that throttles here: AWS's default, its setting in `[limits]` of the project file, its source."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Final

_DOCS = "https://docs.aws.amazon.com/"


@dataclass(frozen=True, slots=True, kw_only=True)
class Quotas:
    """The limits in force. Each is of one account in one region unless said; its setting has the field's name.

    Args:
        lambda_concurrency: invocations at once, of all functions.
        lambda_scaling: execution environments that one function may get more in a scaling period.
        lambda_scaling_period_s: the scaling period; what is left of one is not kept for the next.
        dynamodb_burst_s: seconds of unused provisioned throughput that a table or an index keeps.
        dynamodb_partition_reads: read units a second of one partition key.
        dynamodb_partition_writes: write units a second of one partition key.
        dynamodb_table_reads: read units a second of one on-demand table or index.
        dynamodb_table_writes: write units a second of one on-demand table or index.
        apigateway_rate: requests a second to all APIs.
        apigateway_burst: requests at once to all APIs.
        sqs_in_flight: messages of one standard queue that were received and neither deleted nor visible again.
        sqs_fifo_in_flight: the same of one FIFO queue, which answers with nothing instead of an error.
        kms_symmetric_rate: cryptographic operations a second with symmetric keys. 10,000 is what the least of the
            regions has; us-east-1, us-west-2 and eu-west-1 have more.
        kms_rsa_rate: cryptographic operations a second with RSA keys.
        kms_ecc_rate: cryptographic operations a second with elliptic curve keys.
        ssm_get_rate: GetParameter, GetParameters and GetParametersByPath a second, at the default throughput.
    """

    lambda_concurrency: int = 1000
    lambda_scaling: int = 1000
    lambda_scaling_period_s: float = 10.0
    dynamodb_burst_s: float = 300.0
    dynamodb_partition_reads: float = 3000
    dynamodb_partition_writes: float = 1000
    dynamodb_table_reads: float = 40_000
    dynamodb_table_writes: float = 40_000
    apigateway_rate: float = 10_000
    apigateway_burst: int = 5000
    sqs_in_flight: int = 120_000
    sqs_fifo_in_flight: int = 120_000
    kms_symmetric_rate: float = 10_000
    kms_rsa_rate: float = 1000
    kms_ecc_rate: float = 1000
    ssm_get_rate: float = 40

    @classmethod
    def of(cls, given: Mapping[str, float]) -> Quotas:
        """AWS's defaults but for what is `given` by name."""
        whole = {one.name for one in fields(cls) if one.type == "int"}
        return cls(**{name: int(value) if name in whole else value for name, value in given.items()})  # type: ignore[arg-type] # whole where they must be


_LAMBDA = "lambda/latest/dg/gettingstarted-limits.html"
_QUOTAS = "amazondynamodb/latest/developerguide/ServiceQuotas.html"
_PARTITIONS = "amazondynamodb/latest/developerguide/bp-partition-key-design.html"
_KMS = "kms/latest/developerguide/requests-per-second.html"
_SSM = "general/latest/gr/ssm.html"
_API = "apigateway/latest/developerguide/limits.html"
_QUEUES = "AWSSimpleQueueService/latest/SQSDeveloperGuide/"

SOURCES: Final[Mapping[str, str]] = {
    name: _DOCS + page
    for name, page in {
        "lambda_concurrency": _LAMBDA,
        "lambda_scaling": "lambda/latest/dg/scaling-behavior.html",
        "lambda_scaling_period_s": "lambda/latest/dg/scaling-behavior.html",
        "dynamodb_burst_s": "amazondynamodb/latest/developerguide/burst-adaptive-capacity.html",
        "dynamodb_partition_reads": _PARTITIONS,
        "dynamodb_partition_writes": _PARTITIONS,
        "dynamodb_table_reads": _QUOTAS,
        "dynamodb_table_writes": _QUOTAS,
        "apigateway_rate": _API,
        "apigateway_burst": _API,
        "sqs_in_flight": _QUEUES + "quotas-messages.html",
        "sqs_fifo_in_flight": _QUEUES + "avoid-backlog-with-the-same-message-group-id.html",
        "kms_symmetric_rate": _KMS,
        "kms_rsa_rate": _KMS,
        "kms_ecc_rate": _KMS,
        "ssm_get_rate": _SSM,
    }.items()
}
"""Where AWS documents each."""
