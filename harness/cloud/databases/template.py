"""An initialised, stopped PostgreSQL data folder that every instance of a cloud is copied from.

Copying takes some 50 ms where initdb takes 500. It is also the base that a new cluster's whole WAL starts from.
"""

from __future__ import annotations

import secrets
import shutil
import subprocess
import threading
from dataclasses import dataclass, field
from pathlib import Path

from harness.cloud.databases.programs import owner, postgres_program, prefix
from harness.errors import NotReadyError

ADMIN = "rdsadmin"
"""The superuser that is ours, as on RDS; its password is drawn anew for each cloud."""

_CONFIG = """
listen_addresses = '127.0.0.1'
unix_socket_directories = ''
timezone = 'UTC'
log_timezone = 'UTC'
max_connections = 200
shared_buffers = 16MB
min_dynamic_shared_memory = 0
huge_pages = off
jit = off
io_method = sync
max_logical_replication_workers = 0
wal_level = replica
wal_log_hints = off
max_wal_size = 64MB
min_wal_size = 2MB
wal_recycle = off
wal_init_zero = off
wal_keep_size = 32MB
max_wal_senders = 20
hot_standby = on
hot_standby_feedback = on
archive_mode = on
# A power cut here is SIGKILL: what the kernel has is kept, so waiting for the disk would prove nothing.
fsync = off
# With the default of 5 s three of eleven promotions took that long.
track_io_timing = on
wal_retrieve_retry_interval = '100ms'
wal_receiver_status_interval = '1s'
log_min_messages = log
log_line_prefix = '%m [%p] '
"""

_HBA = """
host all all 127.0.0.1/32 scram-sha-256
host replication rdsadmin 127.0.0.1/32 scram-sha-256
local all all trust
"""
"""Local sockets lie in a folder of PostgreSQL's user: only our endpoints come there, with who has shown a token."""


@dataclass(slots=True)
class Template:
    """Makes the template on first use. Safe from any thread."""

    folder: Path
    password: str = field(default_factory=lambda: secrets.token_hex(16), repr=False)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    @property
    def data(self) -> Path:
        """The stopped data folder; made when it is not there yet.

        Raises:
            NotReadyError: initdb refuses.
        """
        data = self.folder / "data"
        with self._lock:
            if not data.exists():
                self._make(data)
        return data

    def _make(self, data: Path) -> None:
        making = own_folder(self.folder / "making")
        secret = self.folder / "password"
        secret.write_text(self.password)
        secret.chmod(0o600)
        argv = [
            *prefix(), str(postgres_program("initdb")), "-D", str(making), "-U", ADMIN, "--pwfile", str(secret),
            "--auth=scram-sha-256", "--wal-segsize=1", "--no-sync", "--no-instructions",
            "--encoding=UTF8", "--locale=C.UTF-8",
        ]  # fmt: skip
        done = subprocess.run(argv, capture_output=True, text=True, check=False)
        secret.unlink()
        if done.returncode:
            raise NotReadyError(f"initdb failed: {done.stderr.strip()[-500:]}", where=str(making))
        with (making / "postgresql.conf").open("a") as config:
            config.write(_CONFIG)
        (making / "pg_hba.conf").write_text(_HBA)
        making.rename(data)


def own_folder(path: Path) -> Path:
    """A new, private folder that PostgreSQL's user owns."""
    shutil.rmtree(path, ignore_errors=True)
    path.mkdir(parents=True, mode=0o700)
    shutil.chown(path, *owner())
    return path


def copy_data(source: Path, target: Path) -> None:
    """Copy a stopped data folder with its owners; `target` is replaced.

    Raises:
        NotReadyError: the disk is full, or the like.
    """
    _copy(source, target, "-a")


def link_data(source: Path, target: Path) -> None:
    """The same folder by hard links, at no cost; nobody may write to either.

    Raises:
        NotReadyError: they are not on the same file system, or the like.
    """
    _copy(source, target, "-al")


def _copy(source: Path, target: Path, how: str) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.parent.mkdir(parents=True, exist_ok=True)
    done = subprocess.run(["cp", how, str(source), str(target)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise NotReadyError(f"cannot copy the database: {done.stderr.strip()[-300:]}", where=str(target))
