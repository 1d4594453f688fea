"""EC2's links between networks and to services: endpoints, peerings, VPN gateways; flow logs; prefix lists."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.ec2_type import Ec2, alive, given
from harness.deploy.providers.resource import Context, Properties

_LISTS = {"routeTableIds": "RouteTableIds", "subnetIds": "SubnetIds", "securityGroupIds": "SecurityGroupIds"}


class VpcEndpoint(Ec2):
    """A private way to a service."""

    token: ClassVar = "aws:ec2/vpcEndpoint:VpcEndpoint"
    noun: ClassVar = "VpcEndpoint"
    kind: ClassVar = "vpc-endpoint"
    defaults: ClassVar = {"vpcEndpointType": "Gateway"}
    json_keys: ClassVar = frozenset({"policy"})
    renames: ClassVar = {"policy": "PolicyDocument"}
    replace_on: ClassVar = frozenset(
        {"vpcId", "serviceName", "serviceRegion", "vpcEndpointType", "resourceConfigurationArn", "serviceNetworkArn"}
    )
    settled: ClassVar = ("State", frozenset({"available", "pendingAcceptance"}))

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Groups as a plain list; the ranges that a gateway endpoint leads to."""
        del resource_id
        groups = [group["GroupId"] for group in body.get("Groups", ())]
        told: Properties = {"ownerId": body.get("OwnerId", context.account_id), "requesterManaged": False}
        if groups or not inputs.get("securityGroupIds"):
            told["securityGroupIds"] = groups
        if body.get("VpcEndpointType") == "Gateway":
            lists = self.client(context).describe_prefix_lists()["PrefixLists"]
            mine = [one for one in lists if one["PrefixListName"] == body["ServiceName"]]
            told |= {"prefixListId": mine[0]["PrefixListId"], "cidrBlocks": mine[0].get("Cidrs", [])} if mine else {}
        return told

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Lists by what is added and removed, the rest as it is."""
        differs, request = roots(olds, news), given(news, "privateDnsEnabled", "ipAddressType", "dnsOptions")
        lists: dict[str, Any] = {}
        for name in sorted(differs & set(_LISTS)):
            old, new = set(olds.get(name) or ()), set(news.get(name) or ())
            lists |= {f"Add{_LISTS[name]}": sorted(new - old)} if new - old else {}
            lists |= {f"Remove{_LISTS[name]}": sorted(old - new)} if old - new else {}
        policy = {"PolicyDocument": news["policy"]} if news.get("policy") and "policy" in differs else {}
        if "policy" in differs and not policy:
            policy = {"ResetPolicy": True}
        if lists or policy or differs & set(request):
            wanted = {name: value for name, value in request.items() if name in differs}
            self.send(context, "ModifyVpcEndpoint", wanted, VpcEndpointId=resource_id, **lists, **policy)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_vpc_endpoints(VpcEndpointIds=[resource_id])
        self.wait_gone(context, resource_id, state)


class _EndpointTie(Ec2):
    """A member of one of an endpoint's lists, as a resource of its own."""

    member: ClassVar[str]
    property: ClassVar[str]

    def make(self, context: Context, inputs: Properties) -> str:
        """Add it."""
        self._modify(context, f"Add{self.member}", inputs)
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There as long as it is in the list."""
        del resource_id
        found = self.client(context).describe_vpc_endpoints(VpcEndpointIds=[inputs["vpcEndpointId"]])["VpcEndpoints"]
        there = any(inputs[self.property] in one.get(self.member, ()) for one in found if alive(one) is not None)
        return {} if there else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take it out."""
        if self.look(context, resource_id, state) is not None:
            self._modify(context, f"Remove{self.member}", state)

    def _modify(self, context: Context, member: str, state: Properties) -> None:
        listed = {member: [state[self.property]]}
        self.client(context).modify_vpc_endpoint(VpcEndpointId=state["vpcEndpointId"], **listed)


class EndpointRouteTable(_EndpointTie):
    """A route table that leads to a gateway endpoint."""

    token: ClassVar = "aws:ec2/vpcEndpointRouteTableAssociation:VpcEndpointRouteTableAssociation"
    id_format: ClassVar = "a-{vpcEndpointId}{routeTableId}"
    member: ClassVar = "RouteTableIds"
    property: ClassVar = "routeTableId"
    replace_on: ClassVar = frozenset({"vpcEndpointId", "routeTableId"})


