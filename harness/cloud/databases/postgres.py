"""One PostgreSQL server: a process on a data folder, primary or standby. Knows nothing of AWS."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import psutil

from harness import processes
from harness.cloud.databases.programs import owner, postgres_program, prefix
from harness.cloud.databases.template import ADMIN
from harness.errors import NotReadyError

HOST = "127.0.0.1"
_START_S = 20.0
_POLL_S = 0.01

Role = Literal["primary", "standby", "recovery"]
"""primary: takes writes. standby: follows a primary. recovery: replays what is archived, then becomes a primary."""


@dataclass(slots=True, kw_only=True)
class Postgres:
    """A server on `data`. Not safe from several threads, but `kill` may be called from any.

    Args:
        name: for logs and the process registry.
        data: the data folder; exists before `start`.
        password: of the superuser `rdsadmin`.
        on_exit: called, from a thread of its own, when the process ended without `stop` being asked.
    """

    name: str
    data: Path
    registry: Path
    log: Path
    password: str = field(repr=False)
    on_exit: Callable[[Postgres], None]
    port: int = 0
    _process: subprocess.Popen[bytes] | None = None
    _expected: bool = True  # the end of the present process was asked for

    @property
    def pid(self) -> int:
        """The process id of the server; 0 when it does not run."""
        return self._process.pid if self._process is not None and self._process.returncode is None else 0

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self.pid != 0

    def start(self, settings: Mapping[str, str], role: Role) -> None:
        """Start and return once it takes connections.

        Raises:
            NotReadyError: it does not; the message has the end of its log.
        """
        self._write_role(settings, role)
        (self.data / "postmaster.pid").unlink(missing_ok=True)
        self.port = free_port()
        self.log.parent.mkdir(parents=True, exist_ok=True)
        with self.log.open("ab") as log:
            self._process = processes.spawn(
                [*prefix(), str(postgres_program("postgres")), "-D", str(self.data), "-p", str(self.port)],
                role=f"postgres {self.name}",
                registry=self.registry,
                env={"PATH": os.environ.get("PATH", "/usr/bin:/bin"), "LC_ALL": "C.UTF-8", "TZ": "UTC"},
                stdout=log,
                stderr=log,
            )
        self._expected = False
        watcher = threading.Thread(target=self._watch, args=(self._process,), name=f"pg-{self.name}", daemon=True)
        watcher.start()
        self._await_ready(self._process)

    def _await_ready(self, process: subprocess.Popen[bytes]) -> None:
        status, deadline_s = self.data / "postmaster.pid", time.monotonic() + _START_S
        while time.monotonic() < deadline_s and self._process is process and process.returncode is None:
            with contextlib.suppress(OSError, IndexError):
                if status.read_text().splitlines()[7].strip() in {"ready", "standby"} and self._answers():
                    return
            time.sleep(_POLL_S)
        tail = self.log.read_text(errors="replace")[-600:]
        raise NotReadyError(f"{self.name} does not start: {tail.strip()}", where=str(self.data))

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

    def _write_settings(self, settings: Mapping[str, str]) -> None:
        lines = [f"{key} = '{value.replace(chr(39), chr(39) * 2)}'" for key, value in settings.items()]
        _write(self.data / "postgresql.auto.conf", "\n".join(lines) + "\n")

    def configure(self, settings: Mapping[str, str]) -> None:
        """Replace the changing settings of a running server."""
        self._write_settings(settings)
        self._signal(signal.SIGHUP)

    def promote(self) -> None:
        """Make a standby the primary once it has replayed what it can reach; returns when it takes writes.

        Raises:
            NotReadyError: it does not.
        """
        _write(self.data / "promote", "")
        self._signal(signal.SIGUSR1)
        self.await_writable()

    def await_writable(self) -> None:
        """Return once recovery is over.

        Raises:
            NotReadyError: it does not end.
        """
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s and self.alive:
            if self.query("SELECT pg_is_in_recovery()") == [(False,)]:
                return
            time.sleep(_POLL_S)
        raise NotReadyError(f"{self.name} does not become writable", where=str(self.log))

    def follow(self, primary: Postgres) -> None:
        """Return once this standby has replayed what the primary has written by now.

        Raises:
            NotReadyError: it does not get there.
        """
        ((position,),) = primary.query("SELECT pg_current_wal_lsn()::text")
        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s and self.alive:
            if self.query("SELECT pg_last_wal_replay_lsn() >= %s::pg_lsn", parameters=(position,)) == [(True,)]:
                return
            time.sleep(_POLL_S)
        raise NotReadyError(f"{self.name} does not catch up with {primary.name}", where=str(self.log))

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

    def replication_address(self, port: int = 0) -> str:
        """`primary_conninfo` for a standby of this server; `port` leads through a link instead."""
        parts = {"host": HOST, "port": port or self.port, "user": ADMIN, "password": self.password}
        return " ".join(f"{key}={value}" for key, value in {**parts, "sslmode": "disable"}.items())

    def stop(self) -> None:
        """End in order: sessions end, what was committed is sent to the standbys."""
        process = self._process
        self._expected = True
        if process is None or process.returncode is not None:
            return
        self._signal(signal.SIGINT)  # a fast shutdown
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(5)
        self.kill()

    def kill(self) -> bool:
        """End at once, with every process of this server; True when it was alive. May be repeated."""
        self._expected, was_alive = True, self.alive
        self._kill_all()
        return was_alive

    def crash(self) -> bool:
        """End at once as if nobody had asked: `on_exit` is called. True when it was alive."""
        was_alive = self.alive
        self._kill_all()
        return was_alive

    def _kill_all(self) -> None:
        # Each child of a postmaster leads a session of its own, so the group's signal does not reach it.
        process = self._process
        doomed = list(_family(process.pid)) if process is not None and process.returncode is None else []
        if process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(process.pid, signal.SIGKILL) if process.returncode is None else None
        for child in doomed or _strays(self.data):
            with contextlib.suppress(psutil.Error):
                child.kill()
        if process is not None:
            process.wait()

    def remove(self) -> None:
        """Kill and delete the data folder."""
        self.kill()
        shutil.rmtree(self.data, ignore_errors=True)

    def _signal(self, number: signal.Signals) -> None:
        if self._process is not None and self._process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self._process.pid, number)

    def _watch(self, process: subprocess.Popen[bytes]) -> None:
        process.wait()
        processes.forget(self.registry, process.pid)
        if not self._expected and self._process is process:
            self.on_exit(self)


def _family(pid: int) -> list[psutil.Process]:
    with contextlib.suppress(psutil.Error):
        return list(psutil.Process(pid).children(recursive=True))
    return []


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


def free_port() -> int:
    """A port of the loopback interface that nobody listens on now."""
    with socket.socket() as probe:
        probe.bind((HOST, 0))
        return int(probe.getsockname()[1])
