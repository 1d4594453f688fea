"""What a new database holds: the master user, RDS's roles and the first database."""

from __future__ import annotations

from dataclasses import dataclass, field

from harness.cloud.databases.postgres import Postgres


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The master user of a cluster and the name of its first database ('' for none)."""

    user: str
    password: str = field(repr=False)
    database: str = ""


def set_up(server: Postgres, owner: Owner) -> None:
    """Make roles and the first database, as RDS does. The master user is no superuser, as on RDS.

    Source: https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/Appendix.PostgreSQL.CommonDBATasks.Roles.html
    """
    from psycopg import sql

    user = sql.Identifier(owner.user)
    statements = [
        sql.SQL("CREATE ROLE rds_superuser NOLOGIN IN ROLE pg_monitor, pg_signal_backend, pg_checkpoint"),
        sql.SQL("CREATE ROLE rds_replication NOLOGIN"),
        sql.SQL("CREATE ROLE rds_iam NOLOGIN"),
        sql.SQL("CREATE ROLE {} LOGIN CREATEDB CREATEROLE PASSWORD {} IN ROLE rds_superuser").format(
            user, sql.Literal(owner.password)
        ),
        sql.SQL("GRANT rds_iam, rds_replication TO {} WITH ADMIN OPTION, INHERIT FALSE").format(user),
    ]
    if owner.database and owner.database != "postgres":
        statements.append(sql.SQL("CREATE DATABASE {} OWNER {}").format(sql.Identifier(owner.database), user))
    else:
        statements.append(sql.SQL("ALTER DATABASE postgres OWNER TO {}").format(user))
    server.run(statements)


def set_password(server: Postgres, user: str, password: str) -> None:
    """Change a user's password."""
    from psycopg import sql

    server.run([sql.SQL("ALTER ROLE {} PASSWORD {}").format(sql.Identifier(user), sql.Literal(password))])
