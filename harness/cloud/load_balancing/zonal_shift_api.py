"""The API of ARC zonal shift, as far as shifts that a person starts go; autoshift itself never starts here.

Source: https://docs.aws.amazon.com/arc-zonal-shift/latest/api/Welcome.html
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, unquote

from harness.clock import parse_duration_s
from harness.cloud.asgi import Receive, Scope, Send, read_body, respond
from harness.cloud.load_balancing.zonal_shift import Shift, Shifted, ZonalShifts

_LONGEST_S = 3 * 86400.0
"""A shift lasts three days at the most.
https://docs.aws.amazon.com/arc-zonal-shift/latest/api/API_StartZonalShift.html"""

Body = dict[str, Any]  # JSON


class _RefusedError(Exception):
    def __init__(self, status: int, code: str, message: str, **more: str) -> None:
        super().__init__(message)
        self.status, self.code, self.more = status, code, more


@dataclass(frozen=True, slots=True)
class ZonalShiftApi:
    """An ASGI application behind the gate."""

    shifts: ZonalShifts

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        given = await read_body(receive)
        if given is None:
            return
        raw = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1").partition("?")[0]
        parts = [unquote(part) for part in raw.strip("/").split("/")]
        query = dict(parse_qsl(scope.get("query_string", b"").decode("latin-1")))
        try:
            status, body = self._answer(scope["method"], parts, json.loads(given or b"{}"), query)
        except _RefusedError as error:
            said = {"message": str(error), **error.more}
            kind = (("x-amzn-errortype", error.code),)
            await respond(send, error.status, json.dumps(said).encode(), headers=kind)
            return
        await respond(send, status, json.dumps(body).encode())

    def _answer(self, method: str, parts: list[str], body: Body, query: Mapping[str, str]) -> tuple[int, Body]:
        one: dict[tuple[str, str], Callable[[str, Body], Body]] = {
            ("DELETE", "zonalshifts"): lambda name, _: _shown(self.shifts.end(self._active(name))),
            ("PATCH", "zonalshifts"): self._update,
            ("GET", "managedresources"): lambda name, _: self._resource(self._find(name)),
        }
        every: dict[tuple[str, str], Callable[[], tuple[int, Body]]] = {
            ("POST", "zonalshifts"): lambda: (201, self._start(body)),
            ("GET", "zonalshifts"): lambda: (200, self._list(query)),
            ("GET", "managedresources"): lambda: (200, self._resources()),
            ("GET", "autoshifts"): lambda: (200, {"items": []}),
        }
        if len(parts) > 1 and (method, parts[0]) in one:
            return 200, one[method, parts[0]]("/".join(parts[1:]), body)
        if len(parts) == 1 and (method, parts[0]) in every:
            return every[method, parts[0]]()
        raise _RefusedError(
            501, "NotImplemented", f"the embedded cloud lacks {method} /{parts[0]} of arc-zonal-shift"
        )

    def _start(self, body: Body) -> Body:
        resource, zone = self._find(str(body.get("resourceIdentifier"))), str(body.get("awayFrom"))
        if not resource.can_be_shifted:
            said = f"{resource.arn}: zonal shift is not enabled (attribute zonal_shift.config.enabled)"
            raise _RefusedError(404, "ResourceNotFoundException", said)
        if zone not in resource.zone_ids:
            said = f"{resource.arn} is not in {zone}"
            raise _RefusedError(400, "ValidationException", said, reason="InvalidAz")
        active = self.shifts.active(resource.arn)
        if active:
            said = f"{resource.arn} has an active zonal shift"
            raise _RefusedError(
                409, "ConflictException", said, reason="ZonalShiftAlreadyExists", zonalShiftId=active[0].id
            )
        lasts_s, comment = _lasts_s(str(body.get("expiresIn"))), str(body.get("comment") or "")
        return _shown(self.shifts.start(resource, zone, lasts_s, comment=comment))

    def _update(self, name: str, body: Body) -> Body:
        lasts_s = _lasts_s(str(body["expiresIn"])) if body.get("expiresIn") else 0.0
        shift = self._active(name)
        return _shown(self.shifts.change(shift, comment=str(body.get("comment") or ""), lasts_s=lasts_s))

    def _list(self, query: Mapping[str, str]) -> Body:
        self.shifts.expire()
        return {
            "items": [
                {**_shown(shift), "shiftType": shift.kind}
                for shift in self.shifts.shifts.values()
                if query.get("status", shift.status) == shift.status
                and query.get("resourceIdentifier", shift.resource) == shift.resource
            ]
        }

    def _resource(self, found: Shifted) -> Body:
        away = {shift.away_from for shift in self.shifts.active(found.arn)}
        return {
            "arn": found.arn,
            "name": found.arn.split("/")[-2],
            "appliedWeights": {zone: 0.0 if zone in away else 1.0 for zone in found.zone_ids},
            "zonalShifts": [{**_shown(shift), "appliedStatus": "APPLIED"} for shift in self.shifts.active(found.arn)],
            "autoshifts": [],
            "zonalAutoshiftStatus": "DISABLED",
        }

    def _resources(self) -> Body:
        shown = [self._resource(one) for one in self.shifts.resources.every() if one.can_be_shifted]
        return {"items": [{**one, "availabilityZones": sorted(one["appliedWeights"])} for one in shown]}

    def _find(self, arn: str) -> Shifted:
        found = self.shifts.resources.find(arn)
        if found is None:
            raise _RefusedError(404, "ResourceNotFoundException", f"{arn} is no managed resource")
        return found

    def _active(self, name: str) -> Shift:
        self.shifts.expire()
        found = self.shifts.shifts.get(name)
        if found is None:
            raise _RefusedError(404, "ResourceNotFoundException", f"no zonal shift {name}")
        if found.status != "ACTIVE":
            said = f"zonal shift {name} is {found.status}"
            raise _RefusedError(409, "ConflictException", said, reason="ZonalShiftStatusNotActive", zonalShiftId=name)
        return found


def _lasts_s(text: str) -> float:
    if not re.fullmatch(r"[1-9][0-9]*[mh]", text) or not 60.0 <= parse_duration_s(text) <= _LONGEST_S:
        said = "expiresIn: a number of minutes (m) or hours (h), three days at the most"
        raise _RefusedError(400, "ValidationException", said, reason="InvalidExpiresIn")
    return parse_duration_s(text)


def _shown(shift: Shift) -> Body:
    return {
        "zonalShiftId": shift.id,
        "resourceIdentifier": shift.resource,
        "awayFrom": shift.away_from,
        "startTime": shift.started_s,
        "expiryTime": shift.expires_s,
        "status": shift.status,
        "comment": shift.comment,
    }
