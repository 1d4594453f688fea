"""The control API of the gate, `/_blackstart/*`: for the owner only, who has the token."""

from __future__ import annotations

import asyncio
import hmac
import json
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

import msgspec

from harness.cloud.asgi import Receive, Scope, Send, read_body, respond
from harness.cloud.doors import Doors
from harness.cloud.faults import MAX_LEASE_S, parse_rule
from harness.cloud.gate import CONTROL_PREFIX
from harness.cloud.links import LinkFault
from harness.cloud.recorder import Recorder
from harness.cloud.standing import Standing
from harness.errors import BlackstartError, ConfigError, UsageError, nearest
from harness.lag import parse_lag

TOKEN_HEADER = b"x-blackstart-token"
Query = Mapping[str, str]
Answer = dict[str, Any]  # JSON
Operation = Callable[[Query, bytes], Awaitable[Answer]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """What the control API may ask of the server beyond the doors."""

    token: str
    standing: Standing
    heal_services: Callable[[], Awaitable[dict[str, list[str]]]]
    reset: Callable[[], Awaitable[None]]
    stop: Callable[[], None]


@dataclass(slots=True)
class Control:
    """An ASGI application. A call without the right token learns nothing but that."""

    doors: Doors
    recorder: Recorder
    owner: Owner

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        body = await read_body(receive)
        if body is None:
            return
        status, answer = await self._answer(scope, body)
        await respond(send, status, json.dumps(answer).encode())

    async def _answer(self, scope: Scope, body: bytes) -> tuple[int, Answer]:
        given = dict(scope["headers"]).get(TOKEN_HEADER, b"")
        if not hmac.compare_digest(given, self.owner.token.encode()):
            return 403, _problem("refused", "the control API is for the owner of this cloud", "x-blackstart-token")
        path = scope["path"].removeprefix(CONTROL_PREFIX).strip("/")
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        try:
            operation = self._operation(scope["method"], path)
            return 200, await operation(query, body)
        except BlackstartError as error:
            return 400, _problem(error.code, error.what, error.where, error.hint)
        except (ValueError, TypeError, KeyError) as error:
            return 400, _problem("usage", f"the request cannot be read: {error}", path)

    def _operation(self, method: str, path: str) -> Operation:
        parts = path.split("/")
        if method == "POST" and len(parts) == 3 and parts[0] == "zones" and parts[2] == "power":

            async def power(_query: Query, body: bytes) -> Answer:
                return self._power(parts[1], json.loads(body))

            return power
        known: dict[str, Operation] = {
            "GET ready": self._ready,
            "GET faults": self._rules,
            "POST faults": self._put_rule,
            "DELETE faults": self._remove_rules,
            "POST faults/renew": self._renew,
            "GET zones": self._zones,
            "GET lags": self._lags,
            "POST lags": self._set_lag,
            "GET links": self._links,
            "POST links": self._put_link,
            "DELETE links": self._remove_links,
            "GET timings": self._timings,
            "GET replication": self._replication,
            "GET evidence": self._evidence,
            "GET environments": self._environments,
            "GET tasks": self._tasks,
            "GET databases": self._databases,
            "GET pulse": self._pulse,
            "GET names": self._names,
            "GET usage": self._usage,
            "POST cpu-shares": self._hold_cpu,
            "GET control-plane-calls": self._control_plane_calls,
            "GET calls": self._calls,
            "GET capabilities": self._capabilities,
            "POST heal": self._heal,
            "POST reset": self._reset,
            "POST stop": self._stop,
        }
        name = f"{method} {path}"
        if name not in known:
            raise UsageError(f"no control operation {name!r}", where=CONTROL_PREFIX + path, hint=nearest(name, known))
        return known[name]

    async def _ready(self, _query: Query, _body: bytes) -> Answer:
        return {"ready": True}

    async def _rules(self, _query: Query, _body: bytes) -> Answer:
        return {"rules": msgspec.to_builtins(self.doors.faults.reports())}

    async def _put_rule(self, _query: Query, body: bytes) -> Answer:
        rule = parse_rule(body)
        self.doors.faults.put(rule)
        return {"id": rule.id}

    async def _remove_rules(self, query: Query, _body: bytes) -> Answer:
        ended = self.doors.faults.remove(rule_id=query.get("id", ""), owner=query.get("owner", ""))
        return {"rules": msgspec.to_builtins(ended)}

    async def _renew(self, query: Query, _body: bytes) -> Answer:
        owner = query.get("owner", "")
        renewed = self.doors.faults.renew(owner)
        renewed += self.doors.zones.links.renew(owner)
        return {"renewed": renewed + self.doors.zones.renew(owner, 30.0)}

    async def _zones(self, _query: Query, _body: bytes) -> Answer:
        dark = self.doors.zones.dark()
        return {
            "zones": [
                {
                    "region": zone.region,
                    "name": zone.name,
                    "id": zone.id,
                    "powered": zone.id not in dark,
                    "owners": dark.get(zone.id, []),
                }
                for zone in self.doors.zones.zones
            ]
        }

    def _power(self, name: str, wanted: dict[str, Any]) -> Answer:
        zone, owner = self.doors.zones.find(name), str(wanted.get("owner", ""))
        if wanted.get("on"):
            return {"lit": self.doors.zones.restore_power(zone, owner=owner)}
        lease_s = float(wanted.get("lease_s", 30.0))
        if not owner or not 0 < lease_s <= MAX_LEASE_S:
            raise ConfigError("a power cut needs an owner and a lease of up to 12 h", where=f"zones/{name}/power")
        return {"processes_killed": self.doors.zones.cut_power(zone, owner=owner, lease_s=lease_s)}

    async def _lags(self, _query: Query, _body: bytes) -> Answer:
        return {"lags": self.doors.replication.lags.shown()}

    async def _set_lag(self, _query: Query, body: bytes) -> Answer:
        wanted = json.loads(body)
        lag = parse_lag(wanted["lag"]) if wanted.get("lag") else None
        source, destination = (str(wanted.get(key) or "") for key in ("source", "destination"))
        self.doors.replication.lags.set(str(wanted["store"]), lag, source=source, destination=destination)
        return {"lags": self.doors.replication.lags.shown()}

    async def _links(self, _query: Query, _body: bytes) -> Answer:
        return {"links": self.doors.zones.links.shown()}

    async def _put_link(self, _query: Query, body: bytes) -> Answer:
        fault = msgspec.json.decode(body, type=LinkFault)
        self.doors.zones.links.put(fault)
        return {"id": fault.id}

    async def _remove_links(self, query: Query, _body: bytes) -> Answer:
        ended = self.doors.zones.links.remove(fault_id=query.get("id", ""), owner=query.get("owner", ""))
        return {"links": ended}

    async def _timings(self, _query: Query, _body: bytes) -> Answer:
        return {"timings": msgspec.to_builtins(self.owner.standing.timings())}

    async def _replication(self, _query: Query, _body: bytes) -> Answer:
        return {"replication": self.doors.replication.shown()}

    async def _evidence(self, query: Query, _body: bytes) -> Answer:
        events = self.doors.evidence.since(int(query.get("since", "0")), owner=query.get("owner", ""))
        return {"events": msgspec.to_builtins(events), "dropped": self.doors.evidence.dropped}

    async def _environments(self, _query: Query, _body: bytes) -> Answer:
        return {"environments": self.owner.standing.environments()}

    async def _tasks(self, _query: Query, _body: bytes) -> Answer:
        return {"tasks": self.owner.standing.tasks()}

    async def _databases(self, _query: Query, _body: bytes) -> Answer:
        return {"databases": self.owner.standing.databases()}

    async def _pulse(self, _query: Query, _body: bytes) -> Answer:
        return self.owner.standing.pulse()

    async def _names(self, _query: Query, _body: bytes) -> Answer:
        return {"port": await asyncio.to_thread(self.owner.standing.names_port)}

    async def _usage(self, _query: Query, _body: bytes) -> Answer:
        return {"usage": self.owner.standing.usage()}

    async def _hold_cpu(self, _query: Query, body: bytes) -> Answer:
        wanted = json.loads(body)
        self.owner.standing.hold_cpu(str(wanted["function"]), on=bool(wanted["on"]))
        return {"function": wanted["function"], "on": bool(wanted["on"])}

    async def _control_plane_calls(self, query: Query, _body: bytes) -> Answer:
        return {"calls": self.recorder.between(float(query["since_s"]), float(query["until_s"]))}

    async def _calls(self, _query: Query, _body: bytes) -> Answer:
        return {"calls": self.recorder.tally.rows()}

    async def _capabilities(self, _query: Query, _body: bytes) -> Answer:
        return {"capabilities": sorted(self.doors.capabilities)}

    async def _heal(self, _query: Query, _body: bytes) -> Answer:
        """Experiments first: they would renew what is ended below them."""
        services = await self.owner.heal_services()
        rules = self.doors.faults.remove()
        pauses = self.doors.replication.resume() + self.doors.tasks.remove()
        zones = self.doors.zones.heal()
        return {**services, "rules": [report.rule.id for report in rules] + pauses, "zones": list(zones)}

    async def _reset(self, query: Query, body: bytes) -> Answer:
        healed = await self._heal(query, body)
        await self.owner.reset()
        return {"reset": True, "healed": healed}

    async def _stop(self, _query: Query, _body: bytes) -> Answer:
        self.owner.stop()
        return {"stopping": True}


def _problem(code: str, message: str, where: str, hint: str = "") -> Answer:
    return {"error": {"code": code, "message": message, "where": where, "hint": hint}}
