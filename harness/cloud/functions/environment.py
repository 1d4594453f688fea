"""One execution environment: a process of its own in a zone, spoken to through its own Runtime API."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
import threading
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

from harness import processes
from harness.cloud.functions import invocation, logs
from harness.cloud.functions.cpu_share import held_to
from harness.cloud.functions.exchange import ConnectionLostError, Exchange, Request
from harness.cloud.functions.invocation import Outcome
from harness.cloud.functions.memory import ProcessMemory
from harness.cloud.functions.spec import FunctionSpec
from harness.cloud.traces.header import CURRENT, TraceHeader, new_trace
from harness.cloud.zones import Zone

INIT_TIMEOUT_S = 10.0
"""The init phase is limited to 10 s; https://docs.aws.amazon.com/lambda/latest/dg/lambda-runtime-environment.html."""

_SAMPLE_S = 0.05
"""How often the memory of a running handler is looked at. A peak in between is seen at the end (VmHWM)."""

_LISTEN_S = 0.02
"""How often what a running handler prints is taken. Each line would wake us twice; only who prints much is heard at
once, before the pipe is full."""

_NICE = 10
"""A tenth of the weight of others where the processor is short (sched(7)): passed by, and not starved."""

_PIPE_BYTES, _MUCH_BYTES = 65536, 16384


