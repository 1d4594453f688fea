"""The owner's client of the gate's control API, on the standard library alone so that it starts at once."""

from __future__ import annotations

import http.client
import json
from collections.abc import Mapping
from typing import Any
from urllib.parse import quote, urlencode, urlsplit

import msgspec

from harness import errors
from harness.cloud.evidence import EvidenceEvent
from harness.cloud.faults import FaultRule, RuleReport
from harness.cloud.links import LinkFault
from harness.cloud.timings import Timing
from harness.errors import BlackstartError, NotReadyError, NotSupportedError
from harness.target import Target

TOKEN_HEADER = "x-blackstart-token"  # noqa: S105 - the header's name


class ControlClient:
    """Calls `/_blackstart/*` of the gate of `target`. One connection a call: it may be used from any thread.

    Raises:
        NotSupportedError: the target has no gate of ours in front (real AWS).
    """

    def __init__(self, target: Target, *, timeout_s: float = 30.0) -> None:
        if not target.control_url or target.endpoint is None:
            raise NotSupportedError(
                "this target has no gate to control",
                where=f"target {target.kind}",
                hint="faults by rule and zone power need the embedded cloud or the reverse proxy",
            )
        parts = urlsplit(target.endpoint)
        self._host, self._port = parts.hostname or "127.0.0.1", parts.port or 80
        self._token = target.control_token
        self._timeout_s = timeout_s

    def alive(self, *, timeout_s: float = 2.0) -> bool:
        """True when the gate answers and takes our token."""
        try:
            self._call("GET", "ready", timeout_s=timeout_s)
        except BlackstartError:
            return False
        return True

    def put_rule(self, rule: FaultRule) -> None:
        """Put a fault in force, or replace the one with this id.

        Raises:
            ConfigError: the rule cannot be meant.
        """
        self._call("POST", "faults", body=msgspec.json.encode(rule))

    def renew(self, owner: str) -> int:
        """Extend the leases of all rules and power cuts of `owner`; returns how many there are."""
        return int(self._call("POST", "faults/renew", {"owner": owner})["renewed"])

    def remove(self, rule_id: str = "", owner: str = "") -> list[RuleReport]:
        """End one rule, or all of an owner (or all, with neither); returns what ended. May be repeated."""
        return msgspec.convert(self._call("DELETE", "faults", {"id": rule_id, "owner": owner})["rules"], _REPORTS)

    def rules(self) -> list[RuleReport]:
        """The rules in force with what they matched and fired."""
        return msgspec.convert(self._call("GET", "faults")["rules"], _REPORTS)

    def zones(self) -> list[dict[str, Any]]:  # JSON as served
        """Each zone: `region`, `name`, `id`, `powered`, `owners` (who cut its power)."""
        return list(self._call("GET", "zones")["zones"])

    def cut_power(self, zone_id: str, owner: str, lease_s: float = 30.0) -> int:
        """Take a zone's power until restored or the lease ends; returns how many processes died."""
        body = {"on": False, "owner": owner, "lease_s": lease_s}
        return int(self._power(zone_id, body)["processes_killed"])

    def restore_power(self, zone_id: str, owner: str) -> bool:
        """Give back what `owner` took; True when the zone lights up. May be repeated."""
        return bool(self._power(zone_id, {"on": True, "owner": owner})["lit"])

    def lags(self) -> list[dict[str, str]]:
        """The lag of each kind of copy: `store`, `source`, `destination` ('' is any), `lag`."""
        return list(self._call("GET", "lags")["lags"])

    def set_lag(self, store: str, lag: str, *, source: str = "", destination: str = "") -> None:
        """Let copies of `dynamodb`, `s3`, `aurora` or `elasticache` take `lag` from now on; '' is the default again.

        Raises:
            ConfigError: there is no such store.
            UsageError: `lag` is no lag; see `harness.lag.parse_lag`.
        """
        wanted = {"store": store, "lag": lag, "source": source, "destination": destination}
        self._call("POST", "lags", body=json.dumps(wanted).encode())

    def disturb_link(self, fault: LinkFault) -> None:
        """Put a fault between two places in force, or renew it.

        Raises:
            ConfigError: it cannot be meant.
        """
        self._call("POST", "links", body=msgspec.json.encode(fault))

    def heal_links(self, owner: str = "", fault_id: str = "") -> list[str]:
        """End link faults of an owner, one, or all; returns their ids. May be repeated."""
        return list(self._call("DELETE", "links", {"owner": owner, "id": fault_id})["links"])

    def links(self) -> list[dict[str, Any]]:  # JSON as served
        """The link faults in force, with what they `matched` and hit (`fired`)."""
        return list(self._call("GET", "links")["links"])

    def timings(self) -> list[Timing]:
        """How long this cloud takes where AWS takes its time; [] in front of a foreign endpoint."""
        return msgspec.convert(self._call("GET", "timings")["timings"], list[Timing])

    def replication(self) -> list[dict[str, Any]]:  # JSON as served
        """What is under way to copies: `store name source destination pending oldest_s`, or `conflicts`."""
        return list(self._call("GET", "replication")["replication"])

    def evidence(self, since: int = 0, owner: str = "") -> list[EvidenceEvent]:
        """What happened after event number `since`, oldest first."""
        found = self._call("GET", "evidence", {"since": since, "owner": owner})["events"]
        return msgspec.convert(found, list[EvidenceEvent])

    def environments(self) -> list[dict[str, Any]]:  # JSON as served
        """The Lambda execution environments that run now."""
        return list(self._call("GET", "environments")["environments"])

    def tasks(self) -> list[dict[str, Any]]:  # JSON as served
        """The ECS tasks that have not stopped: `task group zone status address pids`."""
        return list(self._call("GET", "tasks")["tasks"])

    def databases(self) -> list[dict[str, Any]]:  # JSON as served
        """DB instances and cache nodes: `kind cluster name role region zone alive`."""
        return list(self._call("GET", "databases")["databases"])

    def pulse(self) -> dict[str, Any]:  # JSON as served
        """What the front doors answered in the last five minutes, by second; see `harness/cloud/pulse.py`."""
        return self._call("GET", "pulse")

    def names_port(self) -> int:
        """The port of 127.0.0.1 that answers for Route 53: DNS over UDP and TCP, and an HTTP proxy."""
        return int(self._call("GET", "names")["port"])

    def hold_cpu(self, function: str, *, on: bool) -> None:
        """Hold a function's processes to the CPU share of their memory, as AWS does, or no longer."""
        self._call("POST", "cpu-shares", body=json.dumps({"function": function, "on": on}).encode())

    def usage(self) -> dict[str, float]:
        """What AWS would have charged for since the cloud started, by meter; see `harness/cloud/usage/`."""
        return {str(name): float(value) for name, value in self._call("GET", "usage")["usage"].items()}

    def control_plane_calls(self, since_s: float, until_s: float) -> list[dict[str, Any]]:  # JSON as served
        """Calls that changed infrastructure between two monotonic instants: `at_s service operation region …`."""
        return list(self._call("GET", "control-plane-calls", {"since_s": since_s, "until_s": until_s})["calls"])

    def calls(self) -> list[dict[str, Any]]:  # JSON as served
        """How often each operation was asked for, and by which function ('' for a caller outside)."""
        return list(self._call("GET", "calls")["calls"])

    def heal(self) -> dict[str, Any]:  # JSON as served
        """End every fault now; returns what was ended. May be repeated."""
        return self._call("POST", "heal")

    def reset(self) -> None:
        """Heal, then forget every AWS resource."""
        self._call("POST", "reset")

    def capabilities(self) -> list[str]:
        """What this gate can do, by the names that `blackstart_requires` takes."""
        return list(self._call("GET", "capabilities")["capabilities"])

    def stop(self) -> None:
        """Ask the server to end; it answers before it does."""
        self._call("POST", "stop")

    def _power(self, zone_id: str, body: Mapping[str, object]) -> dict[str, Any]:
        return self._call("POST", f"zones/{quote(zone_id)}/power", body=json.dumps(body).encode())

    def _call(
        self,
        method: str,
        path: str,
        query: Mapping[str, object] | None = None,
        *,
        body: bytes = b"",
        timeout_s: float = 0.0,
    ) -> dict[str, Any]:
        connection = http.client.HTTPConnection(self._host, self._port, timeout=timeout_s or self._timeout_s)
        suffix = f"?{urlencode(query)}" if query else ""
        try:
            connection.request(method, f"/_blackstart/{path}{suffix}", body, {TOKEN_HEADER: self._token})
            response = connection.getresponse()
            status, content = response.status, response.read()
        except (OSError, http.client.HTTPException) as error:
            raise NotReadyError(
                f"the cloud does not answer: {str(error) or type(error).__name__}",
                where=f"http://{self._host}:{self._port}",
                hint="blackstart status; start one with: blackstart up",
            ) from error
        finally:
            connection.close()
        return _answer(status, content)


_REPORTS = list[RuleReport]


def _answer(status: int, content: bytes) -> dict[str, Any]:
    try:
        answer: dict[str, Any] = json.loads(content)
    except ValueError as error:
        raise NotReadyError(f"the cloud answered {status} with no JSON", hint="is another server there?") from error
    if status < 400:
        return answer
    said = answer.get("error", {})
    kinds = {kind.code: kind for kind in vars(errors).values() if isinstance(kind, type) and hasattr(kind, "code")}
    raise kinds.get(said.get("code"), NotReadyError)(
        said.get("message", f"HTTP {status}"), where=said.get("where", ""), hint=said.get("hint", "")
    )
