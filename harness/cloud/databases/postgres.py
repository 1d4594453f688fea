"""One PostgreSQL server: a process on a data folder, primary or standby. Knows nothing of AWS."""

from __future__ import annotations

import contextlib
import hashlib
import os
import shlex
import shutil
import signal
import socket
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from harness.cloud.databases.programs import owner, postgres_program, prefix
from harness.cloud.databases.template import ADMIN
from harness.cloud.databases.watched import Watched
from harness.cloud.loop_thread import HOST, free_port
from harness.errors import NotReadyError

_START_S = 60.0
_POLL_S = 0.01
_LONGEST_FOLDER = 80

Role = Literal["primary", "standby", "recovery"]
"""primary: takes writes. standby: follows a primary. recovery: replays what is archived, then becomes a primary."""


@dataclass(slots=True, kw_only=True)
class Postgres:
    """A server on `data`. Not safe from several threads, but `kill` and `crash` may be called from any.

    Args:
        process: the server's process, with its log.
        data: the data folder; exists before `start`.
        password: of the superuser `rdsadmin`.
    """

    process: Watched
    data: Path
    password: str = field(repr=False)
    port: int = 0

    @property
    def name(self) -> str:
        """For messages."""
        return self.process.name

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self.process.pid != 0

    def start(self, settings: Mapping[str, str], role: Role) -> None:
        """Start and return once it takes connections.

        Raises:
            NotReadyError: it does not; the message has the end of its log.
        """
        self._write_role(settings, role)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self._sockets.mkdir(mode=0o700, parents=True, exist_ok=True)
        shutil.chown(self._sockets, *owner())
        self.port = free_port()
        self.process.start(
            [*prefix(), str(postgres_program("postgres")), "-D", str(self.data), "-p", str(self.port)],
            env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
        )
        self._await_ready()

    def _await_ready(self) -> None:
        status, deadline_s = self.data / "postmaster.pid", time.monotonic() + _START_S
        while time.monotonic() < deadline_s and self.alive:
            with contextlib.suppress(OSError, IndexError):
                if status.read_text().splitlines()[7].strip() in {"ready", "standby"} and self._answers():
                    return
            time.sleep(_POLL_S)
        raise NotReadyError(f"{self.name} does not start: {self.process.tail()}", where=str(self.data))

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), socket.create_connection((HOST, self.port), 1):
            return True
        return False

    def _write_role(self, settings: Mapping[str, str], role: Role) -> None:
        for other in ("standby", "recovery"):
            (self.data / f"{other}.signal").unlink(missing_ok=True)
        if role != "primary":
            _write(self.data / f"{role}.signal", "")
        self._write_settings(settings)

    @property
    def socket_file(self) -> Path:
        """Where a session comes in that an endpoint has checked."""
        return self._sockets / f".s.PGSQL.{self.port}"

    @property
    def _sockets(self) -> Path:
        """A short path: 103 bytes are all that a socket's may have (macOS; Linux 107)."""
        near = self.data.parents[3] / "sockets"
        digest = hashlib.sha256(str(near).encode()).hexdigest()[:12]
        return near if len(str(near)) <= _LONGEST_FOLDER else Path(tempfile.gettempdir()) / f"blackstart-{digest}"

    def _write_settings(self, settings: Mapping[str, str]) -> None:
        settings = {**settings, "unix_socket_directories": str(self._sockets)}
        lines = [f"{key} = '{value.replace(chr(39), chr(39) * 2)}'" for key, value in settings.items()]
        _write(self.data / "postgresql.auto.conf", "\n".join(lines) + "\n")

    def configure(self, settings: Mapping[str, str]) -> None:
        """Replace the changing settings of a running server."""
        self._write_settings(settings)
        self.process.send(signal.SIGHUP)

    def promote(self) -> None:
        """Make a standby the primary once it has replayed what it can reach; returns when it takes writes.

        Raises:
            NotReadyError: it does not.
        """
        _write(self.data / "promote", "")
        self.process.send(signal.SIGUSR1)
        self.await_writable()

    def await_writable(self) -> None:
        """Return once recovery is over.

        Raises:
            NotReadyError: it does not end.
        """
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s and self.alive:
            if self._asked("SELECT pg_is_in_recovery()") == [(False,)]:
                return
            time.sleep(_POLL_S)
        raise NotReadyError(f"{self.name} does not become writable", where=str(self.process.log))

    def follow(self, primary: Postgres) -> None:
        """Return once this standby has replayed what the primary has written by now, or the primary is gone.

        Raises:
            NotReadyError: it does not get there.
        """
        ((position,),) = primary.query("SELECT pg_current_wal_lsn()::text")
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s and self.alive and primary.alive:
            if self._asked("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", position) == [(True,)]:
                return
            time.sleep(_POLL_S)
        if primary.alive:
            raise NotReadyError(f"{self.name} does not catch up with {primary.name}", where=str(self.process.log))

    def await_replayed(self, position: str) -> bool:
        """Return once this standby has replayed the WAL record at `position`; False when it does not get there."""
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s and self.alive:
            if self._asked("SELECT pg_last_wal_replay_lsn() > %s::pg_lsn", position) == [(True,)]:
                return True
            time.sleep(_POLL_S)
        return False

    def finish_segment(self) -> str:
        """Begin a new WAL segment; returns its name. All that was committed is in finished ones before it.

        A commit of this instant is among them: restoring to an instant needs one that lies beyond it.
        """
        self.query("SELECT pg_logical_emit_message(true, 'blackstart', 'saved')")
        self.query("SELECT pg_switch_wal()")
        ((name,),) = self.query("SELECT pg_walfile_name(pg_current_wal_insert_lsn() + 1)")
        return str(name)

    def await_streaming(self, within_s: float) -> bool:
        """Return once this standby has replayed what its storage holds and follows its source, or time is over."""
        deadline_s = time.monotonic() + within_s
        while time.monotonic() < deadline_s and self.alive:
            if self._asked("SELECT status FROM pg_stat_wal_receiver") == [("streaming",)]:
                return True
            time.sleep(_POLL_S)
        return False

    def query(
        self, sql: Any, *, database: str = "postgres", parameters: tuple[Any, ...] = ()
    ) -> list[tuple[Any, ...]]:
        """Rows of one statement, run as the superuser in its own transaction; [] when it returns none.

        Raises:
            psycopg.Error: the server is gone or refuses.
        """
        import psycopg

        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(sql, parameters or None)
            return cursor.fetchall() if cursor.description else []

    def _asked(self, sql: str, *parameters: Any) -> list[tuple[Any, ...]]:
        """As `query`, for who asks again: [] while the server takes no connections, as one does that just starts."""
        import psycopg

        with contextlib.suppress(psycopg.OperationalError):
            return self.query(sql, parameters=parameters)
        return []

    def run(self, statements: Sequence[Any]) -> None:
        """Run statements as the superuser, each on its own.

        Raises:
            psycopg.Error: the server is gone or refuses.
        """
        import psycopg

        with psycopg.connect(self.address(), autocommit=True) as connection:
            for statement in statements:
                connection.execute(statement)

    def address(self, database: str = "postgres") -> str:
        """A connection string of the superuser, past every endpoint."""
        parts = {"host": HOST, "port": self.port, "user": ADMIN, "password": self.password, "sslmode": "disable"}
        return " ".join(f"{key}={value}" for key, value in {**parts, "dbname": shlex.quote(database)}.items())

    def replication_address(self) -> str:
        """`primary_conninfo` for a standby of this server."""
        return replication_address(self.port, self.password)

    def received(self) -> int:
        """How many bytes of the primary's stream a standby has."""
        ((position,),) = self.query("SELECT pg_wal_lsn_diff(pg_last_wal_receive_lsn(), '0/0')::int8")
        return int(position or 0)

    def stop(self, *, within_s: float = 5.0) -> None:
        """End in order: sessions end, the standbys get all that was committed; at once when that takes too long."""
        self.process.stop(signal.SIGINT, within_s=within_s)  # a fast shutdown

    def kill(self) -> bool:
        """End at once, with every process of this server; True when it was alive. May be repeated."""
        was_alive = self.process.kill()
        if not was_alive:
            for stray in _strays(self.data):
                with contextlib.suppress(psutil.Error):
                    stray.kill()
        return was_alive

    def crash(self) -> bool:
        """End at once as if nobody had asked: `on_exit` is called. True when it was alive."""
        return self.process.kill(expected=False)

    def remove(self) -> None:
        """Kill and delete the data folder."""
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)


def replication_address(port: int, password: str, name: str = "standby") -> str:
    """`primary_conninfo` for a standby that reaches its source on `port` and calls itself `name`."""
    parts = {"host": HOST, "port": port, "user": ADMIN, "password": password, "application_name": f"'{name}'"}
    return " ".join(f"{key}={value}" for key, value in {**parts, "sslmode": "disable"}.items())


def _strays(data: Path) -> list[psutil.Process]:
    """Children whose postmaster was killed by somebody else; they work in the data folder."""
    found = []
    for process in psutil.process_iter():
        with contextlib.suppress(psutil.Error, OSError):
            if process.ppid() == 1 and process.cwd() == str(data):
                found.append(process)
    return found


def _write(path: Path, text: str) -> None:
    path.write_text(text)
    path.chmod(0o600)
    shutil.chown(path, *owner())