@dataclass(slots=True)
class Environment:
    """A live environment. One thread invokes it at a time; any thread may `kill` it."""

    spec: FunctionSpec
    zone: Zone
    subnet: str
    id: str
    process: subprocess.Popen[bytes]
    exchange: Exchange
    registry: Path
    log_stream: str
    started_s: float
    idle_since_s: float = 0.0
    killed_by: str = ""
    in_flight: bool = False
    provisioned: bool = False  # initialised before anybody asked, and kept
    used_s: float = 0.0  # when the newest invocation began
    init_s: float | None = None
    _gave_way: bool = False
    _ready: bool = False
    _invoked: bool = False
    _init_failure: Exception | None = None
    _output: bytearray = field(default_factory=bytearray)
    _next_waiting: bool = False
    _lock: threading.Lock = field(default_factory=threading.Lock)
    memory: ProcessMemory = field(init=False)

    def __post_init__(self) -> None:
        self.memory = ProcessMemory(self.process.pid)

    def invoke(self, event: bytes, request_id: str, *, cpu_share: float = 1.0) -> tuple[Outcome, list[str]]:
        """Run one invocation; returns what came of it and the lines for the log.

        The handler may use `cpu_share` of one CPU; its initialisation is not held, as on AWS.

        An outcome that is not `reusable` leaves the environment dead.
        """
        first = not self._invoked
        self._invoked = True
        lines = [logs.init_line(self.spec.runtime, self.spec.arn)] if first else []
        lines.append(logs.start_line(request_id, self.spec.version))
        self.in_flight = True
        began_s = self.used_s = time.monotonic()
        try:
            if not self._ready:
                self._raise_init_failure()
            with held_to(self.process.pid, cpu_share):
                outcome = self._exchange_one(event, request_id, began_s)
        except _InitFailedError as error:
            outcome = Outcome(kind="function_error", payload=error.payload, reusable=False)
        except ConnectionLostError:
            outcome = self._ended(request_id)
        finally:
            self.in_flight = False
        duration_s = time.monotonic() - began_s
        peak_bytes = self.memory.peak_bytes()
        if outcome.reusable and peak_bytes > self.spec.memory_mb << 20:
            outcome = self._over_memory(request_id)
        if not outcome.reusable:
            self.kill()
        self._drain()
        lines += self._take_output()
        usage = logs.Usage(
            duration_s=duration_s,
            memory_mb=self.spec.memory_mb,
            peak_bytes=peak_bytes,
            init_s=self.init_s if first else None,
        )
        status = _status(outcome)
        lines += [logs.end_line(request_id), logs.report_line(request_id, usage, status=status, trace=CURRENT.get())]
        return outcome, lines

    def prepare(self) -> None:
        """Wait for the init phase; what goes wrong in it is told by the first `invoke`."""
        try:
            self._initialise()
        except (_InitFailedError, ConnectionLostError) as error:
            self._init_failure = error

    def give_way(self) -> None:
        """Let everybody else have the processor first, from now on: what a service hands over in batches can wait.

        Without this, two cores at fifty orders a second work off what nobody waits for while somebody waits.
        """
        if not self._gave_way:
            self._gave_way = True
            with contextlib.suppress(OSError):
                os.setpriority(os.PRIO_PGRP, self.process.pid, _NICE)

    @property
    def init_failure(self) -> str:
        """What went wrong in the init phase, '' when it went well."""
        if isinstance(self._init_failure, _InitFailedError):
            return self._init_failure.payload.decode(errors="replace")
        return str(self._init_failure or "")

    def _raise_init_failure(self) -> None:
        if self._init_failure is None:
            self._initialise()
        else:
            raise self._init_failure

    def kill(self, owner: str = "") -> bool:
        """End the whole process group at once; True when this call did it. `owner` is who took the zone's power."""
        with self._lock:
            if self.process.poll() is not None:
                return False
            self.killed_by = self.killed_by or owner
            with contextlib.suppress(ProcessLookupError, PermissionError):
                os.killpg(self.process.pid, signal.SIGKILL)
            return True

    def close(self) -> None:
        """End it and give back everything it holds."""
        self.kill()
        self.process.wait()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self.process.pid, signal.SIGKILL)  # children that the handler left behind
        self.exchange.close()
        self.memory.close()
        if self.process.stdout is not None:
            self.process.stdout.close()
        processes.forget(self.registry, self.process.pid)

    @property
    def alive(self) -> bool:
        """True while the process runs."""
        return self.process.poll() is None

    def _initialise(self) -> None:
        """Wait until the runtime asks for its first invocation.

        Raises:
            _InitFailedError: the handler could not be loaded, or not in time.
            ConnectionLostError: the process ended.
        """
        # What takes longer begins anew with the first invocation, within the function's timeout; here it goes on.
        limit_s = INIT_TIMEOUT_S + self.spec.timeout_s
        request = self._next_request(self.started_s + limit_s)
        if request is None:
            raise _InitFailedError(
                invocation.error_payload("Sandbox.Timedout", f"Init timed out after {limit_s:.2f} seconds")
            )
        self.init_s = time.monotonic() - self.started_s
        if request.path.endswith("/init/error"):
            self.exchange.respond("202 Accepted", {})
            raise _InitFailedError(request.body)
        self._ready, self._next_waiting = True, True

    def _exchange_one(self, event: bytes, request_id: str, began_s: float) -> Outcome:
        deadline = began_s + self.spec.timeout_s
        if not self._next_waiting and self._next_request(deadline) is None:
            return Outcome(
                kind="function_error", payload=invocation.timed_out(request_id, self.spec.timeout_s), reusable=False
            )
        self._next_waiting = False
        self.exchange.respond("200 OK", self._invocation_headers(request_id), event)
        answer = self._next_request(deadline)
        if answer is None:
            over = self.memory.resident_bytes() > self.spec.memory_mb << 20
            payload = (
                invocation.runtime_exited(request_id, None, killed_for_memory=True)
                if over
                else invocation.timed_out(request_id, self.spec.timeout_s)
            )
            return Outcome(kind="function_error", payload=payload, reusable=False)
        self.exchange.respond("202 Accepted", {"Content-Type": "application/json"}, b'{"status":"OK"}\n')
        kind = "ok" if answer.path.endswith("/response") else "function_error"
        return Outcome(kind=kind, payload=answer.body)  # type: ignore[arg-type] # one of the two literals

    def _next_request(self, deadline_s: float) -> Request | None:
        """The runtime's next request; None when the time is over or the memory is."""
        pipe, sampled_s = -1, time.monotonic()
        while (left_s := deadline_s - time.monotonic()) > 0:
            if self.exchange.readable(min(left_s, _LISTEN_S), pipe):
                request = self.exchange.receive()
                if request is not None:
                    return request
                continue
            pipe = self._pipe() if self._drain() >= _MUCH_BYTES else -1
            if time.monotonic() - sampled_s >= _SAMPLE_S:
                sampled_s = time.monotonic()
                if (
                    self.process.poll() is not None
                ):  # before its first request, or with its connection held by a child
                    raise ConnectionLostError
                if self.memory.resident_bytes() > self.spec.memory_mb << 20:
                    return None
        return None

    def _invocation_headers(self, request_id: str) -> Mapping[str, str]:
        deadline_ms = int((time.time() + self.spec.timeout_s) * 1000)
        return {
            "Content-Type": "application/json",
            "Lambda-Runtime-Aws-Request-Id": request_id,
            "Lambda-Runtime-Deadline-Ms": str(deadline_ms),
            "Lambda-Runtime-Invoked-Function-Arn": self.spec.arn,
            "Lambda-Runtime-Trace-Id": str(CURRENT.get() or TraceHeader(new_trace(), sampled=False)),
        }

    def _ended(self, request_id: str) -> Outcome:
        """The process is gone: by us, with its zone, or by its own doing."""
        with contextlib.suppress(subprocess.TimeoutExpired):
            self.process.wait(1.0)
        if self.killed_by:
            return invocation.service_unavailable("the execution environment was lost with its availability zone")
        payload = invocation.runtime_exited(request_id, self.process.returncode)
        return Outcome(kind="function_error", payload=payload, reusable=False)

    def _over_memory(self, request_id: str) -> Outcome:
        payload = invocation.runtime_exited(request_id, None, killed_for_memory=True)
        return Outcome(kind="function_error", payload=payload, reusable=False)

    def _pipe(self) -> int:
        """The descriptor of what the process prints, -1 when there is none: its zone may be lost by now."""
        output = self.process.stdout
        return -1 if output is None or output.closed else output.fileno()

    def _drain(self) -> int:
        """Take what the process has printed so far; how many bytes that was."""
        pipe, before = self._pipe(), len(self._output)
        with contextlib.suppress(BlockingIOError):
            while pipe >= 0 and (data := os.read(pipe, _PIPE_BYTES)):
                self._output += data
                if len(data) < _PIPE_BYTES:  # the pipe is empty
                    break
        return len(self._output) - before

    def _take_output(self) -> list[str]:
        text = self._output.decode(errors="replace")
        self._output.clear()
        return text.splitlines()


