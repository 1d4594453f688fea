"""CodeDeploy's API as an ASGI application behind the gate.

Source: https://docs.aws.amazon.com/codedeploy/latest/APIReference/Welcome.html
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial

from harness.cloud.asgi import REQUEST, Receive, Scope, Send, read_body, respond
from harness.cloud.deployments.deployments import Deployments
from harness.cloud.deployments.records import Members, Record, Records
from harness.cloud.deployments.refusals import CodeDeployError
from harness.cloud.deployments.services import services_of
from harness.cloud.doors import Doors
from harness.cloud.identify import Request
from harness.cloud.settings import CloudSettings
from harness.cloud.tasks.ecs import Ecs

_KIND = "application/x-amz-json-1.1"


@dataclass(slots=True)
class CodeDeployApi:
    """Answers every call, in a thread: an AppSpec may be read from S3, which is behind the same gate."""

    records: Records
    deployments: Deployments
    _operations: dict[str, Callable[[tuple[str, str], Members], Record]] = field(init=False)

    def __post_init__(self) -> None:
        self._operations = {**self.records.operations(), **self.deployments.operations()}

    @classmethod
    def install(cls, settings: CloudSettings, doors: Doors, ecs: Ecs) -> CodeDeployApi:
        """Functions are shifted by their aliases, services by `ecs`."""
        records = Records()
        running = Deployments(
            records=records, target=doors.target, publish=doors.publish, minute_s=settings.deployment_minute_s
        )
        running.platforms["ECS"] = partial(services_of, ecs)
        return cls(records, running)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        body = await read_body(receive)
        if body is None:
            return
        call: Request = scope[REQUEST]
        status, said = await asyncio.to_thread(self._answer, call, body)
        await respond(send, status, json.dumps(said, default=str).encode(), _KIND)

    def _answer(self, call: Request, body: bytes) -> tuple[int, Record]:
        try:
            operation = self._operations.get(call.operation, partial(_lacking, call.operation))
            return 200, operation((call.account, call.region), json.loads(body or b"{}"))
        except CodeDeployError as error:
            return error.status, {"__type": error.code, "message": str(error)}
        except (KeyError, TypeError, ValueError) as error:
            return 400, {"__type": "InvalidRequestException", "message": f"the request cannot be read: {error}"}

    def reset(self) -> None:
        """Forget everything; what runs is stopped."""
        self.deployments.reset()
        self.records.clear()


def _lacking(operation: str, _at: tuple[str, str], _asked: Members) -> Record:
    raise CodeDeployError("NotImplemented", f"the embedded cloud lacks {operation} of codedeploy", 501)
