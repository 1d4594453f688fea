"""EC2's route tables and routes, and which subnets use them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.ec2_type import Ec2, filters, given
from harness.deploy.providers.aws.tags import EC2
from harness.deploy.providers.resource import Context, Properties

_TARGETS = (
    "carrierGatewayId", "coreNetworkArn", "egressOnlyGatewayId", "gatewayId", "localGatewayId", "natGatewayId",
    "networkInterfaceId", "transitGatewayId", "vpcEndpointId", "vpcPeeringConnectionId",
)  # fmt: skip
_DESTINATIONS = ("destinationCidrBlock", "destinationIpv6CidrBlock", "destinationPrefixListId")
_ROUTE = {"egressOnlyGatewayId": "EgressOnlyInternetGatewayId"}
_INLINE = {
    "cidrBlock": "destinationCidrBlock",
    "ipv6CidrBlock": "destinationIpv6CidrBlock",
    "destinationPrefixListId": "destinationPrefixListId",
}


class RouteTable(Ec2):
    """Routes of subnets, with those that are written inline."""

    token: ClassVar = "aws:ec2/routeTable:RouteTable"
    noun: ClassVar = "RouteTable"
    kind: ClassVar = "route-table"
    renames: ClassVar = {"routes": "", "propagatingVgws": ""}
    replace_on: ClassVar = frozenset({"vpcId"})
    computed: ClassVar = {"ownerId": "{account}"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then its routes."""
        table = super().make(context, inputs)
        self.change(context, table, {}, inputs)
        return table

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The routes that it was given, as they are now."""
        del context, resource_id
        wanted = {_destination(_outline(route)): route for route in inputs.get("routes") or ()}
        found = {_destination(_lower(route)): route for route in body.get("Routes", ())}
        kept = [route for key, route in wanted.items() if key in found and _leads_alike(route, found[key])]
        vgws = [one["GatewayId"] for one in body.get("PropagatingVgws", ())]
        told = {"routes": kept} if inputs.get("routes") is not None else {}
        return {**told, **({"propagatingVgws": vgws} if inputs.get("propagatingVgws") else {})}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Delete, replace and create routes."""
        before = {_destination(route): route for route in map(_outline, olds.get("routes") or ())}
        after = {_destination(route): route for route in map(_outline, news.get("routes") or ())}
        for key in before.keys() - after.keys():
            self.send(context, "DeleteRoute", before[key], RouteTableId=resource_id)
        for key, route in after.items():
            if before.get(key) != route:
                operation = "ReplaceRoute" if key in before else "CreateRoute"
                send_route(self, context, operation, {**route, "routeTableId": resource_id})
        old, new = set(olds.get("propagatingVgws") or ()), set(news.get("propagatingVgws") or ())
        for gateway in sorted(new - old):
            self.client(context).enable_vgw_route_propagation(RouteTableId=resource_id, GatewayId=gateway)
        for gateway in sorted(old - new):
            self.client(context).disable_vgw_route_propagation(RouteTableId=resource_id, GatewayId=gateway)


class DefaultRouteTable(RouteTable):
    """A VPC's main route table, taken over: its routes become those that are written here."""

    token: ClassVar = "aws:ec2/defaultRouteTable:DefaultRouteTable"
    id_from: ClassVar = ""
    parts: ClassVar = ("defaultRouteTableId",)
    replace_on: ClassVar = frozenset({"defaultRouteTableId"})
    outlives: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Empty it, then give it the routes and tags."""
        table, client = str(inputs["defaultRouteTableId"]), self.client(context)
        for route in client.describe_route_tables(RouteTableIds=[table])["RouteTables"][0]["Routes"]:
            if route.get("Origin") == "CreateRoute":
                self.send(context, "DeleteRoute", _lower(route), RouteTableId=table)
        self.change(context, table, {}, inputs)
        EC2.change(client, [table], old={}, new=self.tags(context, inputs))
        return table

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Nothing: it goes with its VPC."""


