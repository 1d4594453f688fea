"""The bucket of receipts: versioned, private, encrypted, and copied to another region."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
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
        self._args, self._child = args, pulumi.ResourceOptions(parent=self)
        self.bucket, versions = self._private(name, None)
        self.replica, replica_versions = self._private(f"{name}-replica", args.replica_region)
        copies = Copies("receipts", self.bucket, self.replica, delete_markers=True)
        replicate(name, copies, [versions, replica_versions], self)
        self.register_outputs({"bucket": self.bucket.id, "replica": self.replica.id})

    def _private(self, name: str, region: str | None) -> tuple[aws.s3.Bucket, pulumi.Resource]:
        bucket = aws.s3.Bucket(
            name,
            force_destroy=not self._args.keep_after_destroy,
            region=region,
            tags={"app": "orders"},
            opts=self._child,
        )
        versions = aws.s3.BucketVersioning(
            name,
            bucket=bucket.id,
            region=region,
            versioning_configuration={"status": "Enabled"},
            opts=self._child,
        )
        aws.s3.BucketPublicAccessBlock(
            name,
            bucket=bucket.id,
            region=region,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=self._child,
        )
        return bucket, versions
