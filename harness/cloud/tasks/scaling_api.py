"""Application Auto Scaling: moto keeps the records, ECS services are really scaled. Other resources stay records."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harness.cloud.asgi import REQUEST, App, Message, Receive, Scope, Send, read_body, replay, respond
from harness.cloud.identify import Request
from harness.cloud.tasks.scaling import ServiceScaler

_DIMENSION = "ecs:service:DesiredCount"


@dataclass(frozen=True, slots=True)
class ScalingApi:
    """An ASGI application round moto's: what it accepts is carried out."""

    records: App
    scaler: ServiceScaler

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        body = await read_body(receive)
        if body is None:
            return
        call: Request = scope[REQUEST]
        asked: dict[str, Any] = json.loads(body or b"{}")
        if call.operation == "DescribeScalingActivities":
            await respond(send, 200, json.dumps({"ScalingActivities": self._activities(call, asked)}).encode())
            return
        accepted = False

        async def watched(message: Message) -> None:
            nonlocal accepted
            if message["type"] == "http.response.start":
                accepted = message["status"] < 300
            await send(message)

        await self.records(scope, replay(body, receive), watched)
        if accepted and asked.get("ScalableDimension") == _DIMENSION:
            self._carry_out(call, asked)

    def _carry_out(self, call: Request, asked: dict[str, Any]) -> None:
        key = (call.account, call.region, str(asked.get("ResourceId")))
        known, name = self.scaler.services.get(key), str(asked.get("PolicyName"))
        match call.operation:
            case "RegisterScalableTarget":
                self.scaler.register(*key, least=asked.get("MinCapacity"), most=asked.get("MaxCapacity"))
            case "DeregisterScalableTarget":
                self.scaler.services.pop(key, None)
            case "PutScalingPolicy" if known is not None and "TargetTrackingScalingPolicyConfiguration" in asked:
                known.policies[name] = asked["TargetTrackingScalingPolicyConfiguration"]
            case "DeleteScalingPolicy" if known is not None:
                known.policies.pop(name, None)

    def _activities(self, call: Request, asked: dict[str, Any]) -> list[dict[str, Any]]:
        wanted = asked.get("ResourceId")
        found = [
            activity
            for (account, region, resource), service in list(self.scaler.services.items())
            if (account, region) == (call.account, call.region) and wanted in {None, resource}
            for activity in service.activities
        ]
        return found if asked.get("ServiceNamespace") == "ecs" else []