class Route(Ec2):
    """One route; the id is the table's and a hash of the destination, as the real provider's."""

    token: ClassVar = "aws:ec2/route:Route"
    replace_on: ClassVar = frozenset({"routeTableId", *_DESTINATIONS})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        send_route(self, context, "CreateRoute", inputs)
        return f"r-{inputs['routeTableId']}{zlib.crc32(_destination(inputs).encode())}"

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the table's routes. An import is `<table>_<destination>`."""
        table, _, destination = resource_id.partition("_")
        table = str(inputs.get("routeTableId") or table)
        destination = _destination(inputs) or destination
        tables = self.client(context).describe_route_tables(RouteTableIds=[table])["RouteTables"]
        for route in map(_lower, tables[0]["Routes"] if tables else ()):
            if _destination(route) == destination:
                elsewhere = dict.fromkeys(_TARGETS, "")  # the provider says of each target where it does not lead
                return {
                    **elsewhere,
                    **given(route, *_DESTINATIONS, *_TARGETS, "origin", "state"),
                    "routeTableId": table,
                }
        return None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Lead it elsewhere."""
        del resource_id, olds
        send_route(self, context, "ReplaceRoute", news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        del resource_id
        self.send(context, "DeleteRoute", given(state, "routeTableId", *_DESTINATIONS))

    def find(self, context: Context, inputs: Properties) -> str | None:
        """By destination."""
        resource_id = f"r-{inputs['routeTableId']}{zlib.crc32(_destination(inputs).encode())}"
        return resource_id if self.read(context, resource_id, inputs) else None


class RouteTableAssociation(Ec2):
    """Which table a subnet or gateway uses."""

    token: ClassVar = "aws:ec2/routeTableAssociation:RouteTableAssociation"
    creates: ClassVar = "AssociateRouteTable"
    deletes: ClassVar = "DisassociateRouteTable"
    key: ClassVar = {"AssociationId": "id"}
    id_from: ClassVar = "AssociationId"
    replace_on: ClassVar = frozenset({"subnetId", "gatewayId", "routeTableId"})
    delete_before_replace: ClassVar = True

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Among the associations of all tables."""
        del inputs
        wanted = filters(association__route_table_association_id=resource_id)
        for table in self.client(context).describe_route_tables(Filters=wanted)["RouteTables"]:
            for one in table.get("Associations", ()):
                if one["RouteTableAssociationId"] == resource_id:
                    return given(_lower(one), "subnetId", "gatewayId", "routeTableId")
        return None

    def find(self, context: Context, inputs: Properties) -> str | None:
        """The subnet's or the gateway's, when it is with this table."""
        tables = self.client(context).describe_route_tables(RouteTableIds=[inputs["routeTableId"]])["RouteTables"]
        ends = given(inputs, "subnetId", "gatewayId")
        found = [
            one for table in tables for one in table.get("Associations", ()) if ends.items() <= _lower(one).items()
        ]
        return str(found[0]["RouteTableAssociationId"]) if found and ends else None


class MainRouteTableAssociation(Ec2):
    """Which table is a VPC's main one; the former again at the end."""

    token: ClassVar = "aws:ec2/mainRouteTableAssociation:MainRouteTableAssociation"
    replace_on: ClassVar = frozenset({"vpcId", "routeTableId"})
    delete_before_replace: ClassVar = True

    def make(self, context: Context, inputs: Properties) -> str:
        """Replace the association."""
        former = self._main(context, str(inputs["vpcId"])) or {}
        return str(self._replace(context, former.get("RouteTableAssociationId"), inputs["routeTableId"]))

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Remember the former table, which no read can tell any more."""
        checked = super().check(context, inputs, olds)
        if olds and "originalRouteTableId" in olds:
            return {**checked, "originalRouteTableId": olds["originalRouteTableId"]}
        known = isinstance(checked["vpcId"], str)
        former = (self._main(context, checked["vpcId"]) or {}).get("RouteTableId") if known else None
        return {**checked, "originalRouteTableId": former} if former else checked

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There as long as the association is."""
        now = self._main(context, str(inputs["vpcId"])) or {}
        return {"routeTableId": now["RouteTableId"]} if now.get("RouteTableAssociationId") == resource_id else None

    def find(self, context: Context, inputs: Properties) -> str | None:
        """The VPC's, when it is with this table."""
        now = self._main(context, str(inputs["vpcId"])) or {}
        return now["RouteTableAssociationId"] if now.get("RouteTableId") == inputs["routeTableId"] else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Back to the former table."""
        former = state.get("originalRouteTableId")
        if former and self.look(context, resource_id, state) is not None:
            self._replace(context, resource_id, former)

    def _replace(self, context: Context, association: Any, table: str) -> str:
        client = self.client(context)
        answer = client.replace_route_table_association(AssociationId=association, RouteTableId=table)
        return str(answer["NewAssociationId"])

    def _main(self, context: Context, vpc: str) -> dict[str, Any] | None:
        wanted = [*filters(vpc_id=vpc), *filters(association__main="true")]
        tables = self.client(context).describe_route_tables(Filters=wanted)["RouteTables"]
        return next((one for table in tables for one in table["Associations"] if one.get("Main")), None)


def send_route(handler: Ec2, context: Context, operation: str, route: Properties) -> None:
    """Create or replace a route."""
    known = given(route, "routeTableId", *_DESTINATIONS, *_TARGETS)
    handler.send(context, operation, {_ROUTE.get(name, name): value for name, value in known.items()})


def _outline(route: Properties) -> Properties:
    """An inline route under the names of a route of its own."""
    known = {_INLINE.get(name, name): value for name, value in route.items() if value}
    return given(known, *_DESTINATIONS, *_TARGETS)


def _lower(found: Mapping[str, Any]) -> Properties:
    """AWS's answer under Pulumi's names."""
    names = {"EgressOnlyInternetGatewayId": "egressOnlyGatewayId"}
    told = {names.get(name, name[0].lower() + name[1:]): value for name, value in found.items()}
    if str(told.get("gatewayId", "")).startswith("vpce-"):
        told["vpcEndpointId"] = told.pop("gatewayId")
    return told


def _destination(route: Properties) -> str:
    return next((str(route[name]) for name in _DESTINATIONS if route.get(name)), "")


def _leads_alike(route: Properties, found: Mapping[str, Any]) -> bool:
    return given(_outline(route), *_TARGETS) == given(_lower(found), *_TARGETS)


RESOURCES = (
    RouteTable(), DefaultRouteTable(), Route(), RouteTableAssociation(), MainRouteTableAssociation(),
)  # fmt: skip
