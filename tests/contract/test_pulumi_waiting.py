"""The SDK's wait that we replace: what it says is pinned, and ours ends as it does."""

import asyncio
import runpy
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from pulumi.runtime import settings, stack

from harness.deploy.engine import host

OURS = runpy.run_path(str(Path(host.__file__).with_name("program_waiting.py")))
BOTH = pytest.mark.parametrize("wait", [stack.wait_for_rpcs, OURS["wait_for_rpcs"]], ids=["SDK", "ours"])
Wait = Callable[[], Awaitable[None]]


def test_the_sdks_own_wait_is_one_that_ours_equals() -> None:
    """Red after an upgrade: compare `pulumi.runtime.stack.wait_for_rpcs` with ours, then add its digest to KNOWN."""
    assert OURS["source_digest"]() in OURS["KNOWN"]


@pytest.fixture(autouse=True)
def _nothing_outstanding() -> None:
    settings.SETTINGS.outputs.clear()
    settings._get_rpc_manager().clear()


def outstanding(work: Any) -> Any:
    """`work` as a task that the SDK knows as an output."""
    task = asyncio.ensure_future(work)
    settings.SETTINGS.outputs.add(task)
    return task


@BOTH
def test_it_waits_for_outputs_and_calls_that_come_up_while_it_waits(wait: Wait) -> None:
    seen = []

    async def output(depth: int) -> None:
        for _ in range(3):
            await asyncio.sleep(0)
        seen.append(depth)
        if depth:
            outstanding(output(depth - 1))

    async def call() -> None:
        seen.append("call")
        outstanding(output(2))

    async def program() -> None:
        settings._get_rpc_manager().rpcs.append(call())
        await wait()

    asyncio.run(program())
    assert seen == ["call", 2, 1, 0]


@BOTH
def test_an_output_that_fails_is_raised_though_others_go_on(wait: Wait) -> None:
    async def failing() -> None:
        raise ValueError("an apply")

    async def program() -> None:
        never = outstanding(asyncio.Event().wait())
        outstanding(failing())
        try:
            await wait()
        finally:
            never.cancel()

    with pytest.raises(ValueError, match="an apply"):
        asyncio.run(program())
