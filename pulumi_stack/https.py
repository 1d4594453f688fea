"""HTTPS for a load balancer: a certificate of ACM, proved by DNS, and a name that leads there.

The domain must be yours: where it is registered, the name servers of the zone are named. Until then ACM waits.
https://docs.aws.amazon.com/acm/latest/userguide/dns-validation.html
"""

from dataclasses import dataclass

import pulumi
import pulumi_aws as aws

POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"


@dataclass(frozen=True)
class HttpsArgs:
    """`host` is a name in `domain`. `group` gets what `balancer` decrypts."""

    domain: str
    host: str
    balancer: aws.lb.LoadBalancer
    group: pulumi.Input[str]


class Https(pulumi.ComponentResource):
    """Outputs: `certificate`, `listener`, `zone`."""

    def __init__(self, name: str, args: HttpsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__("shop:index:Https", name, None, opts)
        self._name, self._child = name, pulumi.ResourceOptions(parent=self)
        self.zone = aws.route53.Zone(
            name, name=args.domain, force_destroy=True, tags={"app": "shop"}, opts=self._child
        )
        self.certificate = aws.acm.Certificate(
            name, domain_name=args.host, validation_method="DNS", tags={"app": "shop"}, opts=self._child
        )
        self.listener = aws.lb.Listener(
            name,
            load_balancer_arn=args.balancer.arn,
            port=443,
            protocol="HTTPS",
            ssl_policy=POLICY,
            certificate_arn=self._proved().certificate_arn,
            default_actions=[{"type": "forward", "target_group_arn": args.group}],
            tags={"app": "shop"},
            opts=self._child,
        )
        aws.route53.Record(
            name,
            zone_id=self.zone.zone_id,
            name=args.host,
            type="A",
            aliases=[
                {
                    "name": args.balancer.dns_name,
                    "zone_id": args.balancer.zone_id,
                    "evaluate_target_health": True,
                }
            ],
            opts=self._child,
        )
        self.register_outputs({"certificate": self.certificate.arn})

    def _proved(self) -> aws.acm.CertificateValidation:
        proof = self.certificate.domain_validation_options[0]
        record = aws.route53.Record(
            f"{self._name}-proof",
            zone_id=self.zone.zone_id,
            name=proof.resource_record_name,
            type=proof.resource_record_type,
            records=[proof.resource_record_value],
            ttl=60,
            opts=self._child,
        )
        return aws.acm.CertificateValidation(
            self._name,
            certificate_arn=self.certificate.arn,
            validation_record_fqdns=[record.fqdn],
            opts=self._child,
        )
