"""FIS over HTTP: an ASGI application that the gate hands requests of service `fis` to."""

from __future__ import annotations

import asyncio
import inspect
import json
import logging
import re
import uuid

from chaos.fis.errors import FisError
from chaos.fis.model import read_request
from chaos.fis.operations import OPERATIONS
from chaos.fis.region import AWS_QUOTAS, Members, Quotas, Region, make_region
from harness.cloud.asgi import Receive, Scope, Send, read_body, respond
from harness.cloud.doors import Doors

_SCOPE = re.compile(rb"/\d{8}/([a-z0-9-]+)/fis/aws4_request")


class FisService:
    """The service of one cloud. `heal` ends every experiment; the gate's control API calls it."""

    def __init__(self, doors: Doors, quotas: Quotas = AWS_QUOTAS) -> None:
        self._doors = doors
        self._quotas = quotas
        self.regions: dict[str, Region] = {}

    def region(self, name: str) -> Region:
        """FIS in one region; empty when it was never asked for before."""
        if name not in self.regions:
            self.regions[name] = make_region(name, self._doors, self._quotas)
        return self.regions[name]

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in rest-json."""
        body = await read_body(receive)
        if body is None:
            return
        headers: tuple[tuple[str, str], ...] = (("x-amzn-requestid", str(uuid.uuid4())),)
        try:
            status, answer = 200, await self._answer(scope, body)
        except FisError as error:
            status, answer = error.status, {"message": str(error)[:1024]}
            headers = (*headers, ("x-amzn-errortype", error.code))
        except Exception:
            logging.getLogger(__name__).exception("FIS could not answer %s %s", scope["method"], scope["path"])
            status, answer = 500, {"message": "FIS could not answer; the log of the cloud says why."}
            headers = (*headers, ("x-amzn-errortype", FisError.code))
        await respond(send, status, json.dumps(answer).encode(), headers=headers)

    async def _answer(self, scope: Scope, body: bytes) -> Members:
        raw_path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        query = scope.get("query_string", b"").decode("latin-1")
        operation, members = read_request(scope["method"], raw_path, query, body)
        answer = OPERATIONS[operation](self.region(self._region_of(scope)), members)
        return await answer if inspect.isawaitable(answer) else answer

    def _region_of(self, scope: Scope) -> str:
        found = _SCOPE.search(dict(scope["headers"]).get(b"authorization", b""))
        return found[1].decode() if found else self._doors.target.region

    def reset(self) -> None:
        """Forget every template and experiment."""
        for region in self.regions.values():
            region.close()
        self.regions.clear()

    async def heal(self) -> list[str]:
        """Stop every experiment that runs; returns their ids. May be repeated."""
        running = [e for region in self.regions.values() for e in region.experiments.values() if e.active]
        await asyncio.gather(*(experiment.stop("Experiment stopped by blackstart heal.") for experiment in running))
        return [experiment.id for experiment in running]
