"""The certificate of the database endpoints."""

import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from harness.cloud.databases import certificate


def test_two_who_need_it_at_once_get_one_pair(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made, both, write = [], threading.Barrier(2), certificate.write_atomically

    def meet(path: Path, content: bytes, *, mode: int = 0o644) -> None:
        made.append(path.name)
        write(path, content, mode=mode)
        if path.name == "key.pem":
            with pytest.raises(threading.BrokenBarrierError):  # the other does not come here
                both.wait(timeout=0.2)

    monkeypatch.setattr(certificate, "write_atomically", meet)
    with ThreadPoolExecutor(2) as pool:
        contexts = list(pool.map(certificate.server_context, [tmp_path] * 2))
    assert (len(contexts), made) == (2, ["key.pem", "ca.pem"])
