"""POST /orders: keep what was sent, in this region."""

import os

import boto3
from botocore.config import Config

_PATIENCE = Config(connect_timeout=0.5, read_timeout=0.5, retries={"mode": "standard", "total_max_attempts": 2})
table = boto3.resource("dynamodb", config=_PATIENCE).Table(os.environ["TABLE"])


def handler(event, _context):
    table.put_item(Item={"key": event["headers"]["idempotency-key"]})
    return {"statusCode": 201, "body": "{}"}
