"""The bucket of receipts: versioned, private, encrypted."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws


@dataclass(frozen=True)
class ReceiptsArgs:
    """`keep_after_destroy` False empties the bucket when the stack goes."""

    keep_after_destroy: bool = False


class Receipts(pulumi.ComponentResource):
    """Outputs: `bucket`."""

    def __init__(self, name: str, args: ReceiptsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:Receipts", name, None, opts)
        child = pulumi.ResourceOptions(parent=self)
        self.bucket = aws.s3.Bucket(
            name, force_destroy=not args.keep_after_destroy, tags={"app": "orders"}, opts=child
        )
        aws.s3.BucketVersioning(
            name, bucket=self.bucket.id, versioning_configuration={"status": "Enabled"}, opts=child
        )
        aws.s3.BucketPublicAccessBlock(
            name,
            bucket=self.bucket.id,
            block_public_acls=True,
            block_public_policy=True,
            ignore_public_acls=True,
            restrict_public_buckets=True,
            opts=child,
        )
        self.register_outputs({"bucket": self.bucket.id})
