"""Warm standby: it serves already, with few functions; it is scaled up and takes over the events.

The names follow the health check by themselves. Every call is of the surviving region.
"""

from __future__ import annotations

from typing import Any

from chaos.failover.runbook import Runbook


def fail_over(runbook: Runbook) -> None:
    """Lift the limits of the functions, then let them take the events."""
    functions, names = runbook.client("lambda"), sorted(runbook.outputs["standby_functions"].values())
    with runbook.step(f"scale up {len(names)} functions"):
        for name in names:
            functions.delete_function_concurrency(FunctionName=name)
    with runbook.step("take over the events"):
        listed = [functions.list_event_source_mappings(FunctionName=name)["EventSourceMappings"] for name in names]
        mappings = [one["UUID"] for found in listed for one in found]
        for mapping in mappings:
            functions.update_event_source_mapping(UUID=mapping, Enabled=True)
        runbook.wait("the mappings are enabled", lambda: {_state(functions, one) for one in mappings} <= {"Enabled"})
    if not mappings:
        raise RuntimeError(f"there are no events to take over in {runbook.region}")


def _state(functions: Any, mapping: str) -> str:
    return str(functions.get_event_source_mapping(UUID=mapping)["State"])
