"""The SDK's wait for everything outstanding, in time that grows with the number of outputs and not with its square.

`pulumi.runtime.stack.wait_for_rpcs` starts to wait for all outputs again after each one of them: a program of 1,000
queues has 15,000. This one does the same, and starts to wait for each output once. A contract test holds the two
together by `KNOWN`; of an SDK that says something else, its own stays. Runs in the program's process: imports
nothing of ours.
"""

import asyncio
import hashlib
import inspect
from collections import deque
from typing import Any

from pulumi.runtime import stack
from pulumi.runtime.settings import SETTINGS, _get_rpc_manager

KNOWN = frozenset({"c0f9027f85ad09255ded0a1908033b490f76d303a3e40b50d3cf47a69265469d"})
"""sha256 of the source of each `wait_for_rpcs` that this one equals (pulumi 3.272.0)."""


def source_digest() -> str:
    """What the SDK's function says, as a hash; '' where it has none."""
    waiting = getattr(stack, "wait_for_rpcs", None)
    return hashlib.sha256(inspect.getsource(waiting).encode()).hexdigest() if waiting else ""


def replace() -> bool:
    """Put `wait_for_rpcs` in the place of the SDK's, where they are equal; returns whether they are."""
    equal = source_digest() in KNOWN
    if equal:
        stack.wait_for_rpcs = wait_for_rpcs
    return equal


async def wait_for_rpcs(await_all_outstanding_tasks: bool = True) -> None:  # noqa: FBT001, FBT002 - the SDK's signature
    """Return when no call and no output is outstanding; what failed is raised, as the SDK raises it."""
    manager = _get_rpc_manager()
    while True:
        while manager.rpcs:
            await asyncio.sleep(0)
            try:
                await manager.rpcs.pop()
            except Exception as error:
                if manager.unhandled_exception is not None:
                    raise error from manager.unhandled_exception.with_traceback(manager.exception_traceback)
                raise
        if manager.unhandled_exception is not None:
            raise manager.unhandled_exception.with_traceback(manager.exception_traceback)
        if await_all_outstanding_tasks:
            await _wait_for_outputs()
        if not manager.rpcs:
            return


async def _wait_for_outputs() -> None:
    waiting: set[asyncio.Future[Any]] = set()
    ended: deque[asyncio.Future[Any]] = deque()
    one_ended = asyncio.Event()

    def note(output: asyncio.Future[Any]) -> None:
        ended.append(output)
        one_ended.set()

    while True:
        with SETTINGS.lock:
            added = set(SETTINGS.outputs) - waiting
            SETTINGS.outputs.clear()
        for output in added:
            output.add_done_callback(note)
        waiting |= added
        if not waiting:
            return
        await one_ended.wait()
        one_ended.clear()
        while ended:
            output = ended.popleft()
            waiting.discard(output)
            await output
