"""Route 53: zones, records, health checks."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.described import agrees
from harness.deploy.providers.aws.search import Listing
from harness.deploy.providers.aws.shapes import to_request
from harness.deploy.providers.aws.tags import Tagging, Tags
from harness.deploy.providers.resource import Context, Invoke, Properties
from harness.errors import ProviderError


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsTagging(Tagging):
    """Route 53 changes tags by one operation, which is told what kind of thing it is about."""

    def change(self, client: Any, resource: Any, *, old: Tags, new: Tags) -> None:
        """Make `resource` carry `new` instead of `old`."""
        gone = sorted(set(old) - set(new))
        fresh = self.wire({name: text for name, text in new.items() if old.get(name) != text})
        lists = {"RemoveTagKeys": gone, "AddTags": fresh}
        wanted = {name: items for name, items in lists.items() if items}
        if wanted:
            client.change_tags_for_resource(ResourceId=resource, **wanted, **self.beside)


class _Dns(Declared):
    service: ClassVar[str] = "route53"
    tags_after: ClassVar[bool] = True

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """By id."""
        return resource_id


class Zone(_Dns):
    """A domain's records; private ones are seen from their VPCs."""

    token: ClassVar = "aws:route53/zone:Zone"
    key: ClassVar = {"Id": "id"}
    creates: ClassVar = "CreateHostedZone"
    listed: ClassVar = "Id"
    tagging: ClassVar = DnsTagging(resource="ResourceId", beside={"ResourceType": "hostedzone"})
    defaults: ClassVar = {"comment": "Managed by Pulumi", "forceDestroy": False}
    named: ClassVar = "name"
    replace_on: ClassVar = frozenset({"name", "delegationSetId"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Without the dot at the end."""
        given = super().check(context, inputs, olds)
        return {**given, "name": str(given["name"]).rstrip(".").lower()} if isinstance(given["name"], str) else given

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it with its first VPC, then give it the others."""
        client, vpcs = self.client(context), inputs.get("vpcs") or []
        first = {"VPC": _vpc(context, vpcs[0])} if vpcs else {}
        delegation = {"DelegationSetId": inputs["delegationSetId"]} if inputs.get("delegationSetId") else {}
        answer = client.create_hosted_zone(
            Name=inputs["name"],
            CallerReference=f"{context.name}-{secrets.token_hex(8)}",
            HostedZoneConfig={"Comment": inputs["comment"], "PrivateZone": bool(vpcs)},
            **first,
            **delegation,
        )
        zone = _bare(answer["HostedZone"]["Id"])
        for vpc in vpcs[1:]:
            client.associate_vpc_with_hosted_zone(HostedZoneId=zone, VPC=_vpc(context, vpc))
        return zone

    def listing(self, context: Context, inputs: Properties) -> Listing:
        """A list tells ids with a path before them."""
        return replace(super().listing(context, inputs), id_of=_bare)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Name servers, VPCs, comment."""
        client = self.client(context)
        answer = client.get_hosted_zone(Id=resource_id)
        zone, found = answer["HostedZone"], answer.get("VPCs", [])
        servers = sorted((answer.get("DelegationSet") or {}).get("NameServers") or _name_servers(client, zone))
        vpcs = [{"vpcId": vpc["VPCId"], "vpcRegion": vpc["VPCRegion"]} for vpc in found]
        wanted = inputs.get("vpcs")
        same = wanted and {vpc["vpcId"] for vpc in wanted} == {vpc["vpcId"] for vpc in vpcs}
        return {
            "name": str(zone["Name"]).rstrip("."),
            "comment": (zone.get("Config") or {}).get("Comment", ""),
            "zoneId": resource_id,
            "arn": f"arn:aws:route53:::hostedzone/{resource_id}",
            "nameServers": servers,
            "primaryNameServer": servers[0] if servers else "",
            "vpcs": wanted if same else vpcs or None,
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Comment and VPCs."""
        client, differs = self.client(context), roots(olds, news)
        if "comment" in differs:
            client.update_hosted_zone_comment(Id=resource_id, Comment=news["comment"])
        if "vpcs" in differs:
            old = {vpc["vpcId"]: vpc for vpc in olds.get("vpcs") or ()}
            new = {vpc["vpcId"]: vpc for vpc in news.get("vpcs") or ()}
            for key in new.keys() - old.keys():
                client.associate_vpc_with_hosted_zone(HostedZoneId=resource_id, VPC=_vpc(context, new[key]))
            for key in old.keys() - new.keys():
                client.disassociate_vpc_from_hosted_zone(HostedZoneId=resource_id, VPC=_vpc(context, old[key]))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, with its records when that is asked for."""
        client = self.client(context)
        if state.get("forceDestroy"):
            pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=resource_id)
            sets = [one for page in pages for one in page["ResourceRecordSets"] if one["Type"] not in {"NS", "SOA"}]
            if sets:
                changes = [{"Action": "DELETE", "ResourceRecordSet": one} for one in sets]
                client.change_resource_record_sets(HostedZoneId=resource_id, ChangeBatch={"Changes": changes})
        client.delete_hosted_zone(Id=resource_id)


class ZoneAssociation(_Dns):
    """A VPC that sees a private zone."""

    token: ClassVar = "aws:route53/zoneAssociation:ZoneAssociation"
    parts: ClassVar = ("zoneId", "vpcId")
    separator: ClassVar = ":"
    replace_on: ClassVar = frozenset({"zoneId", "vpcId", "vpcRegion"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Associate it."""
        client = self.client(context)
        client.associate_vpc_with_hosted_zone(HostedZoneId=inputs["zoneId"], VPC=_vpc(context, inputs))
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the zone's VPCs."""
        zone, vpc = resource_id.split(":")[:2]
        found = self.client(context).get_hosted_zone(Id=zone).get("VPCs", [])
        mine = [one for one in found if one["VPCId"] == vpc]
        told = {"zoneId": zone, "vpcId": vpc, "owningAccount": context.account_id}
        return {**told, "vpcRegion": mine[0]["VPCRegion"]} if mine else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take it away."""
        client = self.client(context)
        if self.look(context, resource_id, state) is not None:
            client.disassociate_vpc_from_hosted_zone(HostedZoneId=state["zoneId"], VPC=_vpc(context, state))


class Record(AwsType):
    """One set of records; names may be relative to their zone."""

    token: ClassVar = "aws:route53/record:Record"
    defaults: ClassVar = {"allowOverwrite": False}
    replace_on: ClassVar = frozenset({"zoneId", "name", "type", "setIdentifier"})
    delete_before_replace: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; an existing one is taken over when that is allowed."""
        wanted = self._wire(context, inputs)
        self._act(context, "UPSERT" if inputs["allowOverwrite"] else "CREATE", inputs["zoneId"], wanted)
        ends = [inputs["setIdentifier"]] if inputs.get("setIdentifier") else []
        return "_".join([_bare(inputs["zoneId"]), str(wanted["Name"]), inputs["type"], *ends])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the zone's records."""
        zone, name, kind, identifier = _parts(resource_id)
        found = _find(self.client(context), zone, name, (kind, identifier))
        if found is None:
            return None
        told: Properties = {"fqdn": name, "zoneId": inputs.get("zoneId") or zone, "name": inputs.get("name") or name,
                            "type": kind, "ttl": found.get("TTL"), "setIdentifier": identifier or None}  # fmt: skip
        values = [_unquoted(kind, one["Value"]) for one in found.get("ResourceRecords", ())]
        if values:
            given = inputs.get("records")
            told["records"] = given if given and sorted(given) == sorted(values) else values
        same = inputs and agrees(self._wire(context, inputs), {**found, "Name": name})
        for key, value in _policies(found).items():
            told[key] = inputs[key] if same and inputs.get(key) is not None else value
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Put it again."""
        if roots(olds, news) - {"allowOverwrite"}:
            self._act(context, "UPSERT", news["zoneId"], self._wire(context, news))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it as it is now: Route 53 wants to be told all of it."""
        zone, name, kind, identifier = _parts(resource_id)
        found = _find(self.client(context), zone, name, (kind, identifier))
        if found is not None:
            self._act(context, "DELETE", zone, found)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By name, type and identifier."""
        name = self._wire(context, inputs)["Name"]
        kind, identifier = inputs["type"], inputs.get("setIdentifier") or ""
        found = _find(self.client(context), _bare(inputs["zoneId"]), name, (kind, identifier))
        ends = [identifier] if identifier else []
        return "_".join([_bare(inputs["zoneId"]), name, kind, *ends]) if found else None

    def _act(self, context: Context, action: str, zone: str, wanted: Mapping[str, Any]) -> None:
        batch = {"Changes": [{"Action": action, "ResourceRecordSet": dict(wanted)}]}
        self.client(context).change_resource_record_sets(HostedZoneId=_bare(zone), ChangeBatch=batch)

    def _wire(self, context: Context, inputs: Properties) -> dict[str, Any]:
        client = self.client(context)
        domain = str(client.get_hosted_zone(Id=_bare(inputs["zoneId"]))["HostedZone"]["Name"]).rstrip(".")
        kind = str(inputs["type"])
        wanted: dict[str, Any] = {"Name": absolute(str(inputs["name"]), domain), "Type": kind}
        if inputs.get("records") is not None:
            wanted["ResourceRecords"] = [{"Value": _quoted(kind, one)} for one in inputs["records"]]
            wanted["TTL"] = int(inputs.get("ttl") or 0)
        for alias in inputs.get("aliases") or ():
            wanted["AliasTarget"] = {"DNSName": alias["name"], "HostedZoneId": alias["zoneId"],
                                     "EvaluateTargetHealth": bool(alias["evaluateTargetHealth"])}  # fmt: skip
        plain = {"setIdentifier": "SetIdentifier", "healthCheckId": "HealthCheckId",
                 "multivalueAnswerRoutingPolicy": "MultiValueAnswer"}  # fmt: skip
        wanted |= {member: inputs[name] for name, member in plain.items() if inputs.get(name)}
        for weighted in inputs.get("weightedRoutingPolicies") or ():
            wanted["Weight"] = int(weighted["weight"])
        for latency in inputs.get("latencyRoutingPolicies") or ():
            wanted["Region"] = latency["region"]
        for failover in inputs.get("failoverRoutingPolicies") or ():
            wanted["Failover"] = failover["type"]
        places = {"continent": "ContinentCode", "country": "CountryCode", "subdivision": "SubdivisionCode"}
        for place in inputs.get("geolocationRoutingPolicies") or ():
            wanted["GeoLocation"] = {member: place[name] for name, member in places.items() if place.get(name)}
        return wanted


class HealthCheck(_Dns, noun="HealthCheck"):
    """Whether an endpoint is well, asked from several regions."""

    token: ClassVar = "aws:route53/healthCheck:HealthCheck"
    listed: ClassVar = "Id"
    tagging: ClassVar = DnsTagging(resource="ResourceId", beside={"ResourceType": "healthcheck"})
    key: ClassVar = {"HealthCheckId": "id"}
    body: ClassVar = "HealthCheck.HealthCheckConfig"
    defaults: ClassVar = {"disabled": False, "invertHealthcheck": False, "measureLatency": False}
    renames: ClassVar = {
        "fqdn": "FullyQualifiedDomainName", "invertHealthcheck": "Inverted", "enableSni": "EnableSNI",
        "childHealthThreshold": "HealthThreshold",
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"type", "measureLatency", "requestInterval", "referenceName", "routingControlArn"}
    )
    computed: ClassVar = {"arn": "arn:aws:route53:::healthcheck/{id}"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        client = self.client(context)
        shape = client.meta.service_model.operation_model("CreateHealthCheck").input_shape
        config = to_request(shape.members["HealthCheckConfig"], self.arrange(context, inputs), self.renames)
        reference = f"{inputs.get('referenceName') or context.name}-{secrets.token_hex(8)}"
        answer = client.create_health_check(CallerReference=reference[-64:], HealthCheckConfig=config)
        return str(answer["HealthCheck"]["Id"])

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """What AWS fills in for an endpoint's check; an alarm is a block."""
        endpoint = inputs["type"] not in {"CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL"}
        alarm = {"name": inputs.get("cloudwatchAlarmName"), "region": inputs.get("cloudwatchAlarmRegion")}
        blocks = {"alarmIdentifier": alarm} if alarm["name"] else {}
        if not endpoint:
            inputs = {**inputs, "measureLatency": None}
        return {**inputs, **blocks}


def absolute(name: str, domain: str) -> str:
    """A record's full name without the dot at the end; one that does not end with the zone's name is relative to it.

    >>> absolute("www", "example.com")
    'www.example.com'
    >>> absolute("example.com.", "example.com")
    'example.com'
    """
    plain = name.rstrip(".").lower()
    return plain if plain.endswith(domain) else f"{plain}.{domain}".lstrip(".")


def _parts(resource_id: str) -> tuple[str, str, str, str]:
    """Zone, name, type and set identifier of a record's id; names may hold underscores, types do not."""
    zone, _, rest = resource_id.partition("_")
    pieces = rest.split("_")
    for index in range(1, len(pieces)):
        if pieces[index] in _TYPES:
            return zone, "_".join(pieces[:index]), pieces[index], "_".join(pieces[index + 1 :])
    raise ProviderError(
        f"{resource_id!r} is no record's id", where=resource_id, hint="zone_name_TYPE[_setIdentifier]"
    )


_TYPES = frozenset(
    {"A", "AAAA", "CAA", "CNAME", "DS", "HTTPS", "MX", "NAPTR", "NS", "PTR", "SOA", "SPF", "SRV", "SSHFP", "SVCB",
     "TLSA", "TXT"}
)  # fmt: skip


def _find(client: Any, zone: str, name: str, kind: tuple[str, str]) -> dict[str, Any] | None:
    pages = client.get_paginator("list_resource_record_sets").paginate(HostedZoneId=zone)
    for page in pages:
        for one in page["ResourceRecordSets"]:
            told = str(one["Name"]).rstrip(".").replace("\\052", "*").lower()
            if told == name and (one["Type"], one.get("SetIdentifier", "")) == kind:
                return dict(one)
    return None


def _policies(found: Mapping[str, Any]) -> Properties:
    """How the set is chosen, as blocks."""
    told: Properties = {}
    if "AliasTarget" in found:
        target = found["AliasTarget"]
        told["aliases"] = [{"name": str(target["DNSName"]).rstrip("."), "zoneId": target["HostedZoneId"],
                            "evaluateTargetHealth": target["EvaluateTargetHealth"]}]  # fmt: skip
    blocks = {"Weight": ("weightedRoutingPolicies", "weight"), "Region": ("latencyRoutingPolicies", "region"),
              "Failover": ("failoverRoutingPolicies", "type")}  # fmt: skip
    for member, (name, inner) in blocks.items():
        if member in found:
            told[name] = [{inner: found[member]}]
    if "HealthCheckId" in found:
        told["healthCheckId"] = found["HealthCheckId"]
    return told


def _quoted(kind: str, value: str) -> str:
    return f'"{value}"' if kind in {"TXT", "SPF"} and not value.startswith('"') else value


def _unquoted(kind: str, value: str) -> str:
    return value.strip('"') if kind in {"TXT", "SPF"} else value


def _bare(zone: str) -> str:
    return str(zone).rpartition("/")[2]


def _vpc(context: Context, vpc: Mapping[str, Any]) -> dict[str, str]:
    return {"VPCId": vpc["vpcId"], "VPCRegion": vpc.get("vpcRegion") or context.region}


def _name_servers(client: Any, zone: Mapping[str, Any]) -> list[str]:
    """Those of a private zone stand in its own NS record."""
    record = _find(client, _bare(zone["Id"]), str(zone["Name"]).rstrip("."), ("NS", ""))
    return [one["Value"].rstrip(".") for one in (record or {}).get("ResourceRecords", ())]


def zone(context: Context, arguments: Properties) -> Properties:
    """One zone, by id or name."""
    client, name = context.client("route53"), str(arguments.get("name") or "").rstrip(".")
    pages = client.get_paginator("list_hosted_zones").paginate()
    private = bool(arguments.get("privateZone") or arguments.get("vpcId"))
    found = [
        one
        for page in pages
        for one in page["HostedZones"]
        if (arguments.get("zoneId") and _bare(one["Id"]) == _bare(arguments["zoneId"]))
        or (name and one["Name"].rstrip(".") == name and bool(one["Config"].get("PrivateZone")) == private)
    ]
    if len(found) != 1:
        raise ProviderError(
            f"{len(found) or 'no'} zones match {name or arguments.get('zoneId')}",
            where="aws:route53/getZone:getZone",
            hint="by zone_id, or name with private_zone",
        )
    told = RESOURCES[0].look(context, _bare(found[0]["Id"]), {}) or {}
    return {
        **told,
        "id": told["zoneId"],
        "privateZone": private,
        "callerReference": found[0]["CallerReference"],
        "resourceRecordSetCount": found[0].get("ResourceRecordSetCount", 0),
    }


RESOURCES = (Zone(), ZoneAssociation(), Record(), HealthCheck())
INVOKES: dict[str, Invoke] = {"aws:route53/getZone:getZone": zone}
