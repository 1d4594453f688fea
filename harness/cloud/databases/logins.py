"""Logins by IAM tokens instead of passwords: who must use one, and whether it is good.

As on RDS, a user with the role `rds_iam` gets in with a token and no other way once the database allows IAM
authentication. The endpoint asks for the token in clear text, inside TLS, as RDS's PAM does, and then lets the
session in through the server's own socket file, which only this machine's owner reaches. Source:
https://docs.aws.amazon.com/AmazonRDS/latest/AuroraUserGuide/UsingWithRDS.IAMDBAuth.html
"""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from urllib.parse import parse_qs, urlsplit

from harness.cloud.databases import emulated
from harness.cloud.databases.link import Target

_INVALID_AUTHORIZATION = "28000"
ASK_FOR_PASSWORD = b"R" + struct.pack("!II", 8, 3)
"""AuthenticationCleartextPassword: https://www.postgresql.org/docs/18/protocol-message-formats.html"""


class Backend(Target, Protocol):
    """A server behind an endpoint."""

    @property
    def door(self) -> str:
        """PostgreSQL's socket file, for sessions that are let in without its own authentication; '' for others."""
        ...

    def has_role(self, user: str, role: str) -> bool:
        """Whether a user of PostgreSQL has a role; False where there is no such user. It asks the server."""
        ...


class LoginError(Exception):
    """A login is refused, in PostgreSQL's words."""

    def wire(self) -> bytes:
        """As an ErrorResponse."""
        fields = (("S", "FATAL"), ("V", "FATAL"), ("C", _INVALID_AUTHORIZATION), ("M", str(self)))
        body = b"".join(f"{name}{value}".encode() + b"\0" for name, value in fields) + b"\0"
        return b"E" + struct.pack("!I", len(body) + 4) + body


@dataclass(frozen=True, slots=True, kw_only=True)
class Logins:
    """Those of one cluster or DB instance; `record` is its live one."""

    account: str
    region: str
    record: Mapping[str, Any]

    @property
    def on(self) -> bool:
        """Whether IAM authentication is enabled."""
        return bool(self.record.get("IAMDatabaseAuthenticationEnabled"))

    def needs_token(self, target: Backend, user: str) -> bool:
        """Whether this user must log in by a token. Asks the server: not for an event loop's thread."""
        return target.has_role(user, "rds_iam")

    @staticmethod
    def require_tls(user: str, database: str, *, secure: bool) -> None:
        """A token is not sent in the clear.

        Raises:
            LoginError: it would be.
        """
        if not secure:
            said = f'host "127.0.0.1", user "{user}", database "{database}", no encryption'
            raise LoginError(f"pg_hba.conf rejects connection for {said}")

    def check(self, user: str, token: str, port: int) -> None:
        """See that a token is signed for this user and port, and that IAM allows it. Not for a loop's thread.

        Raises:
            LoginError: it is not.
        """
        host, _, query = token.partition("/?")
        asked = parse_qs(query, keep_blank_values=True)
        whose = (asked.get("Action"), asked.get("DBUser"), urlsplit(f"//{host}").port)
        fits = whose == (["connect"], [user], port)
        resource = self.record.get("DbClusterResourceId") or self.record.get("DbiResourceId")
        arn = f"arn:aws:rds-db:{self.region}:{self.account}:dbuser:{resource}/{user}"
        if not fits or not emulated.may_connect((self.account, self.region), host, asked, arn):
            raise LoginError(f'PAM authentication failed for user "{user}"')


def user_of(startup: bytes) -> tuple[str, str]:
    """User and database in a startup message without its head."""
    words = startup.split(b"\0")
    given = dict(zip(words[::2], words[1::2], strict=False))
    user = given.get(b"user", b"").decode(errors="replace")
    return user, given.get(b"database", user.encode()).decode(errors="replace")
