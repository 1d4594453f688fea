"""What no cloud underneath keeps: refused before anything is created, with what comes nearest.

Either the service has no home (`cloud/homes.py`), or its home lacks what creates, reads or deletes the type: a stack
that cannot go away again is worse than one that is refused.
"""

from __future__ import annotations

from collections.abc import Mapping

_NOWHERE = "no emulator here keeps it"

REFUSED: Mapping[str, str] = {
    "aws:accessanalyzer": _NOWHERE,
    "aws:apprunner": f"{_NOWHERE}; aws:ecs/service:Service behind aws:lb/loadBalancer:LoadBalancer does the same",
    "aws:batch": "its queues cannot be deleted here; aws:sfn/stateMachine:StateMachine with a function is near",
    "aws:codeartifact": _NOWHERE,
    "aws:ec2transitgateway": f"{_NOWHERE}; aws:ec2/vpcPeeringConnection:VpcPeeringConnection links two VPCs",
    "aws:elasticsearch": "use aws:opensearch/domain:Domain",
    "aws:elb": "classic load balancers are kept by nobody here; use aws:lb/loadBalancer:LoadBalancer",
    "aws:globalaccelerator": f"{_NOWHERE}; aws:route53/record:Record with failover or latency routing is near",
    "aws:lightsail": f"{_NOWHERE}; use aws:ec2/instance:Instance",
    "aws:memorydb": "it does not see subnets here; use aws:elasticache/replicationGroup:ReplicationGroup",
    "aws:servicequotas": "quotas can be read here and not raised",
    "aws:ssm": "only parameters and documents are kept: associations, maintenance windows and patches are not",
    "aws:synthetics": "canaries cannot be deleted here; use aws:scheduler/schedule:Schedule with a function",
    "aws:xray": "kept by nobody here; tracing itself is a setting of aws:lambda/function:Function and of stages",
}
"""A service, as tokens begin, to why and what is near."""
