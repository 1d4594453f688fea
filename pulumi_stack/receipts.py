"""The bucket of receipts: versioned, private, encrypted, and copied to another region."""

from dataclasses import dataclass

import pulumi
from buckets import private_bucket
from replication import Copies, replicate


@dataclass(frozen=True)
class ReceiptsArgs:
    """`keep_after_destroy` False empties the buckets when the stack goes."""

    replica_region: str
    keep_after_destroy: bool = False


class Receipts(pulumi.ComponentResource):
    """Outputs: `bucket`, and `replica` with a copy of each receipt."""

    def __init__(self, name: str, args: ReceiptsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Receipts", name, None, opts)
        child, keep = pulumi.ResourceOptions(parent=self), args.keep_after_destroy
        self.bucket, versions = private_bucket(name, app="orders", keep=keep, opts=child)
        self.replica, replica_versions = private_bucket(
            f"{name}-replica", app="orders", region=args.replica_region, keep=keep, opts=child
        )
        copies = Copies("receipts", self.bucket, self.replica, delete_markers=True)
        replicate(name, copies, [versions, replica_versions], self)
        self.register_outputs({"bucket": self.bucket.id, "replica": self.replica.id})