class _InitFailedError(Exception):
    def __init__(self, payload: bytes) -> None:
        super().__init__(payload)
        self.payload = payload


def _status(outcome: Outcome) -> str:
    if outcome.kind == "ok" or outcome.reusable:
        return ""
    return "timeout" if b"Sandbox.Timedout" in outcome.payload else "error"


def start_environment(
    spec: FunctionSpec,
    zone: Zone,
    subnet: str,
    *,
    task_root: Path,
    layers: tuple[Path, ...],
    runtime: Path,
    registry: Path,
    variables: Mapping[str, str],
) -> Environment:
    """Start the process of a new environment; `prepare` waits for its init phase.

    `variables` are ours: endpoint, credentials, region. The function's own variables cannot override them.

    Raises:
        OSError: the process cannot be started.
    """
    exchange = Exchange()
    environment_id = uuid.uuid4().hex[:12]
    stream = f"{time.strftime('%Y/%m/%d', time.gmtime())}/[{spec.version}]{uuid.uuid4().hex}"
    process = processes.spawn(
        # -S: no site-packages, so that only the path below can be imported from.
        [sys.executable, "-S", "-u", "-m", "awslambdaric", spec.handler],
        role=f"lambda {spec.name} {zone.id}",
        registry=registry,
        env={
            **_platform_variables(spec, task_root, layers, runtime, stream),
            **spec.variables,
            **variables,
            "AWS_LAMBDA_RUNTIME_API": exchange.address,
            "AWS_SDK_UA_APP_ID": f"bs.{zone.id}.{environment_id}",
        },
        cwd=task_root,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        own_session=False,
    )
    if process.stdout is not None:
        os.set_blocking(process.stdout.fileno(), False)
    return Environment(
        spec=spec,
        zone=zone,
        subnet=subnet,
        id=environment_id,
        process=process,
        exchange=exchange,
        registry=registry,
        log_stream=stream,
        started_s=time.monotonic(),
    )


def _platform_variables(
    spec: FunctionSpec, task_root: Path, layers: tuple[Path, ...], runtime: Path, stream: str
) -> dict[str, str]:
    """Source: https://docs.aws.amazon.com/lambda/latest/dg/configuration-envvars.html#configuration-envvars-runtime."""
    layer_paths = [str(layer / "python") for layer in layers] + [str(layer) for layer in layers]
    version = ".".join(map(str, sys.version_info[:2]))
    site = [str(layer / "python" / "lib" / f"python{version}" / "site-packages") for layer in layers]
    return {
        "PATH": os.environ.get("PATH", "/usr/local/bin:/usr/bin:/bin"),
        "LANG": "en_US.UTF-8",
        "TZ": ":UTC",
        "PYTHONPATH": os.pathsep.join([str(task_root), *site, *layer_paths, str(runtime)]),
        "PYTHONNOUSERSITE": "1",
        "PYTHONDONTWRITEBYTECODE": "",
        "LAMBDA_TASK_ROOT": str(task_root),
        "LAMBDA_RUNTIME_DIR": str(runtime),
        "_HANDLER": spec.handler,
        "AWS_EXECUTION_ENV": f"AWS_Lambda_{spec.runtime}",
        "AWS_LAMBDA_FUNCTION_NAME": spec.name,
        "AWS_LAMBDA_FUNCTION_VERSION": spec.version,
        "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(spec.memory_mb),
        "AWS_LAMBDA_INITIALIZATION_TYPE": "on-demand",
        "AWS_LAMBDA_LOG_GROUP_NAME": spec.log_group,
        "AWS_LAMBDA_LOG_STREAM_NAME": stream,
    }
