"""The RDS Data API runs real SQL: values of every kind, transactions, errors as the database gives them."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import pytest
from botocore.exceptions import ClientError

from harness.cloud.client import RunningCloud
from tests.integration.databases.conftest import PASSWORD, Aurora


class Sql:
    """Statements over the API."""

    def __init__(self, cloud: RunningCloud, resource: str, secret: str) -> None:
        self.api = cloud.target.client("rds-data", retries={"total_max_attempts": 1})
        self.where = {"resourceArn": resource, "secretArn": secret, "database": "orders"}

    def __call__(self, sql: str, *, options: dict[str, Any] | None = None, **values: Any) -> dict[str, Any]:
        parameters = [{"name": name, "value": value} for name, value in values.items()]
        return dict(self.api.execute_statement(**self.where, sql=sql, parameters=parameters, **options or {}))


@pytest.fixture(scope="module")
def sql(cloud: RunningCloud, aurora: Aurora) -> Iterator[Sql]:
    secret = cloud.target.client("secretsmanager").create_secret(
        Name="orders-db", SecretString=json.dumps({"username": "app", "password": PASSWORD})
    )["ARN"]
    one = Sql(cloud, aurora.described()["DBClusterArn"], secret)
    columns = "id int PRIMARY KEY, what text, price numeric(8,2), tags text[], at timestamptz, body bytea"
    one(f"CREATE TABLE line ({columns})")
    yield one
    one("DROP TABLE line")


def test_values_go_in_and_come_out_as_the_api_writes_them(sql: Sql) -> None:
    said = sql(
        "INSERT INTO line VALUES (:id, :what, :price::numeric, :tags, '2026-01-02 03:04:05Z', :body)",
        id={"longValue": 1},
        what={"stringValue": "100% :id tea"},
        price={"stringValue": "12.50"},
        tags={"arrayValue": {"stringValues": ["a", "b"]}},
        body={"blobValue": b"\x00\xff"},
    )
    assert said["numberOfRecordsUpdated"] == 1
    shown = sql("SELECT *, ':id' AS text, 1.5::float8 AS f FROM line WHERE id = :id", id={"longValue": 1},
                options={"includeResultMetadata": True})  # fmt: skip
    assert shown["records"] == [
        [
            {"longValue": 1}, {"stringValue": "100% :id tea"}, {"stringValue": "12.50"},
            {"arrayValue": {"stringValues": ["a", "b"]}}, {"stringValue": "2026-01-02 03:04:05+00"},
            {"blobValue": b"\x00\xff"}, {"stringValue": ":id"}, {"doubleValue": 1.5},
        ]
    ]  # fmt: skip
    assert [column["typeName"] for column in shown["columnMetadata"]][:3] == ["int4", "text", "numeric"]
    formatted = sql("SELECT id, NULL AS nothing FROM line", options={"formatRecordsAs": "JSON"})
    assert json.loads(formatted["formattedRecords"]) == [{"id": 1, "nothing": None}]


def test_a_transaction_is_seen_once_it_is_committed_and_never_when_it_is_rolled_back(sql: Sql) -> None:
    for how, expected in (("rollback_transaction", 0), ("commit_transaction", 1)):
        name = sql.api.begin_transaction(**sql.where)["transactionId"]
        sql("INSERT INTO line (id) VALUES (100)", options={"transactionId": name})
        assert sql("SELECT count(*) FROM line WHERE id = 100")["records"] == [[{"longValue": 0}]]
        getattr(sql.api, how)(
            resourceArn=sql.where["resourceArn"], secretArn=sql.where["secretArn"], transactionId=name
        )
        assert sql("SELECT count(*) FROM line WHERE id = 100")["records"] == [[{"longValue": expected}]]
    with pytest.raises(ClientError) as gone:
        sql("SELECT 1", options={"transactionId": name})
    assert gone.value.response["Error"]["Code"] == "TransactionNotFoundException"


def test_a_batch_is_applied_whole_or_not_at_all(sql: Sql) -> None:
    def batch(*ids: int) -> dict[str, Any]:
        sets = [[{"name": "id", "value": {"longValue": one}}] for one in ids]
        insert = "INSERT INTO line (id) VALUES (:id)"
        return dict(sql.api.batch_execute_statement(**sql.where, sql=insert, parameterSets=sets))

    assert len(batch(201, 202)["updateResults"]) == 2
    with pytest.raises(ClientError) as twice:
        batch(203, 201)
    assert twice.value.response["Error"]["Code"] == "DatabaseErrorException"
    assert "SQLState: 23505" in twice.value.response["Error"]["Message"]
    assert sql("SELECT id FROM line WHERE id > 200 ORDER BY id")["records"] == [
        [{"longValue": 201}],
        [{"longValue": 202}],
    ]


def test_unknown_clusters_and_secrets_are_refused_as_aws_refuses_them(sql: Sql) -> None:
    for change, code in (
        ({"resourceArn": sql.where["resourceArn"] + "x"}, "DatabaseNotFoundException"),
        ({"secretArn": "arn:aws:secretsmanager:us-east-1:000000000000:secret:none-abcdef"}, "SecretsErrorException"),
    ):
        with pytest.raises(ClientError) as refused:
            sql.api.execute_statement(**{**sql.where, **change}, sql="SELECT 1")
        assert refused.value.response["Error"]["Code"] == code


def test_the_secret_is_read_with_the_callers_permissions(cloud: RunningCloud, sql: Sql) -> None:
    """Who may call the API but not read the secret is refused, by the secret's name; then it may."""
    iam = cloud.target.client("iam")
    iam.create_user(UserName="clerk")
    key = iam.create_access_key(UserName="clerk")["AccessKey"]
    clerk = boto3.client(
        "rds-data", region_name="us-east-1", endpoint_url=cloud.target.endpoint,
        aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
    )  # fmt: skip

    def let(*allowed: tuple[str, str]) -> None:
        statements = [{"Effect": "Allow", "Action": action, "Resource": arn} for arn, action in allowed]
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        iam.put_user_policy(UserName="clerk", PolicyName="data", PolicyDocument=document)

    execute = (sql.where["resourceArn"], "rds-data:ExecuteStatement")
    let(execute)
    with pytest.raises(
        ClientError, match=f"secretsmanager:GetSecretValue on resource: {sql.where['secretArn']}"
    ) as no:
        clerk.execute_statement(**sql.where, sql="SELECT 1")
    assert no.value.response["Error"]["Code"] == "AccessDeniedException"
    let(execute, (sql.where["secretArn"], "secretsmanager:GetSecretValue"))
    assert clerk.execute_statement(**sql.where, sql="SELECT 1")["records"] == [[{"longValue": 1}]]
