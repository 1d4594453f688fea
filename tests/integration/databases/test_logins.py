"""IAM database authentication: a token instead of a password, for who may have one and for nobody else."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import boto3
import psycopg
import pytest

from harness.cloud.client import RunningCloud
from tests.integration.databases.conftest import PASSWORD


class Database:
    """A DB instance with IAM authentication and a user `reports` who logs in by it."""

    def __init__(self, cloud: RunningCloud) -> None:
        self.cloud, rds = cloud, cloud.target.client("rds")
        made = rds.create_db_instance(
            DBInstanceIdentifier="tokens", Engine="postgres", DBInstanceClass="db.t4g.micro", AllocatedStorage=20,
            MasterUsername="app", MasterUserPassword=PASSWORD, DBName="orders", EnableIAMDatabaseAuthentication=True,
        )["DBInstance"]  # fmt: skip
        self.host, self.port, self.id = made["Endpoint"]["Address"], made["Endpoint"]["Port"], made["DbiResourceId"]
        with self.connect("app", PASSWORD) as master:  # who has no rds_iam logs in as ever
            master.execute("CREATE ROLE reports LOGIN PASSWORD 'unused'")
            master.execute("GRANT rds_iam TO reports")

    def connect(self, user: str, password: str, **options: Any) -> psycopg.Connection[Any]:
        given = {"host": self.host, "port": self.port, "dbname": "orders", "connect_timeout": 30, **options}
        return psycopg.connect(user=user, password=password, autocommit=True, **given)

    def token(self, user: str, *, allowed: str = "", port: int = 0) -> str:
        """One of an IAM user who may connect as `allowed` (a DB user), or, without, of nobody in particular."""
        iam, name = self.cloud.target.client("iam"), f"u-{allowed or 'none'}"
        if name not in {one["UserName"] for one in iam.list_users()["Users"]}:
            iam.create_user(UserName=name)
            arn = f"arn:aws:rds-db:us-east-1:{self.cloud.target.account_id}:dbuser:{self.id}/{allowed}"
            allow = {"Effect": "Allow", "Action": "rds-db:connect", "Resource": arn}
            document = json.dumps({"Version": "2012-10-17", "Statement": [allow]})
            iam.put_user_policy(UserName=name, PolicyName="db", PolicyDocument=document)
        key = iam.create_access_key(UserName=name)["AccessKey"]
        rds = boto3.client(
            "rds", region_name="us-east-1", endpoint_url=self.cloud.target.endpoint,
            aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"],
        )  # fmt: skip
        return str(rds.generate_db_auth_token(self.host, port or self.port, user, Region="us-east-1"))


@pytest.fixture(scope="module")
def database(cloud: RunningCloud) -> Iterator[Database]:
    made = Database(cloud)
    yield made
    cloud.target.client("rds").delete_db_instance(DBInstanceIdentifier="tokens", SkipFinalSnapshot=True)


def test_a_token_logs_its_user_in_over_tls(database: Database) -> None:
    token = database.token("reports", allowed="reports")
    with database.connect("reports", token, sslmode="require") as session:
        row = session.execute("SELECT session_user, current_database(), pg_backend_pid() > 0").fetchone()
        assert row == ("reports", "orders", True)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute("CREATE DATABASE mine")
    with database.connect("reports", token, sslmode="require") as again:  # good for 15 minutes
        assert again.execute("SELECT 1").fetchone() == (1,)


def test_every_other_way_in_is_refused_in_postgresqls_words(database: Database) -> None:
    good = database.token("reports", allowed="reports")
    wrong = {
        "a password": "unused",
        "another's permission": database.token("reports", allowed="app"),
        "another port": database.token("reports", allowed="reports", port=database.port + 1),
        "another user": database.token("app", allowed="reports"),
        "a signature of nobody": good[:-4] + ("0000" if good[-4:] != "0000" else "1111"),
    }
    for why, token in wrong.items():
        with pytest.raises(psycopg.OperationalError) as refused:
            database.connect("reports", token, sslmode="require")
        assert 'FATAL:  PAM authentication failed for user "reports"' in str(refused.value), why
    with pytest.raises(psycopg.OperationalError, match="pg_hba.conf rejects connection for host .* no encryption"):
        database.connect("reports", good, sslmode="disable")
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "app"'):
        database.connect("app", good, sslmode="require")
    with pytest.raises(psycopg.OperationalError, match='password authentication failed for user "nobody"'):
        database.connect("nobody", good, sslmode="require")
