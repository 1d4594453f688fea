"""What a stack is: the one at home, or a standby in another region by one of AWS's four strategies.

Source: https://docs.aws.amazon.com/whitepapers/latest/disaster-recovery-workloads-on-aws/disaster-recovery-options-in-the-cloud.html
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

STRATEGIES = ("backup-restore", "pilot-light", "warm-standby", "active-active")


@dataclass(frozen=True, kw_only=True)
class Standby:
    """A standby beside a home.

    Its roles, queues, API and front door are always there: IAM and Route 53 are changed in us-east-1 alone, and what
    needs them must not be left to be made while that region is lost.

    `serving` says whether there are functions behind the API. Until then the strategy is backup and restore (no data
    in the region but backups) or pilot light (replicas of the data). A warm standby serves with few functions at a
    time, and leaves the events to the home.
    """

    strategy: str
    serving: bool
    orders_table: str
    payments_table: str
    receipts_bucket: str
    home_name: str
    home_region: str
    domain: str

    @property
    def takes_over(self) -> bool:
        """True when the standby works off every order of the table, the home's too, once it is told to."""
        return self.strategy != "active-active"

    @property
    def warm(self) -> bool:
        """True for a standby that is scaled down."""
        return self.strategy == "warm-standby"


def standby_of(config: pulumi.Config) -> Standby | None:
    """The standby that the configuration asks for; None at home."""
    strategy = config.get("standby") or ""
    if not strategy:
        return None
    if strategy not in STRATEGIES:
        raise ValueError(f"orders:standby: there is no strategy {strategy!r}; there are {', '.join(STRATEGIES)}")
    serving = config.get_bool("serving")
    return Standby(
        strategy=strategy,
        serving=strategy in {"warm-standby", "active-active"} if serving is None else serving,
        orders_table=config.require("ordersTable"),
        payments_table=config.require("paymentsTable"),
        receipts_bucket=config.require("receiptsBucket"),
        home_name=config.require("homeName"),
        home_region=config.require("homeRegion"),
        domain=config.get("domain") or "shop.example",
    )


@dataclass(frozen=True)
class KnownTable:
    """A table that is not ours: a replica, or one that will be restored."""

    name: str
    region: str

    @property
    def arn(self) -> pulumi.Output[str]:
        """Known before the table is there."""
        account = aws.get_caller_identity_output().account_id
        return account.apply(lambda found: f"arn:aws:dynamodb:{self.region}:{found}:table/{self.name}")

    @property
    def streams_arn(self) -> pulumi.Output[str]:
        """Every stream of the table."""
        return self.arn.apply(lambda arn: f"{arn}/stream/*")

    @property
    def stream_arn(self) -> pulumi.Output[str]:
        """Its present stream; the table must be there."""
        return aws.dynamodb.get_table_output(name=self.name).stream_arn


@dataclass(frozen=True)
class KnownBucket:
    """A bucket that is not ours."""

    id: str

    @property
    def arn(self) -> pulumi.Output[str]:
        """Its ARN."""
        return pulumi.Output.from_input(f"arn:aws:s3:::{self.id}")
