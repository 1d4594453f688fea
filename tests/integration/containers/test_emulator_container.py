"""The emulator in a container: over the real testcontainers and Docker SDK, with an engine that is ours."""

import importlib.util
import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from testcontainers.core.config import ConnectionMode, testcontainers_config

from harness.containers import EmulatorContainer, emulator_container
from harness.errors import NotReadyError, NotSupportedError

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")  # docker's own


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port: int = free.getsockname()[1]
    return port


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    spec = importlib.util.spec_from_file_location("engine", Path(__file__).with_name("engine.py"))
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    engine = module.Engine(free_port=_free_port)
    engine.start()
    monkeypatch.setenv("DOCKER_HOST", engine.url)
    monkeypatch.setattr(testcontainers_config, "ryuk_disabled", True)  # the reaper is a container of its own
    # Where the tests themselves run in a container, the engine is on loopback all the same.
    monkeypatch.setattr(testcontainers_config, "connection_mode_override", ConnectionMode.docker_host)
    yield engine
    engine.stop()


def test_the_container_is_ready_when_it_answers_and_removed_afterwards(engine: Any) -> None:
    wanted = EmulatorContainer(image="some/emulator:1", token="secret")  # not a real one
    with emulator_container(wanted, regions=["us-east-1"]) as target:
        target.client("sqs").create_queue(QueueName="here")
        (container,) = engine.containers.values()
        assert container.asked["Image"] == "some/emulator:1"
        assert "LOCALSTACK_AUTH_TOKEN=secret" in container.asked["Env"]
        assert target.endpoint == f"http://127.0.0.1:{container.port}"
    assert len(engine.removed) == 1


def test_it_is_removed_when_the_body_raises(engine: Any) -> None:
    with pytest.raises(KeyError), emulator_container(EmulatorContainer(image="e"), regions=["us-east-1"]):
        raise KeyError
    assert len(engine.removed) == 1


def test_a_container_that_ends_says_what_it_printed_and_what_to_do(engine: Any) -> None:
    with (
        pytest.raises(NotReadyError) as caught,
        emulator_container(EmulatorContainer(image="broken"), regions=["us-east-1"]),
    ):
        pass
    assert "exited" in caught.value.what
    assert "License required" in caught.value.what
    assert "LOCALSTACK_AUTH_TOKEN" in caught.value.hint
    assert len(engine.removed) == 1


def test_without_an_engine_it_is_not_supported(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:9")
    with (
        pytest.raises(NotSupportedError, match="no Docker engine"),
        emulator_container(EmulatorContainer(), regions=["us-east-1"]),
    ):
        pass


def test_the_fixture_skips_by_name_where_there_is_no_engine(tmp_path: Path) -> None:
    test = tmp_path / "test_it.py"
    test.write_text("def test_it(blackstart_container): pass")
    command = [sys.executable, "-m", "pytest", "-rs", "-p", "no:cacheprovider", str(test)]
    environment = {**os.environ, "DOCKER_HOST": "tcp://127.0.0.1:9"}
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout
    assert "not_supported: no Docker engine answers" in done.stdout
    assert "1 skipped" in done.stdout
