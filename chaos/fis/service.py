"""FIS over HTTP: an ASGI application that the gate hands requests of service `fis` to."""

from __future__ import annotations

import json
import uuid

from chaos.fis.errors import FisError
from chaos.fis.model import read_request
from chaos.fis.operations import Operations
from harness.cloud.asgi import Receive, Scope, Send, read_body, respond
from harness.cloud.doors import Doors


class FisService:
    """The service of one cloud. `heal` ends every experiment; the gate's control API calls it."""

    def __init__(self, doors: Doors) -> None:
        self.operations = Operations(doors)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request, in rest-json."""
        body = await read_body(receive)
        if body is None:
            return
        raw_path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        try:
            operation, members = read_request(
                scope["method"], raw_path, scope.get("query_string", b"").decode("latin-1"), body
            )
            status, answer = 200, await self.operations.call(operation, members)
            headers: tuple[tuple[str, str], ...] = ()
        except FisError as error:
            status, answer, headers = error.status, {"message": str(error)}, (("x-amzn-errortype", error.code),)
        headers = (("x-amzn-requestid", str(uuid.uuid4())), *headers)
        await respond(send, status, json.dumps(answer).encode(), headers=headers)

    async def heal(self) -> list[str]:
        """Stop every experiment that runs; returns their ids. May be repeated."""
        running = [experiment for experiment in self.operations.experiments.values() if experiment.active]
        for experiment in running:
            await experiment.stop("Experiment stopped by blackstart heal.")
        return [experiment.id for experiment in running]

    def running(self) -> list[str]:
        """The ids of the experiments that run now."""
        return [experiment.id for experiment in self.operations.experiments.values() if experiment.active]
