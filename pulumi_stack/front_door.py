"""The names under which customers reach the shop, wherever it is served: Route 53 with health checks.

A pair of failover records answers with the home as long as it is healthy. An active-active shop has weighted records,
and a name for the customers near each region that leads to the other one when theirs is not healthy.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_aws as aws

TTL_S = 10
INTERVAL_S = 10
FAILURES = 2
Served = tuple[str, pulumi.Input[str], aws.route53.HealthCheck | None]
"""Where an API is, its name there, and what asks whether it is healthy."""


@dataclass(frozen=True)
class FrontDoorArgs:
    """`home` and `standby` are names of APIs, each in one of the `regions`."""

    domain: str
    home: pulumi.Input[str]
    standby: pulumi.Input[str]
    regions: tuple[str, str]
    weighted: bool = False


class FrontDoor(pulumi.ComponentResource):
    """Outputs: `url`, `urls` (of each region), `check` (of the home) and `zone`."""

    def __init__(self, name: str, args: FrontDoorArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("orders:index:FrontDoor", name, None, opts)
        self._name, self._args, self._child = name, args, pulumi.ResourceOptions(parent=self)
        self.zone = aws.route53.Zone(name, name=args.domain, force_destroy=True, opts=self._child)
        self.check = self._check("home", args.home)
        home = (args.regions[0], args.home, self.check)
        standby = (args.regions[1], args.standby, self._check("standby", args.standby) if args.weighted else None)
        if args.weighted:
            even = {"weighted_routing_policies": [{"weight": 50}]}
            self._record("www", home, even)
            self._record("www", standby, even)
            self._pair(args.regions[0], home, standby)
            self._pair(args.regions[1], standby, home)
        else:
            self._pair("www", home, standby)
        self.url = f"http://www.{args.domain}"
        self.urls = [f"http://{region}.{args.domain}" for region in args.regions]
        self.register_outputs({"url": self.url})

    def _pair(self, label: str, primary: Served, secondary: Served) -> None:
        """A name that leads to `primary` as long as it is healthy."""
        self._record(label, primary, {"failover_routing_policies": [{"type": "PRIMARY"}]})
        self._record(label, secondary, {"failover_routing_policies": [{"type": "SECONDARY"}]})

    def _check(self, label: str, host: pulumi.Input[str]) -> aws.route53.HealthCheck:
        return aws.route53.HealthCheck(
            f"{self._name}-{label}",
            type="HTTPS",
            fqdn=host,
            port=443,
            resource_path="/health",
            request_interval=INTERVAL_S,
            failure_threshold=FAILURES,
            tags={"app": "orders"},
            opts=self._child,
        )

    def _record(self, label: str, served: Served, policy: Mapping[str, Any]) -> None:
        region, host, check = served
        aws.route53.Record(
            f"{self._name}-{label}-{region}",
            zone_id=self.zone.zone_id,
            name=f"{label}.{self._args.domain}",
            type="CNAME",
            ttl=TTL_S,
            records=[host],
            set_identifier=region,
            health_check_id=check.id if check is not None else None,
            **policy,
            opts=self._child,
        )
