"""One Valkey server: primary or replica. Knows nothing of AWS."""

from __future__ import annotations

import shutil
import signal
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from harness.cloud.databases.programs import valkey_program
from harness.cloud.databases.watched import Watched
from harness.cloud.loop_thread import HOST, free_port
from harness.errors import NotReadyError

if TYPE_CHECKING:
    from valkey import Valkey as Client

_START_S = 60.0
_POLL_S = 0.005


@dataclass(slots=True, kw_only=True)
class Valkey:
    """A server that keeps everything in memory. `kill` and `crash` may be called from any thread.

    Args:
        process: the server's process, with its log.
        folder: its working folder.
        password: AUTH token; '' for none.
    """

    process: Watched
    folder: Path
    password: str = field(default="", repr=False)
    port: int = 0

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self.process.pid != 0

    def start(self, primary_port: int = 0) -> None:
        """Start empty, as a replica of the server on `primary_port` or as a primary; returns once it answers.

        Raises:
            NotReadyError: it does not; the message has the end of its log.
        """
        self.port = free_port()
        self.folder.mkdir(parents=True, exist_ok=True)
        # A full synchronisation that waits for more replicas (5 s by default) would be taken for recovery time.
        options = {
            "bind": HOST, "port": self.port, "save": "", "appendonly": "no", "dir": self.folder,
            "repl-diskless-sync": "yes", "repl-diskless-sync-delay": 0, "repl-ping-replica-period": 1,
            "repl-backlog-size": "16mb", "maxmemory": "256mb", "hz": 5, "io-threads": 1,
        }  # fmt: skip
        argv = [str(valkey_program())]
        for option, value in options.items():
            argv += [f"--{option}", str(value)]
        if self.password:
            argv += ["--requirepass", self.password, "--masterauth", self.password]
        if primary_port:
            argv += ["--replicaof", HOST, str(primary_port)]
        self.process.start(argv, cwd=self.folder)
        self._await(lambda: bool(self.client().ping()), "does not start")

    def client(self) -> Client:
        """A client past every endpoint; each call makes one."""
        import valkey

        return valkey.Valkey(
            host=HOST, port=self.port, password=self.password or None, socket_timeout=30, decode_responses=True
        )

    def replication(self) -> dict[str, Any]:
        """What `INFO replication` says; empty when the server is gone."""
        import valkey

        try:
            with self.client() as client:
                return dict(client.info("replication"))
        except valkey.ValkeyError:
            return {}

    @property
    def offset(self) -> int:
        """How many bytes of the replication stream it has; a replica with more has lost less."""
        said = self.replication()
        return int(said.get("slave_repl_offset", said.get("master_repl_offset", 0)))

    def promote(self) -> None:
        """Make it a primary."""
        with self.client() as client:
            client.replicaof("NO", "ONE")

    def follow(self, primary_port: int) -> None:
        """Make it a replica of the server on that port."""
        with self.client() as client:
            client.replicaof(HOST, primary_port)

    def await_synchronised(self, primary: Valkey) -> None:
        """Return once this replica has the primary's data, or the primary is gone.

        Raises:
            NotReadyError: it does not get it.
        """

        def done() -> bool:
            return not primary.alive or self.replication().get("master_link_status") == "up"

        self._await(done, "does not synchronise")

    def _await(self, done: Callable[[], bool], otherwise: str) -> None:
        import valkey

        deadline_s = time.monotonic() + _START_S
        while time.monotonic() < deadline_s and self.alive:
            try:
                if done():
                    return
            except valkey.ValkeyError:
                pass  # not yet
            time.sleep(_POLL_S)
        raise NotReadyError(f"{self.process.name} {otherwise}: {self.process.tail()}", where=str(self.process.log))

    def stop(self) -> None:
        """End in order."""
        self.process.stop(signal.SIGTERM, within_s=3)

    def kill(self) -> bool:
        """End at once; True when it was alive. May be repeated."""
        return self.process.kill()

    def crash(self) -> bool:
        """End at once as if nobody had asked: its owner is told. True when it was alive."""
        return self.process.kill(expected=False)

    def remove(self) -> None:
        """Kill and delete its folder."""
        self.kill()
        shutil.rmtree(self.folder, ignore_errors=True)
