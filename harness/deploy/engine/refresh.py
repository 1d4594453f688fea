"""Refresh: look at every resource on AWS and bring the state to what is there, telling each difference.

The inputs in the state become what AWS has, so that the next `up` sets them back to what the program says.
A resource that is gone leaves the state, and the next `up` makes it anew.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from harness.deploy.engine.detail import every, property_changes
from harness.deploy.engine.events import Detail
from harness.deploy.engine.state import ResourceState
from harness.deploy.engine.steps import PARALLEL, Steps
from harness.deploy.engine.values import Secret, Value, has_secret, plain
from harness.deploy.providers.resource import Observation

GONE = "gone from AWS"


def refresh_all(steps: Steps, resources: list[ResourceState]) -> None:
    """Bring the state of those `resources` that stand for something on AWS to what AWS has.

    Raises:
        ProviderError: AWS refused to tell about one; the others are done.
    """
    looked = [old for old in resources if is_looked_at(steps, old)]
    for old in resources:
        if _is_real(old) and old not in looked:
            steps.tell("refresh", old, "done", Detail(message="its type is unknown here", unknown=_given(old)))
    with ThreadPoolExecutor(PARALLEL, thread_name_prefix="refresh") as pool:
        for done in [pool.submit(_look, steps, old) for old in looked]:
            done.result()
    steps.ledger.persist()


def is_looked_at(steps: Steps, old: ResourceState) -> bool:
    """True for what exists on AWS and belongs to the stack; copies on their way out do not count."""
    return _is_real(old) and old.type in steps.registry.resources


def _is_real(old: ResourceState) -> bool:
    built_in = old.type.startswith("pulumi:")
    return old.custom and not built_in and not old.delete and not old.external and bool(old.id)


def _given(old: ResourceState) -> tuple[str, ...]:
    return tuple(sorted(key for key, value in old.inputs.items() if value is not None))


def _look(steps: Steps, old: ResourceState) -> None:
    handler = steps.registry.resources[old.type]
    with steps.step("refresh", old) as told:
        seen = handler.observe(steps.context(old), old.id, plain(old.inputs))
        if seen is None:
            told.op, told.detail = "delete", Detail(message=GONE, changes=every(old.inputs, "delete"))
        else:
            with steps.ledger.lock:
                told.detail = adopt(old, seen, handler.json_keys)
                old.outputs = steps.sealed(old, handler, {**plain(old.outputs), **seen.outputs})
    if seen is None:
        steps.ledger.olds.pop(old.urn, None)
        steps.ledger.forget(old)


def adopt(old: ResourceState, seen: Observation, json_keys: frozenset[str]) -> Detail:
    """Take the inputs that were seen into `old`; returns what differs from before and what could not be compared."""
    news: dict[str, Value] = dict(old.inputs)
    for key, value in seen.settings.items():
        if value is None:
            news.pop(key, None)
        elif value != plain(old.inputs.get(key)):
            news[key] = Secret(value) if has_secret(old.inputs.get(key)) else value
    changes = property_changes(old.inputs, news, json_keys=json_keys)
    if changes:
        old.inputs = news
    message = ", ".join(change.path for change in changes)
    return Detail(message=message, changes=changes, unknown=tuple(sorted(seen.unknown)))
