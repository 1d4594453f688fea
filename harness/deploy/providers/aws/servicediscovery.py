"""Cloud Map: namespaces, services, instances."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.shapes import to_request
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties
from harness.errors import ProviderError

_TAGS = Tagging(resource="ResourceARN")


class _Map(Declared):
    service: ClassVar[str] = "servicediscovery"

    def done(self, context: Context, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Wait for the operation that was begun; returns what it was about.

        Raises:
            ProviderError: it failed.
        """
        client = self.client(context)

        def operation() -> dict[str, Any]:
            return dict(client.get_operation(OperationId=answer["OperationId"])["Operation"])

        context.wait_until(lambda: operation()["Status"] in {"SUCCESS", "FAIL"}, f"operation {answer['OperationId']}")
        told = operation()
        if told["Status"] == "FAIL":
            raise ProviderError(f"{told.get('ErrorCode')}: {told.get('ErrorMessage')}", where=context.urn)
        return dict(told.get("Targets", {}))


class _Namespace(_Map):
    tagging: ClassVar[Tagging | None] = _TAGS
    reads: ClassVar[str] = "GetNamespace"
    deletes: ClassVar[str] = "DeleteNamespace"
    body: ClassVar[str] = "Namespace"
    key: ClassVar[Mapping[str, str]] = {"Id": "id"}
    lists: ClassVar[str] = "ListNamespaces"
    listed: ClassVar[str] = "Id"
    named: ClassVar[str] = "name"
    name_rules: ClassVar[Mapping[str, Any]] = {"limit": 253}
    replace_on: ClassVar[frozenset[str]] = frozenset({"name", "vpc"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, and wait."""
        tags = self.wire_tags(context, inputs)
        answer = self.send(context, self.creates, inputs, **({"Tags": tags} if tags else {}))
        return str(self.done(context, answer)["NAMESPACE"])

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Its zone, or its name for HTTP."""
        told = body.get("Properties") or {}
        return {
            "hostedZone": (told.get("DnsProperties") or {}).get("HostedZoneId"),
            "httpName": (told.get("HttpProperties") or {}).get("HttpName"),
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Its description."""
        if "description" in roots(olds, news):
            kind = self.creates.removeprefix("Create")
            wanted = {"Id": resource_id, "Namespace": {"Description": news.get("description") or ""}}
            self.done(context, self.send(context, f"Update{kind}", {}, **wanted))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, and wait."""
        self.done(context, self.send(context, self.deletes, {}, Id=resource_id))


class PrivateDnsNamespace(_Namespace):
    """Names that are seen in a VPC."""

    token: ClassVar = "aws:servicediscovery/privateDnsNamespace:PrivateDnsNamespace"
    creates: ClassVar = "CreatePrivateDnsNamespace"


class PublicDnsNamespace(_Namespace):
    """Names that all see."""

    token: ClassVar = "aws:servicediscovery/publicDnsNamespace:PublicDnsNamespace"
    creates: ClassVar = "CreatePublicDnsNamespace"


class HttpNamespace(_Namespace):
    """Names that are asked for by the API."""

    token: ClassVar = "aws:servicediscovery/httpNamespace:HttpNamespace"
    creates: ClassVar = "CreateHttpNamespace"


class Service(_Map, noun="Service", verbs="Create Get - Delete"):
    """What is found under a name."""

    token: ClassVar = "aws:servicediscovery/service:Service"
    tagging: ClassVar = _TAGS
    body: ClassVar = "Service"
    key: ClassVar = {"Id": "id"}
    id_from: ClassVar = "Service.Id"
    named: ClassVar = "name"
    defaults: ClassVar = {"forceDestroy": False}
    replace_on: ClassVar = frozenset({"name", "namespaceId", "healthCheckCustomConfig", "type"})

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """Programs name the namespace in the DNS block as well."""
        inside = (inputs.get("dnsConfig") or {}).get("namespaceId")
        return {**inputs, "namespaceId": inputs.get("namespaceId") or inside}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Description, records, checks."""
        differs = roots(olds, news) & {"description", "dnsConfig", "healthCheckConfig"}
        if not differs:
            return
        shape = self.client(context).meta.service_model.operation_model("UpdateService").input_shape
        wanted = to_request(shape.members["Service"], {name: news.get(name) for name in differs}, self.renames)
        self.done(context, self.send(context, "UpdateService", {}, Id=resource_id, Service=wanted))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, with its instances when forced."""
        client = self.client(context)
        for one in client.list_instances(ServiceId=resource_id)["Instances"] if state.get("forceDestroy") else ():
            self.done(context, client.deregister_instance(ServiceId=resource_id, InstanceId=one["Id"]))
        client.delete_service(Id=resource_id)


class Instance(_Map):
    """One address under a service's name."""

    token: ClassVar = "aws:servicediscovery/instance:Instance"
    reads: ClassVar = "GetInstance"
    body: ClassVar = "Instance"
    key: ClassVar = {"ServiceId": "serviceId", "InstanceId": "instanceId"}
    parts: ClassVar = ("serviceId", "instanceId")
    replace_on: ClassVar = frozenset({"instanceId", "serviceId"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Register it, and wait; the id is its own."""
        self.done(context, self.send(context, "RegisterInstance", inputs))
        return self.joined(inputs)

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Register it again."""
        if "attributes" in roots(olds, news):
            self.done(context, self.send(context, "RegisterInstance", news))

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Deregister it, and wait."""
        self.done(context, self.send(context, "DeregisterInstance", {}, **self.keys(resource_id, state)))


RESOURCES = (PrivateDnsNamespace(), PublicDnsNamespace(), HttpNamespace(), Service(), Instance())
