"""Load balancers, their listeners and targets."""

from typing import Any

L = "aws:lb/"
E = "aws:ec2/"
CERTIFICATE = "arn:aws:acm:us-east-1:000000000000:certificate/1"

BALANCED = {
    "vpc": (E + "vpc:Vpc", {"cidrBlock": "10.0.0.0/16"}),
    "a": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-east-1a"}),
    "b": (E + "subnet:Subnet", {"vpcId": "${vpc}", "cidrBlock": "10.0.2.0/24", "availabilityZone": "us-east-1b"}),
    "group": (E + "securityGroup:SecurityGroup", {"vpcId": "${vpc}"}),
    "lb": (L + "loadBalancer:LoadBalancer", {
        "internal": True, "securityGroups": ["${group}"], "subnets": ["${a}", "${b}"], "idleTimeout": 30,
        "accessLogs": {"bucket": "logs", "enabled": False}, "tags": {"a": "b"}}),
    "web": (L + "targetGroup:TargetGroup", {
        "port": 80, "protocol": "HTTP", "vpcId": "${vpc}", "targetType": "ip", "deregistrationDelay": 5,
        "healthCheck": {"path": "/health", "interval": 10, "healthyThreshold": 2, "matcher": "200-299"},
        "stickiness": {"type": "lb_cookie", "enabled": False, "cookieDuration": 60}, "tags": {"a": "b"}}),
    "other": (L + "targetGroup:TargetGroup", {"port": 80, "protocol": "HTTP", "vpcId": "${vpc}"}),
    "target": (L + "targetGroupAttachment:TargetGroupAttachment", {
        "targetGroupArn": "${web}", "targetId": "10.0.1.10", "port": 8080}),
    "http": (L + "listener:Listener", {
        "loadBalancerArn": "${lb}", "port": 80, "tags": {"a": "b"},
        "defaultActions": [{"type": "redirect", "redirect": {
            "port": "443", "protocol": "HTTPS", "statusCode": "HTTP_301"}}]}),
    "https": ("aws:alb/listener:Listener", {
        "loadBalancerArn": "${lb}", "port": 443, "protocol": "HTTPS", "certificateArn": CERTIFICATE,
        "defaultActions": [{"type": "forward", "targetGroupArn": "${web}"}]}),
    "rule": (L + "listenerRule:ListenerRule", {
        "listenerArn": "${https}", "priority": 10, "actions": [{"type": "forward", "targetGroupArn": "${other}"}],
        "conditions": [{"pathPattern": {"values": ["/api/*"]}}, {"hostHeader": {"values": ["shop.example.com"]}}]}),
    "last": (L + "listenerRule:ListenerRule", {
        "listenerArn": "${https}", "conditions": [{"pathPattern": {"values": ["/teapot"]}}],
        "actions": [{"type": "fixed-response", "fixedResponse": {
            "contentType": "text/plain", "messageBody": "short and stout", "statusCode": "418"}}]}),
    "second": (L + "listenerCertificate:ListenerCertificate", {
        "listenerArn": "${https}", "certificateArn": "arn:aws:iam::000000000000:server-certificate/second"}),
}  # fmt: skip
BALANCED_CHANGES: dict[str, dict[str, Any]] = {
    "lb": {"idleTimeout": 60, "subnets": ["${a}"], "tags": {"a": "c"}},
    "web": {"healthCheck": {"path": "/ready", "interval": 10, "healthyThreshold": 2, "matcher": "200"},
            "deregistrationDelay": 10},
    "http": {"defaultActions": [{"type": "forward", "targetGroupArn": "${web}"}]},
    "rule": {"priority": 20, "conditions": [{"pathPattern": {"values": ["/v2/*"]}}]},
}  # fmt: skip


def test_load_balancers(lives: Any) -> None:
    lives.run(BALANCED, BALANCED_CHANGES)
