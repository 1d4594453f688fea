"""The names under which customers reach the shop, wherever it is served: Route 53 with health checks.

A pair of failover records answers with the home as long as it is healthy; an active-active shop has weighted
records, and a name for each region for clients that keep both.
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

TTL_S = 10
INTERVAL_S = 10
FAILURES = 2


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
        hosts = [args.home, args.standby]
        self.check = self._check("home", hosts[0])
        checks = [self.check, self._check("standby", hosts[1]) if args.weighted else None]
        for number, (region, host, check) in enumerate(zip(args.regions, hosts, checks, strict=True)):
            self._record(region, host, check, failover="SECONDARY" if number else "PRIMARY")
            aws.route53.Record(
                f"{name}-only-{region}",
                zone_id=self.zone.zone_id,
                name=f"{region}.{args.domain}",
                type="CNAME",
                ttl=TTL_S,
                records=[host],
                opts=self._child,
            )
        self.url = f"http://www.{args.domain}"
        self.urls = [f"http://{region}.{args.domain}" for region in args.regions]
        self.register_outputs({"url": self.url})

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

    def _record(
        self, region: str, host: pulumi.Input[str], check: aws.route53.HealthCheck | None, failover: str
    ) -> None:
        policy = (
            {"weighted_routing_policies": [{"weight": 50}]}
            if self._args.weighted
            else {"failover_routing_policies": [{"type": failover}]}
        )
        aws.route53.Record(
            f"{self._name}-{region}",
            zone_id=self.zone.zone_id,
            name=f"www.{self._args.domain}",
            type="CNAME",
            ttl=TTL_S,
            records=[host],
            set_identifier=region,
            health_check_id=check.id if check is not None else None,
            **policy,
            opts=self._child,
        )
