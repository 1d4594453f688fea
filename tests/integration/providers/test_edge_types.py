"""The edge: CloudFront and WAF."""

from typing import Any

C = "aws:cloudfront/"
W = "aws:wafv2/"
SEEN = {"cloudwatchMetricsEnabled": True, "metricName": "shop", "sampledRequestsEnabled": True}
MANAGED = {
    "name": "common", "priority": 1, "overrideAction": {"none": {}}, "visibilityConfig": SEEN,
    "statement": {"managedRuleGroupStatement": {"name": "AWSManagedRulesCommonRuleSet", "vendorName": "AWS"}},
}  # fmt: skip
LIMIT = {
    "name": "limit", "priority": 2, "action": {"block": {}}, "visibilityConfig": SEEN,
    "statement": {"rateBasedStatement": {"limit": 1000, "aggregateKeyType": "IP", "scopeDownStatement": {
        "notStatement": {"statement": {"geoMatchStatement": {"countryCodes": ["CH"]}}}}}},
}  # fmt: skip
ADMIN = {
    "name": "admin", "priority": 3, "action": {"block": {}}, "visibilityConfig": SEEN,
    "statement": {"byteMatchStatement": {
        "positionalConstraint": "STARTS_WITH", "searchString": "/admin", "fieldToMatch": {"uriPath": {}},
        "textTransformations": [{"priority": 0, "type": "NONE"}]}},
}  # fmt: skip

CONTENT = {
    "access": (C + "originAccessControl:OriginAccessControl", {
        "originAccessControlOriginType": "s3", "signingBehavior": "always", "signingProtocol": "sigv4"}),
    "cached": (C + "cachePolicy:CachePolicy", {
        "defaultTtl": 60, "parametersInCacheKeyAndForwardedToOrigin": {
            "cookiesConfig": {"cookieBehavior": "whitelist", "cookies": {"items": ["session"]}},
            "headersConfig": {"headerBehavior": "none"}, "queryStringsConfig": {"queryStringBehavior": "all"},
            "enableAcceptEncodingGzip": True}}),
    "passed": (C + "originRequestPolicy:OriginRequestPolicy", {
        "cookiesConfig": {"cookieBehavior": "none"}, "headersConfig": {
            "headerBehavior": "whitelist", "headers": {"items": ["Origin"]}},
        "queryStringsConfig": {"queryStringBehavior": "none"}}),
    "secured": (C + "responseHeadersPolicy:ResponseHeadersPolicy", {
        "securityHeadersConfig": {"strictTransportSecurity": {"accessControlMaxAgeSec": 60, "override": True}}}),
    "rewrite": (C + "function:Function", {
        "runtime": "cloudfront-js-2.0", "code": "function handler(event) { return event.request; }"}),
    "shop": (C + "distribution:Distribution", {
        "enabled": True, "defaultRootObject": "index.html", "comment": "the shop", "aliases": ["shop.example.com"],
        "origins": [
            {"originId": "pages", "domainName": "pages.s3.amazonaws.com", "originAccessControlId": "${access}"},
            {"originId": "api", "domainName": "api.example.com",
             "customHeaders": [{"name": "X-From", "value": "edge"}],
             "customOriginConfig": {"httpPort": 80, "httpsPort": 443, "originProtocolPolicy": "https-only",
                                    "originSslProtocols": ["TLSv1.2"]}}],
        "defaultCacheBehavior": {
            "targetOriginId": "pages", "viewerProtocolPolicy": "redirect-to-https", "allowedMethods": ["GET", "HEAD"],
            "cachedMethods": ["GET", "HEAD"],
            "forwardedValues": {"queryString": False, "cookies": {"forward": "none"}},
            "functionAssociations": [{"eventType": "viewer-request", "functionArn": "${rewrite.arn}"}]},
        "orderedCacheBehaviors": [{
            "pathPattern": "/api/*", "targetOriginId": "api", "viewerProtocolPolicy": "https-only",
            "allowedMethods": ["GET", "HEAD", "OPTIONS", "PUT", "POST", "PATCH", "DELETE"],
            "cachedMethods": ["GET", "HEAD"], "cachePolicyId": "${cached}", "compress": True}],
        "customErrorResponses": [{"errorCode": 404, "responseCode": 200, "responsePagePath": "/index.html"}],
        "restrictions": {"geoRestriction": {"restrictionType": "whitelist", "locations": ["CH", "DE"]}},
        "viewerCertificate": {"cloudfrontDefaultCertificate": True}, "tags": {"a": "b"}}),
    "identity": (C + "originAccessIdentity:OriginAccessIdentity", {"comment": "pages"}),
}  # fmt: skip
CONTENT_CHANGES: dict[str, dict[str, Any]] = {
    "access": {"description": "the pages"},
    "cached": {"defaultTtl": 120},
    "rewrite": {"code": "function handler(event) { var r = event.request; return r; }"},
    "shop": {"comment": "the store", "priceClass": "PriceClass_100", "tags": {"a": "c"}},
}

WALLS = {
    "known": (W + "ipSet:IpSet", {
        "scope": "REGIONAL", "ipAddressVersion": "IPV4", "addresses": ["192.0.2.0/24"], "tags": {"a": "b"}}),
    "bots": (W + "regexPatternSet:RegexPatternSet", {
        "scope": "REGIONAL", "regularExpressions": [{"regexString": "bot.*"}]}),
    "group": (W + "ruleGroup:RuleGroup", {
        "scope": "REGIONAL", "capacity": 50, "visibilityConfig": SEEN, "rules": [ADMIN]}),
    "wall": (W + "webAcl:WebAcl", {
        "scope": "REGIONAL", "defaultAction": {"allow": {}}, "visibilityConfig": SEEN, "tags": {"a": "b"},
        "rules": [MANAGED, LIMIT, {
            "name": "known", "priority": 9, "action": {"allow": {}}, "visibilityConfig": SEEN,
            "statement": {"ipSetReferenceStatement": {"arn": "${known.arn}"}}}]}),
    "lb": ("aws:lb/loadBalancer:LoadBalancer", {"internal": True, "subnets": ["subnet-1"]}),
    "stands": (W + "webAclAssociation:WebAclAssociation", {"webAclArn": "${wall.arn}", "resourceArn": "${lb.arn}"}),
    "told": (W + "webAclLoggingConfiguration:WebAclLoggingConfiguration", {
        "resourceArn": "arn:aws:wafv2:us-east-1:000000000000:regional/webacl/a/b",
        "logDestinationConfigs": ["arn:aws:logs:us-east-1:000000000000:log-group:aws-waf-logs-shop"]}),
}  # fmt: skip
WALLS_CHANGES: dict[str, dict[str, Any]] = {
    "known": {"addresses": ["198.51.100.0/24"], "tags": {"a": "c"}},
    "bots": {"regularExpressions": [{"regexString": "crawler.*"}]},
    "wall": {"rules": [MANAGED], "defaultAction": {"block": {}}},
}


def test_content(lives: Any) -> None:
    lives.run(CONTENT, CONTENT_CHANGES, lacking=("identity",))


def test_walls(lives: Any) -> None:
    lives.run(WALLS, WALLS_CHANGES, lacking=("told",))