class EndpointSubnet(_EndpointTie):
    """A subnet that an interface endpoint is in."""

    token: ClassVar = "aws:ec2/vpcEndpointSubnetAssociation:VpcEndpointSubnetAssociation"
    id_format: ClassVar = "a-{vpcEndpointId}{subnetId}"
    member: ClassVar = "SubnetIds"
    property: ClassVar = "subnetId"
    replace_on: ClassVar = frozenset({"vpcEndpointId", "subnetId"})


class FlowLog(Ec2):
    """Where records of a network's flows go."""

    token: ClassVar = "aws:ec2/flowLog:FlowLog"
    tags_after: ClassVar = True
    listed: ClassVar = "FlowLogId"
    noun: ClassVar = "FlowLogs"
    plural: ClassVar = "FlowLogs"
    kind: ClassVar = "vpc-flow-log"
    key: ClassVar = {"FlowLogId": "id"}
    state: ClassVar = ""
    defaults: ClassVar = {"logDestinationType": "cloud-watch-logs", "maxAggregationInterval": 600}
    renames: ClassVar = {"iamRoleArn": "DeliverLogsPermissionArn"}
    replace_on: ClassVar = frozenset(
        {"deliverCrossAccountRole", "destinationOptions", "eniId", "iamRoleArn", "logDestination",
         "logDestinationType", "logFormat", "maxAggregationInterval", "subnetId", "trafficType", "vpcId"}
    )  # fmt: skip
    computed: ClassVar = {"arn": "arn:aws:ec2:{region}:{account}:vpc-flow-log/{id}"}

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """What is watched, as an id and its type."""
        del context
        watched = {"vpcId": "VPC", "subnetId": "Subnet", "eniId": "NetworkInterface"}
        kind, name = next((kind, name) for name, kind in watched.items() if inputs.get(name))
        return {**inputs, "resourceIds": [inputs[name]], "resourceType": kind}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it; EC2 tells of failures in its answer."""
        tags = self.wire_tags(context, inputs)
        specified = {"TagSpecifications": [{"ResourceType": self.kind, "Tags": tags}]} if tags else {}
        answer = self.send(context, "CreateFlowLogs", self.arrange(context, inputs), **specified)
        return str(answer["FlowLogIds"][0])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del state
        self.client(context).delete_flow_logs(FlowLogIds=[resource_id])


class VpcPeeringConnection(Ec2):
    """A link between two VPCs; it is asked for, then accepted."""

    token: ClassVar = "aws:ec2/vpcPeeringConnection:VpcPeeringConnection"
    noun: ClassVar = "VpcPeeringConnection"
    kind: ClassVar = "vpc-peering-connection"
    state: ClassVar = "Status"
    replace_on: ClassVar = frozenset({"peerOwnerId", "peerRegion", "peerVpcId", "vpcId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Ask, and accept when that is ours to do."""
        peering = super().make(context, inputs)
        if inputs.get("autoAccept"):
            self.client(context).accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
        return peering

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Who asked whom, and what they said."""
        del context, resource_id, inputs
        accepter, requester = body.get("AccepterVpcInfo") or {}, body.get("RequesterVpcInfo") or {}
        return {
            "acceptStatus": body["Status"]["Code"],
            "peerOwnerId": accepter.get("OwnerId"),
            "peerRegion": accepter.get("Region"),
            "peerVpcId": accepter.get("VpcId"),
            "vpcId": requester.get("VpcId"),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Accept it now."""
        if news.get("autoAccept") and not olds.get("autoAccept"):
            self.client(context).accept_vpc_peering_connection(VpcPeeringConnectionId=resource_id)


