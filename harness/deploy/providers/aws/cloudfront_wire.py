"""CloudFront's own way with lists: `{"Quantity": 2, "Items": [...]}` where Pulumi has a list."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.deploy.providers.aws.shapes import Renames, scalar_text
from harness.deploy.providers.resource import Properties


def to_cloudfront(shape: Any, value: Any, renames: Renames) -> Any:
    """`value` as `shape` (botocore's) takes it."""
    match shape.type_name:
        case "structure":
            return _structure(shape, value, renames)
        case "list":
            items = value if isinstance(value, list) else [value]
            return [to_cloudfront(shape.member, item, renames) for item in items]
        case "integer" | "long":
            return int(value)
        case "boolean":
            return value if isinstance(value, bool) else str(value).lower() == "true"
        case "double" | "float":
            return float(value)
        case _:
            return scalar_text(value)


def _structure(shape: Any, value: Any, renames: Renames) -> dict[str, Any]:
    if "Quantity" in shape.members:
        if isinstance(value, Mapping) and set(value) <= {"items"}:  # a block whose only content is the list
            value = value.get("items") or []
        if isinstance(value, list):
            return _counted(shape, value, renames)
    block = (value[0] if value else {}) if isinstance(value, list) else value
    by_member = {renames.get(name, name).lower(): inner for name, inner in block.items() if inner is not None}
    made = {
        member: to_cloudfront(inner, by_member[member.lower()], renames)
        for member, inner in shape.members.items()
        if member.lower() in by_member
    }
    if "Quantity" in shape.members and "Items" in made:
        made["Quantity"] = len(made["Items"])
    return made


def _counted(shape: Any, items: list[Any], renames: Renames) -> dict[str, Any]:
    made: dict[str, Any] = {"Quantity": len(items)}
    if items:
        made["Items"] = [to_cloudfront(shape.members["Items"].member, item, renames) for item in items]
    if "Enabled" in shape.members:
        made["Enabled"] = bool(items)
    return made


def distribution_config(shape: Any, inputs: Properties, reference: str) -> dict[str, Any]:
    """A distribution's configuration; `reference` is the caller's."""
    default = _behaviour(inputs["defaultCacheBehavior"])
    wanted: Properties = {
        **{name: value for name, value in inputs.items() if name not in {"tags", "loggingConfig", "originGroups"}},
        "comment": inputs.get("comment") or "",
        "callerReference": reference,
        "aliases": inputs.get("aliases") or [],
        "defaultCacheBehavior": default,
        "orderedCacheBehaviors": [_behaviour(one) for one in inputs.get("orderedCacheBehaviors") or ()],
        "customErrorResponses": inputs.get("customErrorResponses") or [],
        "restrictions": {"geoRestriction": _places(inputs["restrictions"])},
        "origins": [_origin(one) for one in inputs["origins"]],
        "defaultRootObject": inputs.get("defaultRootObject") or "",
        "webAclId": inputs.get("webAclId") or "",
    }
    made: dict[str, Any] = to_cloudfront(shape, wanted, _NAMES)
    logging = inputs.get("loggingConfig") or {}
    made["Logging"] = {"Enabled": bool(logging), "IncludeCookies": bool(logging.get("includeCookies")),
                       "Bucket": logging.get("bucket") or "", "Prefix": logging.get("prefix") or ""}  # fmt: skip
    made["OriginGroups"] = _origin_groups(inputs.get("originGroups") or [])
    return made


_NAMES: Renames = {
    "originId": "Id",
    "orderedCacheBehaviors": "CacheBehaviors",
    "lambdaArn": "LambdaFunctionARN",
    "locations": "Items",
    "originAccessControlId": "OriginAccessControlId",
}


def _behaviour(behaviour: Properties) -> Properties:
    """Methods are one block with what is cached of them; what is forwarded without a policy is a block."""
    made = {name: value for name, value in behaviour.items() if name not in {"cachedMethods", "allowedMethods"}}
    allowed, cached = behaviour["allowedMethods"], behaviour["cachedMethods"]
    made["allowedMethods"] = {"items": allowed, "cachedMethods": cached}
    forwarded = behaviour.get("forwardedValues")
    if forwarded:
        block = forwarded[0] if isinstance(forwarded, list) else forwarded
        cookies = block["cookies"]
        made["forwardedValues"] = {
            "queryString": block["queryString"],
            "queryStringCacheKeys": block.get("queryStringCacheKeys") or [],
            "headers": block.get("headers") or [],
            "cookies": {"forward": cookies["forward"], "whitelistedNames": cookies.get("whitelistedNames") or []},
        }
    for name in ("trustedSigners", "trustedKeyGroups", "functionAssociations", "lambdaFunctionAssociations"):
        made[name] = behaviour.get(name) or []
    made.setdefault("compress", False)
    made["smoothStreaming"] = bool(behaviour.get("smoothStreaming"))
    made["fieldLevelEncryptionId"] = behaviour.get("fieldLevelEncryptionId") or ""
    if not behaviour.get("cachePolicyId"):
        made["minTtl"] = behaviour.get("minTtl") or 0
    return made


def _origin(origin: Properties) -> Properties:
    """An origin is a bucket or an address of its own; a bucket without an identity says so with an empty one."""
    headers = [{"headerName": one["name"], "headerValue": one["value"]} for one in origin.get("customHeaders") or ()]
    made = {**origin, "customHeaders": headers, "originPath": origin.get("originPath") or ""}
    if not origin.get("customOriginConfig") and not origin.get("vpcOriginConfig"):
        made["s3OriginConfig"] = origin.get("s3OriginConfig") or {"originAccessIdentity": ""}
    return made


def _places(restrictions: Properties) -> Properties:
    block = restrictions["geoRestriction"]
    place = block[0] if isinstance(block, list) else block
    return {"restrictionType": place["restrictionType"], "items": place.get("locations") or []}


def _origin_groups(groups: list[Properties]) -> dict[str, Any]:
    made = []
    for group in groups:
        codes = group["failoverCriteria"]["statusCodes"]
        members = [{"OriginId": one["originId"]} for one in group["members"]]
        made.append({
            "Id": group["originId"],
            "FailoverCriteria": {"StatusCodes": {"Quantity": len(codes), "Items": [int(code) for code in codes]}},
            "Members": {"Quantity": len(members), "Items": members},
        })  # fmt: skip
    return {"Quantity": len(made), **({"Items": made} if made else {})}
