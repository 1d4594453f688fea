"""What EC2's types share: operations named after a noun, tags given at creation, ARNs, and lives that end slowly."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.engine.values import UNKNOWN
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import EC2
from harness.deploy.providers.resource import Context, Properties

_ENDED = frozenset({"deleted", "deleting", "terminated", "shutting-down", "failed"})


class Ec2(Declared):
    """One type of EC2.

    Attributes:
        noun: `RouteTable` gives CreateRouteTable, DescribeRouteTables (`RouteTables`), DeleteRouteTable and
            `RouteTableId`.
        kind: its name in ARNs and tag specifications, `route-table`; '' for a type without tags.
        state: where the answer to a read says that it lives.
    """

    service: ClassVar[str] = "ec2"
    tagging = EC2
    noun: ClassVar[str]
    kind: ClassVar[str] = ""
    state: ClassVar[str] = "State"
    creates: ClassVar[str] = ""
    id_from: ClassVar[str] = ""
    plural: ClassVar[str] = ""

    def __init_subclass__(cls) -> None:
        """Spell out what follows from the noun."""
        super().__init_subclass__()
        noun = getattr(cls, "noun", "")
        if not noun or "noun" not in cls.__dict__:
            return
        plural = cls.plural or f"{noun}s"
        following = {
            "plural": plural,
            "creates": f"Create{noun}",
            "reads": f"Describe{plural}",
            "body": plural,
            "deletes": f"Delete{noun}",
            "id_from": f"{noun}.{noun}Id",
            "key": {f"{noun}Id": "id"},
        }
        for name, value in following.items():
            if name not in cls.__dict__:
                setattr(cls, name, value)
        if cls.kind and "arn" not in cls.computed:
            cls.computed = {**cls.computed, "arn": f"arn:aws:ec2:{{region}}:{{account}}:{cls.kind}/{{id}}"}

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it with its tags, and wait until it is usable."""
        tags = self.wire_tags(context, inputs) if self.kind else []
        specified = {"TagSpecifications": [{"ResourceType": self.kind, "Tags": tags}]} if tags else {}
        answer = self.send(context, self.creates, self.arrange(context, inputs), **specified)
        resource_id = self.told_id(answer) if self.id_from else ""
        self.settle(context, resource_id, inputs)
        return resource_id

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """The one that is described under this id, as long as it lives."""
        del inputs
        member = next(iter(self.key)) + "s"
        found = self.send(context, self.reads, {}, **{member: [resource_id]})[self.body]
        return alive(found[0], self.state) if found else None

    def tag_target(self, resource_id: str, state: Properties) -> list[str]:
        """EC2 tags by id."""
        del state
        return [resource_id]

    def modify(self, context: Context, operation: str, resource_id: str, wanted: Mapping[str, Any]) -> None:
        """Call `operation` once for each attribute: EC2 takes one at a time, some as `{"Value": …}`."""
        shape = self.client(context).meta.service_model.operation_model(operation).input_shape
        members = {name.lower(): name for name in shape.members}
        for name, value in wanted.items():
            member = members[self.renames.get(name, name).lower()]
            boxed = {"Value": value} if shape.members[member].type_name == "structure" else value
            self.send(context, operation, {}, **self.keys(resource_id, {}), **{member: boxed})


def alive(body: dict[str, Any], state: str = "State") -> dict[str, Any] | None:
    """`body` unless it says that its life has ended."""
    told = body.get(state)
    name = told.get("Name") or told.get("Code") if isinstance(told, Mapping) else told
    return None if str(name) in _ENDED else body


def given(inputs: Properties, *names: str) -> Properties:
    """Those of `names` that have a value that is known."""
    return {name: inputs[name] for name in names if inputs.get(name) is not None and inputs[name] is not UNKNOWN}


def filters(**values: str) -> list[dict[str, Any]]:
    """EC2's filters: `vpc_id="vpc-1"` asks for `vpc-id`, `association__main` for `association.main`."""
    return [{"Name": name.replace("__", ".").replace("_", "-"), "Values": [value]} for name, value in values.items()]