class VpcPeeringConnectionAccepter(VpcPeeringConnection):
    """The other side of a peering; it is left alone at the end."""

    token: ClassVar = "aws:ec2/vpcPeeringConnectionAccepter:VpcPeeringConnectionAccepter"
    id_from: ClassVar = ""
    parts: ClassVar = ("vpcPeeringConnectionId",)
    replace_on: ClassVar = frozenset({"vpcPeeringConnectionId"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Accept it."""
        peering = str(inputs["vpcPeeringConnectionId"])
        if inputs.get("autoAccept"):
            self.client(context).accept_vpc_peering_connection(VpcPeeringConnectionId=peering)
        return peering

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing: a peering is deleted by who asked for it."""


class ManagedPrefixList(Ec2):
    """A list of ranges under one name."""

    token: ClassVar = "aws:ec2/managedPrefixList:ManagedPrefixList"
    noun: ClassVar = "ManagedPrefixList"
    kind: ClassVar = "prefix-list"
    id_from: ClassVar = "PrefixList.PrefixListId"
    body: ClassVar = "PrefixLists"
    key: ClassVar = {"PrefixListId": "id"}
    named: ClassVar = "name"
    renames: ClassVar = {"name": "PrefixListName"}
    replace_on: ClassVar = frozenset({"addressFamily"})

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its entries, in the order that was given."""
        now = self.client(context).get_managed_prefix_list_entries(PrefixListId=resource_id)["Entries"]
        found = {one["Cidr"]: one.get("Description") or None for one in now}
        wanted = {one["cidr"]: one.get("description") or None for one in inputs.get("entries") or ()}
        told = [{"cidr": cidr, "description": text or ""} for cidr, text in sorted(found.items())]
        return {"ownerId": body.get("OwnerId"), "entries": inputs["entries"] if wanted and wanted == found else told}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Entries that are gone and new, in one version."""
        old = {one["cidr"]: one.get("description") for one in olds.get("entries") or ()}
        new = {one["cidr"]: one.get("description") for one in news.get("entries") or ()}
        lists = {
            "RemoveEntries": [{"Cidr": cidr} for cidr in sorted(old) if old[cidr] != new.get(cidr, "")],
            "AddEntries": [
                {"Cidr": cidr, "Description": text or ""} for cidr, text in new.items() if old.get(cidr, "") != text
            ],
        }
        changed = {name: items for name, items in lists.items() if items}
        if changed or roots(olds, news) & {"name", "maxEntries"}:
            version = self.ask(context, resource_id, {}) or {}
            fixed = {"CurrentVersion": version["Version"]} if changed else {}
            wanted = given(news, *(roots(olds, news) & {"name", "maxEntries"}))
            self.send(context, "ModifyManagedPrefixList", wanted, PrefixListId=resource_id, **fixed, **changed)


class VpnGateway(Ec2):
    """The VPC's side of a VPN."""

    token: ClassVar = "aws:ec2/vpnGateway:VpnGateway"
    tags_after: ClassVar = True
    noun: ClassVar = "VpnGateway"
    kind: ClassVar = "vpn-gateway"
    replace_on: ClassVar = frozenset({"amazonSideAsn", "availabilityZone"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Every VPN is of this type today."""
        del context
        return {**inputs, "type": "ipsec.1"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then attach it."""
        gateway = super().make(context, inputs)
        self.change(context, gateway, {}, inputs)
        return gateway

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The VPC it is attached to."""
        del context, resource_id, inputs
        attached = [
            one["VpcId"] for one in body.get("VpcAttachments", ()) if alive(one) and one["State"] == "attached"
        ]
        return {"vpcId": next(iter(attached), None)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Attach it elsewhere."""
        if "vpcId" in roots(olds, news):
            for operation, state in (("DetachVpnGateway", olds), ("AttachVpnGateway", news)):
                if state.get("vpcId"):
                    self.send(context, operation, given(state, "vpcId"), VpnGatewayId=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach and delete it."""
        self.change(context, resource_id, state, {})
        super().remove(context, resource_id, state)


class CustomerGateway(Ec2):
    """The other side of a VPN."""

    token: ClassVar = "aws:ec2/customerGateway:CustomerGateway"
    noun: ClassVar = "CustomerGateway"
    kind: ClassVar = "customer-gateway"
    replace_on: ClassVar = frozenset(
        {"bgpAsn", "bgpAsnExtended", "certificateArn", "deviceName", "ipAddress", "type"}
    )


RESOURCES = (
    VpcEndpoint(), EndpointRouteTable(), EndpointSubnet(), FlowLog(), VpcPeeringConnection(),
    VpcPeeringConnectionAccepter(), ManagedPrefixList(), VpnGateway(), CustomerGateway(),
)  # fmt: skip
