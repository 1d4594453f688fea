"""The RDS Data API: SQL over HTTP, run for real on the cluster's writer through the cluster endpoint.

Source: https://docs.aws.amazon.com/rdsdataservice/latest/APIReference/
"""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.cloud.databases import emulated, fields
from harness.cloud.databases.emulated import Proceed, ServiceAnswer, ServiceCall
from harness.cloud.databases.rds import Rds
from harness.cloud.models import Models
from harness.cloud.wire_errors import wire_error

if TYPE_CHECKING:
    from psycopg import Connection, Cursor

_IDLE_S = 180.0
"""A transaction without a call for three minutes is rolled back (BeginTransaction's page)."""
_STATEMENT_S = 45
"""A call is given up after 45 seconds (ExecuteStatement's page)."""

_MODELS = Models()
Body = Mapping[str, Any]  # the request's JSON


class DataApiError(Exception):
    """An error of the API: its name, and what it says."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(slots=True)
class _Transaction:
    connection: Connection[Any]
    resource: str
    used_s: float
    lock: threading.Lock = field(default_factory=threading.Lock)


@dataclass(slots=True)
class DataApi:
    """The API of one cloud. Its transactions are connections of ours."""

    rds: Rds
    _transactions: dict[str, _Transaction] = field(default_factory=dict)

    async def answer(self, call: ServiceCall, proceed: Proceed) -> ServiceAnswer:
        """Answer one call."""
        operation = self._operations().get(call.path)
        if operation is None:
            return await proceed(call)
        try:
            body = json.loads(call.body or b"{}")
            _may_read_secret(call, body)
            said = await asyncio.to_thread(operation, body)
        except DataApiError as error:
            wire = wire_error(_MODELS, "rds-data", "rest", code=error.code, message=str(error))
            return wire.status, {"Content-Type": wire.content_type, **dict(wire.headers)}, wire.body
        return 200, {"Content-Type": "application/json"}, json.dumps(said).encode()

    def _operations(self) -> Mapping[str, Callable[[Body], dict[str, Any]]]:
        return {
            "/Execute": self._execute,
            "/BatchExecute": self._batch,
            "/BeginTransaction": self._begin,
            "/CommitTransaction": lambda body: self._end(body, "commit", "Transaction Committed"),
            "/RollbackTransaction": lambda body: self._end(body, "rollback", "Rollback Complete"),
        }

    def _execute(self, body: Body) -> dict[str, Any]:
        def work(cursor: Cursor[Any]) -> dict[str, Any]:
            cursor.execute(*fields.statement(body.get("sql", ""), body.get("parameters") or ()))
            return fields.result(cursor, body)

        return self._with_cursor(body, work)

    def _batch(self, body: Body) -> dict[str, Any]:
        def work(cursor: Cursor[Any]) -> dict[str, Any]:
            sets = body.get("parameterSets") or [()]
            for parameters in sets:
                cursor.execute(*fields.statement(body.get("sql", ""), parameters))
            return {"updateResults": [{"generatedFields": []} for _ in sets]}

        return self._with_cursor(body, work)

    def _begin(self, body: Body) -> dict[str, Any]:
        connection = self._connect(body, autocommit=False)
        name = str(uuid.uuid4())
        self._drop_idle()
        self._transactions[name] = _Transaction(connection, body["resourceArn"], time.monotonic())
        return {"transactionId": name}

    def _end(self, body: Body, how: str, status: str) -> dict[str, Any]:
        import psycopg

        transaction = self._transaction(body, "NotFoundException")
        del self._transactions[body["transactionId"]]
        try:
            with transaction.lock:
                getattr(transaction.connection, how)()
        except psycopg.Error as error:
            raise _said(error) from error
        finally:
            transaction.connection.close()
        return {"transactionStatus": status}

    def _with_cursor(self, body: Body, work: Callable[[Cursor[Any]], dict[str, Any]]) -> dict[str, Any]:
        import psycopg

        try:
            if body.get("transactionId"):
                transaction = self._transaction(body, "TransactionNotFoundException")
                with transaction.lock, transaction.connection.cursor() as cursor:
                    return work(cursor)
            connection = self._connect(body, autocommit=not body.get("parameterSets"))
            with connection, connection.cursor() as cursor:  # commits, or rolls a failed batch back
                return work(cursor)
        except psycopg.Error as error:
            raise _said(error) from error

    def _transaction(self, body: Body, code: str) -> _Transaction:
        self._drop_idle()
        found = self._transactions.get(body.get("transactionId", ""))
        if found is None or found.resource != body.get("resourceArn"):
            raise DataApiError(code, f"Transaction {body.get('transactionId')} is not found")
        found.used_s = time.monotonic()
        return found

    def _connect(self, body: Body, *, autocommit: bool) -> Connection[Any]:
        import psycopg

        cluster, record = self._cluster(body.get("resourceArn", ""))
        user, password, refused = emulated.data_api_credentials(body.get("secretArn", ""))
        if refused:
            raise DataApiError(*refused)
        try:
            return psycopg.connect(
                host=cluster.writer_endpoint.host,
                port=cluster.writer_endpoint.port,
                user=user or record.get("MasterUsername"),
                password=password,
                dbname=body.get("database") or record.get("DatabaseName") or "postgres",
                sslmode="disable",
                connect_timeout=30,
                options=f"-c statement_timeout={_STATEMENT_S}s",
                autocommit=autocommit,
            )
        except psycopg.Error as error:
            raise _said(error) from error

    def _cluster(self, arn: str) -> tuple[Any, Mapping[str, Any]]:
        parts = arn.split(":")
        is_cluster = len(parts) == 7 and parts[5] == "cluster"
        found = self.rds.found((parts[4], parts[3], "cluster", parts[6])) if is_cluster else None
        if found is None:
            raise DataApiError("DatabaseNotFoundException", f"DB cluster {arn} doesn't exist")
        if not found[1].get("HttpEndpointEnabled"):
            raise DataApiError("HttpEndpointNotEnabledException", f"HttpEndpoint is not enabled for cluster {arn}")
        return found

    def _drop_idle(self) -> None:
        for name, one in list(self._transactions.items()):
            if time.monotonic() - one.used_s > _IDLE_S:
                del self._transactions[name]
                one.connection.close()

    def reset(self) -> None:
        """Roll every open transaction back."""
        for one in self._transactions.values():
            one.connection.close()
        self._transactions.clear()


def _may_read_secret(call: ServiceCall, body: Body) -> None:
    """The secret is read with the caller's permissions.

    https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/data-api.access.html
    """
    if body.get("secretArn") and (refused := emulated.may_not_read(call, body["secretArn"])):
        raise DataApiError("AccessDeniedException", refused)


def _said(error: Exception) -> DataApiError:
    """What the API says for an error of the database: the server's message and its SQLState."""
    state = getattr(error, "sqlstate", None)
    if state is None:
        return DataApiError("DatabaseUnavailableException", f"The database does not answer: {error}".strip())
    if state == "57014":
        return DataApiError("StatementTimeoutException", str(error).strip())
    return DataApiError("DatabaseErrorException", f"ERROR: {str(error).strip()}; SQLState: {state}")
