"""The console: only for whoever has its address, shows what is so, and gives back what it took."""

import asyncio
import json
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from aiohttp import CookieJar
from aiohttp.test_utils import TestClient, TestServer

from harness.cloud.client import RunningCloud
from harness.config import Config
from harness.stack import RunningStack, save
from harness.web.console import COOKIE, Console
from harness.web.levers import OWNER
from harness.workspace import Workspace

Client = TestClient[Any, Any]


@pytest.fixture
def console(cloud: RunningCloud, tmp_path: Path) -> Console:
    workspace = Workspace(root=tmp_path, file=tmp_path / "blackstart.toml", config=Config())
    stack = RunningStack(name="shop", target=cloud.target)
    save(stack, workspace.stack_file)
    (tmp_path / "blackstart.toml").touch()
    workspace.drills.mkdir(parents=True)
    (workspace.drills / "zone-loss.toml").touch()
    return Console(workspace, stack)


def visit(console: Console, does: Callable[[Client], Awaitable[None]], *, token: bool = True) -> None:
    """Do something as a browser that has opened the console's address."""

    async def run() -> None:
        async with TestClient(TestServer(console.application()), cookie_jar=CookieJar(unsafe=True)) as client:
            if token:
                page = await client.get("/", params={"token": console.token})
                assert "Blackstart console" in await page.text()
            await does(client)

    asyncio.run(run())


async def look(client: Client) -> dict[str, Any]:
    """What the feed tells first."""
    async with client.get("/live") as feed:
        line = await feed.content.readline()
    shown: dict[str, Any] = json.loads(line.removeprefix(b"data: "))
    assert "error" not in shown, shown
    return shown


async def pull(client: Client, lever: str, **wanted: Any) -> dict[str, Any]:
    answer = await client.post(f"/{lever}", json=wanted)
    said: dict[str, Any] = await answer.json()
    return said


def test_nobody_without_the_token_or_from_another_page_learns_or_does_anything(console: Console) -> None:
    async def does(client: Client) -> None:
        for path in ("/", "/live", "/console.js", "/?token=guess"):
            assert (await client.get(path)).status == 403
        assert (await client.post("/heal")).status == 403
        cookie = {"Cookie": f"{COOKIE}={console.token}"}
        assert (await client.get("/", headers={**cookie, "Host": "evil.example:80"})).status == 403
        assert (await client.post("/heal", headers={**cookie, "Origin": "http://evil.example"})).status == 403
        assert (await client.get("/console.js", headers=cookie)).status == 200

    visit(console, does, token=False)


def test_a_zone_that_the_console_darkens_is_shown_dark_and_is_lit_again(
    cloud: RunningCloud, console: Console
) -> None:
    async def does(client: Client) -> None:
        assert "lost its power" in (await pull(client, "power", zone="use1-az2", on=False))["said"]
        console.levers.renew()
        shown = await look(client)
        dark = {zone["id"]: zone["owners"] for zone in shown["zones"] if not zone["powered"]}
        assert dark == {"use1-az2": [OWNER]}
        assert "power_lost" in {event["kind"] for event in shown["events"]}
        assert shown["drills"] == ["zone-loss"]
        assert (await pull(client, "power", zone="use1-az9", on=False))["error"].startswith("no availability zone")
        console.levers.close()
        assert all(zone["powered"] for zone in (await look(client))["zones"])

    visit(console, does)
    assert all(zone["powered"] for zone in cloud.control.zones())


def test_heal_ends_what_anybody_broke(cloud: RunningCloud, console: Console) -> None:
    async def does(client: Client) -> None:
        cloud.control.cut_power("use1-az1", "somebody")
        assert "use1-az1" in (await pull(client, "heal"))["said"]
        assert (await pull(client, "heal"))["said"] == "nothing was in force"

    visit(console, does)
    assert all(zone["powered"] for zone in cloud.control.zones())


def test_what_cannot_be_is_said_with_what_to_do(console: Console) -> None:
    async def does(client: Client) -> None:
        said = await pull(client, "start-drill", drill="zone-los")
        assert "no drill 'zone-los'" in said["error"]
        assert "zone-loss" in said["hint"]
        assert "cannot be read" in (await pull(client, "power"))["error"]
        assert "error" in await pull(client, "stop-experiment", experiment="EXPnone")
        assert (await pull(client, "stop-drill"))["said"] == "no drill is under way"
        assert (await client.get("/runs/..%2F..%2Fetc/report.html")).status == 404

    visit(console, does)


def test_answers_are_counted_by_the_second(cloud: RunningCloud, console: Console) -> None:
    began_s = time.monotonic()
    cloud.target.client("dynamodb").list_tables()

    async def does(client: Client) -> None:
        rows = (await look(client))["pulse"]["services"]["dynamodb"]
        ours = [(answers, failed) for at_s, answers, failed, _ in rows if at_s >= int(began_s)]
        assert sum(answers for answers, _ in ours) >= 1
        assert sum(failed for _, failed in ours) <= sum(answers for answers, _ in ours) - 1

    visit(console, does)
