"""What the pool needs of the emulator, answered by ministack through its hooks."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.cloud import ministack_hooks, subnets
from harness.cloud.doors import Doors
from harness.cloud.functions import executor
from harness.cloud.functions.executor import Execute
from harness.cloud.functions.pool import FunctionPool
from harness.cloud.functions.spec import FunctionSpec
from harness.cloud.settings import CloudSettings
from harness.cloud.sockets import run_routes_in_our_environments

_PRETENDED = "Mock response - "
"""How ministack answers 200 for what it did not run."""


class MinistackEmulator:
    """Called in the emulator's worker threads, under the function's account and region."""

    def credentials(self, config: Mapping[str, Any]) -> dict[str, str]:
        """The role's credentials."""
        return ministack_hooks.execution_credentials(config)

    def layer(self, arn: str) -> bytes:
        """The zip of a layer version."""
        return executor.layer_zip(arn)

    def write_logs(self, spec: FunctionSpec, stream: str, lines: Sequence[str]) -> None:
        """Append to the function's log group."""
        ministack_hooks.append_logs(spec.log_group, stream, lines)

    def subnet_zone(self, subnet: str) -> str:
        """The zone's name."""
        return subnets.zone_name_of(subnet)

    def run_elsewhere(self, record: Mapping[str, Any], event: Any) -> dict[str, Any]:
        """Node.js runs on ministack's own executor, in no zone; what that would only pretend to run is an error."""
        result: dict[str, Any] = executor.builtin_execute(dict(record), event)
        body = result.get("body")
        told = str(body.get("body", "")) if isinstance(body, Mapping) else ""
        if not told.startswith(_PRETENDED):
            return result
        why = f"the embedded cloud runs Python and Node.js only: {told.removeprefix(_PRETENDED)}"
        return {
            "error": True,
            "function_error": "Unhandled",
            "body": {"errorType": "Runtime.NotHere", "errorMessage": why},
        }

    def within(self, config: Mapping[str, Any], run: Callable[[], str]) -> str:
        """Under the function's account and region."""
        return executor.within_function(config, run)


def pool_of(settings: CloudSettings, doors: Doors, xray_daemon: str) -> FunctionPool:
    """The pool of one cloud, reached by its zones; it runs what `install` hands to it."""
    pool = FunctionPool(
        folder=settings.state_dir / "lambda",
        registry=settings.environments,
        endpoint=str(doors.target.endpoint),
        detection_s=settings.detection_s,
        zones=doors.zones,
        rules=doors.faults,
        evidence=doors.evidence,
        clock=doors.clock,
        emulator=MinistackEmulator(),
        xray_daemon=xray_daemon,
    )
    doors.zones.add_resident(pool)
    return pool


def install(pool: FunctionPool, metered: Callable[[Execute], Execute]) -> None:
    """Let `pool` run every invocation, `metered`."""
    executor.functions_are_soon_active()
    for service in ("apigateway", "cloudformation"):
        ministack_hooks.before_first_call(service, run_routes_in_our_environments)
    executor.install_executor(metered(pool.execute))
