"""Types whose whole life is a few AWS operations: the operations' names and the members that identify it are data.

Most AWS types are created, read, updated and deleted by one operation each, on members that differ from Pulumi's
properties only in case. A class of this kind says which; `arrange` and `tell` are there for what differs.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

from botocore.exceptions import ClientError

from harness.deploy.engine.diff import same_json
from harness.deploy.engine.values import UNKNOWN
from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.calls import answer_of, is_gone
from harness.deploy.providers.aws.schema.model import PropertyType, schema_of
from harness.deploy.providers.aws.search import Listing, find_listed
from harness.deploy.providers.aws.shapes import empty_of, seen_as, to_properties, to_request
from harness.deploy.providers.resource import Context, Properties
from harness.errors import ProviderError

_TAG_MEMBERS = frozenset({"tags", "taglist", "userpooltags", "identitypooltags"})
_OURS = frozenset({"tags", "tagsAll", "region"})


class Declared(AwsType):
    """One AWS type, told by class attributes.

    `class Alias(Declared, noun="Alias")` names the operations after `verbs` (create, read, update, delete):
    `CreateAlias` and so on. A `-` stands for none, or for one that is written out.

    Attributes:
        reads, updates, deletes: AWS's operations; '' where there is none.
        key: the members that identify it in requests → the property that holds the value, `id` for the id.
        id_from: where the id is in the answer to the creation, `Api.ApiId`; '' when `parts` make it.
        wraps: the member that holds the settings in requests; '' when they are at the top.
        body: where the settings are in the answer to a read.
        match: where that is a list, the member that tells one from the other and the property that it equals.
        computed: outputs as templates: `{region}`, `{account}`, `{id}` and properties may be in them.
        settled: a member of the answer to a read, and its values once the resource is usable.
    """

    reads: ClassVar[str] = ""
    updates: ClassVar[str] = ""
    deletes: ClassVar[str] = ""
    key: ClassVar[Mapping[str, str]] = {}
    id_from: ClassVar[str] = ""
    wraps: ClassVar[str] = ""
    body: ClassVar[str] = ""
    match: ClassVar[tuple[str, str]] = ("", "")
    computed: ClassVar[Mapping[str, str]] = {}
    settled: ClassVar[tuple[str, frozenset[str]]] = ("", frozenset())

    def __init_subclass__(cls, *, noun: str = "", verbs: str = "Create Get Update Delete") -> None:
        """Spell the operations out; one that is written in the class itself counts."""
        super().__init_subclass__()
        for name, verb in zip(
            ("creates", "reads", "updates", "deletes"), verbs.split() if noun else (), strict=False
        ):
            if name not in cls.__dict__:
                setattr(cls, name, "" if verb == "-" else f"{verb}{noun}")

    # -- for subclasses --------------------------------------------------------------------------------------

    def arrange(self, context: Context, inputs: Properties) -> Properties:
        """The inputs as AWS groups them, for those few types where it groups them otherwise."""
        return inputs

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """More outputs, from the answer to a read."""
        return {}

    def send(self, context: Context, operation: str, inputs: Properties, **fixed: Any) -> dict[str, Any]:
        """Call `operation` with what it takes of `inputs`, in its wrapping, and `fixed` as it is."""
        shape = self.client(context).meta.service_model.operation_model(operation).input_shape
        if shape is None:  # it takes nothing
            return answer_of(self.client(context), operation, {})
        known = {name: value for name, value in inputs.items() if name not in _OURS and value is not UNKNOWN}
        request = to_request(shape, known, self.renames)
        if self.wraps in shape.members:
            request[self.wraps] = to_request(shape.members[self.wraps], known, self.renames)
        return answer_of(self.client(context), operation, {**request, **fixed})

    def keys(self, resource_id: str, state: Properties) -> dict[str, Any]:
        """The identifying members and their values."""
        known = self.known(resource_id, state)
        return {member: known[name] for member, name in self.key.items() if known.get(name) is not None}

    def address(self, context: Context, operation: str, resource_id: str, state: Properties) -> dict[str, Any]:
        """The identifying members that `operation` takes; one that takes many gets a list of one."""
        shape = self.client(context).meta.service_model.operation_model(operation).input_shape
        members = shape.members if shape is not None else {}
        found = {member: value for member, value in self.keys(resource_id, state).items() if member in members}
        return {m: [v] if members[m].type_name == "list" and not isinstance(v, list) else v for m, v in found.items()}

    def known(self, resource_id: str, state: Properties) -> Properties:
        """`state` with what the id itself tells; it is all there is when a resource is imported."""
        texts = resource_id.split(self.separator, max(len(self.parts) - 1, 0))
        told = dict(zip(self.parts, texts, strict=True)) if len(texts) == len(self.parts) else {}
        given = {name: value for name, value in state.items() if value is not None}
        return {"id": resource_id, **told, **given} if "id" not in told or self.id_from else {**told, **given}

    # -- AwsType ---------------------------------------------------------------------------------------------

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, with its tags, and wait until it is usable."""
        shape = self.client(context).meta.service_model.operation_model(self.creates).input_shape
        member = next((name for name in shape.members if name.lower() in _TAG_MEMBERS), None)
        tags = self.wire_tags(context, inputs) if self.tagging is not None and member else None
        fixed = {member: tags} if member and tags else {}
        answer = self.send(context, self.creates, self.arrange(context, inputs), **fixed)
        resource_id = self.told_id(answer) if self.id_from else self.joined(self._placed(context, inputs))
        self.settle(context, resource_id, inputs)
        return resource_id

    def told_id(self, answer: Mapping[str, Any]) -> str:
        """The id in the answer to the creation.

        Raises:
            ProviderError: there is none.
        """
        found = at(answer, self.id_from)
        if found is None:
            raise ProviderError(
                f"{self.token} is not supported by this cloud: {self.creates} answered without {self.id_from}"
            )
        return str(found)

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """What a read answers, without its wrapping; None when there is nothing."""
        body = at(
            self.send(context, self.reads, {}, **self.address(context, self.reads, resource_id, inputs)), self.body
        )
        if isinstance(body, list):
            member, name = self.match
            wanted = str(self.known(resource_id, inputs).get(name))
            body = next((one for one in body if not member or str(one.get(member)) == wanted), None)
        return body if isinstance(body, dict) else None

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """What AWS says of every property, in Pulumi's names."""
        body = self.ask(context, resource_id, inputs)
        if body is None:
            return None
        schema = schema_of(self.token)
        kinds = {name: kind for name, kind in (schema.inputs.properties or {}).items() if name not in _OURS}
        found = to_properties({**kinds, **schema.outputs}, body, self.renames)
        if inputs:
            found = {name: self.seen(inputs.get(name), value, kinds.get(name)) for name, value in found.items()}
        place = {"region": context.region, "account": context.account_id}
        words = {**found, **self.known(resource_id, inputs), **place}
        made = {name: template.format(**words) for name, template in self.computed.items()}
        return {**found, **made, **self.tell(context, resource_id, body, inputs)}

    def seen(self, given: Any, found: Any, kind: PropertyType | None) -> Any:
        """`found` in the terms of `given`, the input."""
        if isinstance(given, str) and same_json(given, found):
            return given
        return found if given is None else seen_as(given, found, kind)

    def addressed(self) -> frozenset[str]:
        """Those of its key too."""
        return super().addressed() | frozenset(self.key.values())

    def told_tags(self, context: Context, resource_id: str, state: Properties) -> Mapping[str, str] | None:
        """What the service lists, or what a read tells beside the rest."""
        tags = super().told_tags(context, resource_id, state)
        if tags or self.tagging is None or not state.get("tags"):
            return tags
        return self.tagging.found(self.ask(context, resource_id, state) or {}) or tags

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """One update with everything; what is no longer given is emptied where AWS takes an empty value."""
        if not self.updates or not roots(olds, news) - _OURS:
            return
        before, after = self.arrange(context, olds), self.arrange(context, news)
        shape = self.client(context).meta.service_model.operation_model(self.updates).input_shape
        gone = {name: before[name] for name in before if before[name] is not None and after.get(name) is None}
        emptied = {member: empty_of(shape.members[member]) for member in to_request(shape, gone, self.renames)}
        cleared = {member: value for member, value in emptied.items() if value is not None}
        self.send(
            context, self.updates, after, **{**cleared, **self.address(context, self.updates, resource_id, news)}
        )
        self.settle(context, resource_id, news)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        if self.deletes:
            self.send(context, self.deletes, {}, **self.address(context, self.deletes, resource_id, state))

    def listing(self, context: Context, inputs: Properties) -> Listing:
        """Asked with the members that identify it."""
        asks = self.asks or {member: name for member, name in self.key.items() if name != "id"}
        known = {"accountId": context.account_id, **inputs}
        given = {member: known[name] for member, name in asks.items() if known.get(name) is not None}
        return replace(super().listing(context, inputs), request=given)

    def find(self, context: Context, inputs: Properties) -> str | None:
        """Where inputs alone identify it, a read tells the id; else it is listed under the creation's name for it."""
        if self.id_from and not self.listed:
            if all(inputs.get(name) is not None for name in self.key.values()) and "id" not in self.key.values():
                return self._told_by_read(context, inputs)
            wanted = replace(self.listing(context, inputs), member=self.id_from.rpartition(".")[2], id_of=str)
            return find_listed(context, inputs, wanted, self.observe)
        return super().find(context, inputs)

    def _told_by_read(self, context: Context, inputs: Properties) -> str | None:
        try:
            body = self.ask(context, "", inputs)
        except ClientError as error:
            if is_gone(error):
                return None
            raise
        return None if body is None else str(at(body, self.id_from.rpartition(".")[2]))

    def settle(self, context: Context, resource_id: str, inputs: Properties) -> None:
        """Wait until the resource is usable."""
        member, values = self.settled
        if member:
            context.wait_until(
                lambda: str(at(self.ask(context, resource_id, inputs) or {}, member)) in values,
                f"{self.token.rpartition(':')[2]} {resource_id}",
            )

    def wait_gone(self, context: Context, resource_id: str, state: Properties) -> None:
        """Wait until a read finds nothing, for services that delete in their own time."""
        context.wait_until(lambda: self.read(context, resource_id, state) is None, f"deletion of {resource_id}")


def at(answer: Any, path: str) -> Any:
    """What is at `path` (`Api.ApiId`, `Rules.0.RuleArn`) of an answer; None when there is nothing."""
    for step in path.split(".") if path else ():
        if isinstance(answer, list):
            answer = dict(enumerate(answer)).get(int(step))
            continue
        answer = answer.get(step) if isinstance(answer, Mapping) else None
    return answer
