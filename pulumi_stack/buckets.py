"""Private buckets: versioned, closed to the public, and encrypted, as S3 does by default.

https://docs.aws.amazon.com/AmazonS3/latest/userguide/default-encryption-faq.html
"""

import pulumi
import pulumi_aws as aws


def private_bucket(
    name: str, *, app: str, opts: pulumi.ResourceOptions, region: str | None = None, keep: bool = False
) -> tuple[aws.s3.Bucket, aws.s3.BucketVersioning]:
    """A bucket and its versioning, which a rule of replication has to wait for.

    `region` is another one than the provider's; with `keep` it is not emptied when the stack goes.
    """
    bucket = aws.s3.Bucket(name, force_destroy=not keep, region=region, tags={"app": app}, opts=opts)
    aws.s3.BucketPublicAccessBlock(
        name,
        bucket=bucket.id,
        region=region,
        block_public_acls=True,
        block_public_policy=True,
        ignore_public_acls=True,
        restrict_public_buckets=True,
        opts=opts,
    )
    versions = aws.s3.BucketVersioning(
        name,
        bucket=bucket.id,
        region=region,
        versioning_configuration={"status": "Enabled"},
        opts=opts,
    )
    return bucket, versions
