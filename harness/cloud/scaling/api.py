"""Application Auto Scaling: moto keeps the records; ECS services and DynamoDB's tables are really scaled."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from harness.cloud.asgi import REQUEST, App, Message, Receive, Scope, Send, read_body, replay, respond
from harness.cloud.identify import Request
from harness.cloud.scaling.tracking import Scaler


@dataclass(frozen=True, slots=True)
class ScalingApi:
    """An ASGI application round moto's: what it accepts is carried out. Other resources stay records."""

    records: App
    scaler: Scaler

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
        if accepted and asked.get("ScalableDimension") in self.scaler.kinds:
            self._carry_out(call, asked)

    def _carry_out(self, call: Request, asked: dict[str, Any]) -> None:
        key = (call.account, call.region, str(asked["ScalableDimension"]), str(asked.get("ResourceId")))
        known, name = self.scaler.targets.get(key), str(asked.get("PolicyName"))
        match call.operation:
            case "RegisterScalableTarget":
                self.scaler.register(key, least=asked.get("MinCapacity"), most=asked.get("MaxCapacity"))
            case "DeregisterScalableTarget":
                self.scaler.targets.pop(key, None)
            case "PutScalingPolicy" if known is not None and "TargetTrackingScalingPolicyConfiguration" in asked:
                known.policies[name] = asked["TargetTrackingScalingPolicyConfiguration"]
            case "DeleteScalingPolicy" if known is not None:
                known.policies.pop(name, None)

    def _activities(self, call: Request, asked: dict[str, Any]) -> list[dict[str, Any]]:
        resource, dimension = asked.get("ResourceId"), asked.get("ScalableDimension")
        return [
            activity
            for key, target in list(self.scaler.targets.items())
            if key[:2] == (call.account, call.region)
            and resource in {None, target.resource}
            and dimension in {None, target.dimension}
            for activity in target.activities
            if activity["ServiceNamespace"] == asked.get("ServiceNamespace")
        ]
