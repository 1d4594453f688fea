"""A load, with Locust as it is: what counts as a failure, and what is known of each request."""

import http.server
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from harness.load.locust_run import run_load

LOCUSTFILE = """
from locust import HttpUser, constant, task

class Careful(HttpUser):
    host, wait_time = "http://127.0.0.1:{port}", constant(0.01)

    @task
    def look(self) -> None:
        self.client.get("/")
        raise AssertionError("not what was ordered")
"""


class _Anything(http.server.BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(204)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def port() -> Iterator[int]:
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), _Anything)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield server.server_address[1]
    server.shutdown()
    thread.join()
    server.server_close()


def test_a_user_who_finds_something_wrong_in_a_good_answer_is_a_failure(tmp_path: Path, port: int) -> None:
    """Locust only logs an exception of a task; a load whose checks fail would look green."""
    (tmp_path / "locustfile.py").write_text(LOCUSTFILE.replace("{port}", str(port)))
    result = run_load(
        tmp_path / "locustfile.py",
        stack_file=tmp_path / "none.json",
        folder=tmp_path / "logs",
        registry=tmp_path / "processes",
        users=1,
        rate=1.0,
        duration_s=1.0,
    )
    found, asked = result.by_name
    assert (found.name, asked.name) == ("Careful (a check of its own)", "GET /")
    assert result.failures == found.failures == found.requests > 0
    assert asked.failures == 0
    assert found.p50_ms is None
    assert asked.p95_ms is not None
