"""EC2's ways out of a network: internet and NAT gateways, and addresses that stay."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.ec2_type import Ec2, filters, given
from harness.deploy.providers.resource import Context, Properties


class InternetGateway(Ec2):
    """The way to and from the internet, attached to a VPC."""

    token: ClassVar = "aws:ec2/internetGateway:InternetGateway"
    noun: ClassVar = "InternetGateway"
    kind: ClassVar = "internet-gateway"

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then attach it."""
        gateway = super().make(context, inputs)
        if inputs.get("vpcId"):
            self.send(context, "AttachInternetGateway", inputs, InternetGatewayId=gateway)
        return gateway

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Owner, and the VPC it is attached to."""
        del resource_id, inputs
        attached = [one["VpcId"] for one in body.get("Attachments", ())]
        return {"ownerId": body.get("OwnerId", context.account_id), "vpcId": next(iter(attached), None)}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Attach it elsewhere."""
        if "vpcId" in roots(olds, news):
            for operation, state in (("DetachInternetGateway", olds), ("AttachInternetGateway", news)):
                if state.get("vpcId"):
                    self.send(context, operation, state, InternetGatewayId=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach and delete it."""
        if state.get("vpcId"):
            self.send(context, "DetachInternetGateway", state, InternetGatewayId=resource_id)
        super().remove(context, resource_id, state)


class InternetGatewayAttachment(Ec2):
    """An attachment as a resource of its own."""

    token: ClassVar = "aws:ec2/internetGatewayAttachment:InternetGatewayAttachment"
    parts: ClassVar = ("internetGatewayId", "vpcId")
    separator: ClassVar = ":"
    replace_on: ClassVar = frozenset({"internetGatewayId", "vpcId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Attach it."""
        self.send(context, "AttachInternetGateway", inputs)
        return self.joined(inputs)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the gateway's attachments."""
        del inputs
        gateway, vpc = resource_id.split(":")
        found = self.client(context).describe_internet_gateways(InternetGatewayIds=[gateway])["InternetGateways"]
        attached = any(one["VpcId"] == vpc for one in found[0].get("Attachments", ()))
        return {"internetGatewayId": gateway, "vpcId": vpc} if attached else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Detach it."""
        del resource_id
        self.send(context, "DetachInternetGateway", state)


class EgressOnlyInternetGateway(Ec2):
    """IPv6's way out."""

    token: ClassVar = "aws:ec2/egressOnlyInternetGateway:EgressOnlyInternetGateway"
    noun: ClassVar = "EgressOnlyInternetGateway"
    kind: ClassVar = "egress-only-internet-gateway"
    replace_on: ClassVar = frozenset({"vpcId"})

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The VPC it is attached to."""
        del context, resource_id, inputs
        return {"vpcId": next((one["VpcId"] for one in body.get("Attachments", ())), None)}


class Eip(Ec2):
    """An address that stays."""

    token: ClassVar = "aws:ec2/eip:Eip"
    noun: ClassVar = "Address"
    plural: ClassVar = "Addresses"
    kind: ClassVar = "elastic-ip"
    creates: ClassVar = "AllocateAddress"
    deletes: ClassVar = "ReleaseAddress"
    key: ClassVar = {"AllocationId": "id"}
    id_from: ClassVar = "AllocationId"
    defaults: ClassVar = {"domain": "vpc"}
    renames: ClassVar = {
        "instance": "InstanceId",
        "networkInterface": "NetworkInterfaceId",
        "privateIp": "PrivateIpAddress",
    }
    replace_on: ClassVar = frozenset(
        {"domain", "address", "customerOwnedIpv4Pool", "ipamPoolId", "networkBorderGroup", "publicIpv4Pool"}
    )

    def make(self, context: Context, inputs: Properties) -> str:
        """Allocate it, then give it to an instance or interface."""
        allocation = super().make(context, inputs)
        self._give(context, allocation, inputs)
        return allocation

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Names made of the addresses."""
        del resource_id, inputs
        public, private = str(body["PublicIp"]), body.get("PrivateIpAddress")
        zone = "compute-1" if context.region == "us-east-1" else f"{context.region}.compute"
        inside = "ec2" if context.region == "us-east-1" else f"{context.region}.compute"
        names = {"publicDns": f"ec2-{public.replace('.', '-')}.{zone}.amazonaws.com"}
        if private:
            names["privateDns"] = f"ip-{str(private).replace('.', '-')}.{inside}.internal"
        return {"publicIpv4Pool": "amazon", "networkBorderGroup": context.region, **names}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Take it from one and give it to another."""
        if roots(olds, news) & {"instance", "networkInterface", "associateWithPrivateIp"}:
            self._take(context, resource_id)
            self._give(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Take it back and release it."""
        self._take(context, resource_id)
        super().remove(context, resource_id, state)

    def _give(self, context: Context, allocation: str, inputs: Properties) -> None:
        whom = given(inputs, "instance", "networkInterface")
        if whom:
            private = {"privateIp": inputs.get("associateWithPrivateIp")}
            self.send(context, "AssociateAddress", {**whom, **private}, AllocationId=allocation)

    def _take(self, context: Context, allocation: str) -> None:
        client = self.client(context)
        for address in client.describe_addresses(AllocationIds=[allocation])["Addresses"]:
            if address.get("AssociationId") and not str(address.get("NetworkInterfaceId", "")).startswith("eni-nat"):
                client.disassociate_address(AssociationId=address["AssociationId"])


class EipAssociation(Ec2):
    """Whom an address is given to."""

    token: ClassVar = "aws:ec2/eipAssociation:EipAssociation"
    lists: ClassVar = "DescribeAddresses"
    creates: ClassVar = "AssociateAddress"
    deletes: ClassVar = "DisassociateAddress"
    key: ClassVar = {"AssociationId": "id"}
    id_from: ClassVar = "AssociationId"
    reads: ClassVar = "DescribeAddresses"
    body: ClassVar = "Addresses"
    replace_on: ClassVar = frozenset(
        {"allocationId", "instanceId", "networkInterfaceId", "privateIpAddress", "publicIp", "allowReassociation"}
    )

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """Among the addresses."""
        del inputs
        found = self.client(context).describe_addresses(Filters=filters(association_id=resource_id))["Addresses"]
        return next((one for one in found if one.get("AssociationId") == resource_id), None)


class NatGateway(Ec2):
    """A private subnet's way out."""

    token: ClassVar = "aws:ec2/natGateway:NatGateway"
    noun: ClassVar = "NatGateway"
    kind: ClassVar = "natgateway"
    defaults: ClassVar = {"connectivityType": "public"}
    renames: ClassVar = {"privateIp": "PrivateIpAddress"}
    replace_on: ClassVar = frozenset({"allocationId", "connectivityType", "privateIp", "subnetId", "vpcId"})
    settled: ClassVar = ("State", frozenset({"available"}))

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its first address."""
        del context, resource_id, inputs
        address = (body.get("NatGatewayAddresses") or [{}])[0]
        members = {"allocationId": "AllocationId", "associationId": "AssociationId", "privateIp": "PrivateIp",
                   "networkInterfaceId": "NetworkInterfaceId", "publicIp": "PublicIp"}  # fmt: skip
        return {name: address[member] for name, member in members.items() if member in address}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, and wait: its address is in use until then."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


RESOURCES = (
    InternetGateway(), InternetGatewayAttachment(), EgressOnlyInternetGateway(), Eip(), EipAssociation(),
    NatGateway(),
)  # fmt: skip
