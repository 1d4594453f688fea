"""Files that staff upload: a bucket with versions, a life cycle and a copy in another region."""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws
from buckets import private_bucket
from function import Function, ShopFunctionArgs
from placement import Placement
from replication import Copies, replicate
from statement import Statement


@dataclass(frozen=True)
class UploadsArgs:
    """`table` is the catalogue's."""

    placement: Placement
    table: aws.dynamodb.Table
    replica_region: str


class Uploads(pulumi.ComponentResource):
    """Outputs: `bucket`, `replica` (buckets), `sign` (function), `functions`."""

    def __init__(self, name: str, args: UploadsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Uploads", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self.bucket, versions = self._private_bucket(name, None)
        self.replica, replica_versions = self._private_bucket(f"{name}-replica", args.replica_region)
        self._live()
        copies = Copies("reports", self.bucket, self.replica, storage_class="STANDARD_IA", app="shop")
        replicate(name, copies, [versions, replica_versions], self)  # into the other region
        self.sign = self._sign(args)
        self.functions = [self.sign, self._read_in(args)]
        self.register_outputs({"bucket": self.bucket.id})

    def _private_bucket(self, name: str, region: str | None) -> tuple[aws.s3.Bucket, pulumi.Resource]:
        """One whose encryption is written down, for who has to prove it."""
        bucket, versions = private_bucket(name, app="shop", region=region, opts=self._child)
        encryption = {"apply_server_side_encryption_by_default": {"sse_algorithm": "AES256"}}
        aws.s3.BucketServerSideEncryptionConfiguration(
            name, bucket=bucket.id, region=region, rules=[encryption], opts=self._child
        )
        return bucket, versions

    def _live(self) -> None:
        """Read files are worth little after a month, reports after a year; old versions go after a week.

        What staff have made to take away is kept for a day, and so is what an upload left unfinished.
        """
        aws.s3.BucketLifecycleConfiguration(
            self._name,
            bucket=self.bucket.id,
            rules=[
                {
                    "id": "read",
                    "status": "Enabled",
                    "filter": {"prefix": "incoming/"},
                    "expiration": {"days": 30},
                    "noncurrent_version_expiration": {"noncurrent_days": 7},
                },
                {
                    "id": "exports",
                    "status": "Enabled",
                    "filter": {"prefix": "exports/"},
                    "expiration": {"days": 1},
                    "noncurrent_version_expiration": {"noncurrent_days": 1},
                },
                {
                    "id": "unfinished",
                    "status": "Enabled",
                    "filter": {"prefix": ""},
                    "abort_incomplete_multipart_upload": {"days_after_initiation": 1},
                },
                {
                    "id": "reports",
                    "status": "Enabled",
                    "filter": {"prefix": "reports/"},
                    "transitions": [{"days": 90, "storage_class": "STANDARD_IA"}],
                    "expiration": {"days": 365},
                },
            ],
            opts=self._child,
        )

    def _sign(self, args: UploadsArgs) -> Function:
        return Function(
            "sign",
            ShopFunctionArgs(
                handler="sign_upload",
                statements=[Statement(["s3:PutObject"], [self._below("incoming")])],
                environment={"UPLOADS_BUCKET": self.bucket.id},
                placement=args.placement,
            ),
            self._child,
        )

    def _read_in(self, args: UploadsArgs) -> Function:
        function = Function(
            "import",
            ShopFunctionArgs(
                handler="import_products",
                statements=[
                    Statement(["s3:GetObject"], [self._below("incoming")]),
                    Statement(["s3:PutObject"], [self._below("reports")]),
                    Statement(["dynamodb:PutItem", "dynamodb:UpdateItem"], [args.table.arn]),
                ],
                environment={"CATALOGUE_TABLE": args.table.name},
                placement=args.placement,
            ),
            self._child,
        )
        allowed = function.allow(self._name, "s3.amazonaws.com", self.bucket.arn)
        told = {"lambda_function_arn": function.arn, "events": ["s3:ObjectCreated:*"]}
        aws.s3.BucketNotification(
            self._name,
            bucket=self.bucket.id,
            lambda_functions=[{**told, "filter_prefix": "incoming/", "filter_suffix": ".csv"}],
            opts=pulumi.ResourceOptions(parent=self, depends_on=[allowed]),
        )
        return function

    def _below(self, folder: str) -> pulumi.Output[str]:
        return self.bucket.arn.apply(lambda arn: f"{arn}/{folder}/*")
