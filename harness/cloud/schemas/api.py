"""The API of EventBridge's schema registry. Code bindings are refused by name: AWS generates them, nobody here does.

Source: https://docs.aws.amazon.com/eventbridge/latest/schema-reference/what-is-eventbridge-schemas.html
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from harness.cloud.asgi import REQUEST, Receive, Scope, Send, read_body, respond
from harness.cloud.models import Models
from harness.cloud.rest_input import InputReader
from harness.cloud.schemas.discovery import Discoverer, Discovery
from harness.cloud.schemas.inference import json_schema, openapi
from harness.cloud.schemas.registry import RefusedError, Registries, Registry, Schema, Version, Where, check

Asked = Mapping[str, Any]  # an operation's input by its members' names
Answer = dict[str, Any]  # wire JSON

MOST_EVENTS = 10
_STATUS = {
    "NotFoundException": 404,
    "ConflictException": 409,
    "PreconditionFailedException": 412,
    "NotImplemented": 501,
}


@dataclass(slots=True)
class SchemasApi:
    """An ASGI application behind the gate. `bus_exists` is asked about the bus of a new discoverer."""

    discovery: Discovery
    models: Models
    bus_exists: Callable[[Where, str], bool]
    _reader: InputReader = field(init=False)

    def __post_init__(self) -> None:
        """Compile the routes of the service."""
        self._reader = InputReader(self.models.get("schemas"))

    @property
    def registries(self) -> Registries:
        """What there is."""
        return self.discovery.registries

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call."""
        body = await read_body(receive)
        if body is None:
            return
        request = scope[REQUEST]
        operation = request.operation
        do = self._operations().get(operation)
        if do is None:
            said = f"the embedded cloud lacks {operation or scope['path']} of schemas"
            hint = ": it generates no code bindings" if "CodeBinding" in operation else ""
            await self._refuse(send, RefusedError("NotImplemented", said + hint))
            return
        http = self.models.get("schemas")["operations"].get(operation, {}).get("http", {})
        try:
            answer = do(self._reader.read(operation, scope, body), (request.account, request.region))
        except json.JSONDecodeError as error:
            await self._refuse(send, RefusedError("BadRequestException", f"The body is no JSON: {error}"))
            return
        except RefusedError as error:
            await self._refuse(send, error)
            return
        status = int(http.get("responseCode", 200))
        await respond(send, status, json.dumps(answer).encode() if status != 204 else b"")

    async def _refuse(self, send: Send, error: RefusedError) -> None:
        status = _STATUS.get(error.code, 400)
        said = json.dumps({"Code": error.code, "Message": str(error)})
        await respond(send, status, said.encode(), headers=(("x-amzn-errortype", error.code),))

    async def heal(self) -> list[str]:
        """Nothing of it is in force."""
        return []

    def reset(self) -> None:
        """Forget everything."""
        self.discovery.clear()
        self.registries.clear()

    def _operations(self) -> Mapping[str, Callable[[Asked, Where], Answer]]:
        return {
            "CreateRegistry": self._create_registry,
            "DescribeRegistry": lambda a, w: self._registry(self.registries.get(w, a["RegistryName"])),
            "UpdateRegistry": self._update_registry,
            "DeleteRegistry": self._delete_registry,
            "ListRegistries": self._list_registries,
            "CreateSchema": self._create_schema,
            "DescribeSchema": self._describe_schema,
            "UpdateSchema": self._update_schema,
            "DeleteSchema": self._delete_schema,
            "ListSchemas": self._list_schemas,
            "SearchSchemas": self._search,
            "ListSchemaVersions": self._list_versions,
            "DeleteSchemaVersion": self._delete_version,
            "ExportSchema": self._export,
            "PutResourcePolicy": self._put_policy,
            "GetResourcePolicy": self._get_policy,
            "DeleteResourcePolicy": self._delete_policy,
            "CreateDiscoverer": self._create_discoverer,
            "DescribeDiscoverer": lambda a, w: self._discoverer(self._watching(a, w)),
            "UpdateDiscoverer": self._update_discoverer,
            "DeleteDiscoverer": self._delete_discoverer,
            "ListDiscoverers": self._list_discoverers,
            "StartDiscoverer": lambda a, w: self._switch(a, w, on=True),
            "StopDiscoverer": lambda a, w: self._switch(a, w, on=False),
            "GetDiscoveredSchema": _discovered,
            "TagResource": lambda a, _: _nothing(
                self.registries.tags.setdefault(a["ResourceArn"], {}).update(a["Tags"])
            ),
            "UntagResource": self._untag,
            "ListTagsForResource": lambda a, _: {"tags": self.registries.tags.get(a["ResourceArn"], {})},
        }

    # -- registries ------------------------------------------------------------------------------------------

    def _create_registry(self, asked: Asked, where: Where) -> Answer:
        made = self.registries.create(where, asked["RegistryName"], str(asked.get("Description") or ""))
        self._tag(made.arn, asked)
        return self._registry(made)

    def _update_registry(self, asked: Asked, where: Where) -> Answer:
        found = self.registries.get(where, asked["RegistryName"])
        found.description = str(asked.get("Description") or "")
        return self._registry(found)

    def _delete_registry(self, asked: Asked, where: Where) -> Answer:
        self.registries.delete(where, asked["RegistryName"])
        return {}

    def _list_registries(self, asked: Asked, where: Where) -> Answer:
        prefix, scope = str(asked.get("RegistryNamePrefix") or ""), str(asked.get("Scope") or "LOCAL")
        known = self.registries.every(where) if scope.upper() == "LOCAL" else []
        return _page(asked, "Registries", [self._registry(one) for one in known if one.name.startswith(prefix)])

    def _registry(self, found: Registry) -> Answer:
        shown = {"RegistryName": found.name, "RegistryArn": found.arn, "tags": self._tags(found.arn)}
        return {**shown, "Description": found.description} if found.description else shown

    # -- schemas ---------------------------------------------------------------------------------------------

    def _create_schema(self, asked: Asked, where: Where) -> Answer:
        registry, name = asked["RegistryName"], asked["SchemaName"]
        if name in self.registries.get(where, registry).schemas:
            raise RefusedError("ConflictException", f"Schema with name {name} already exists.")
        made = self.registries.new_schema(where, registry, name, str(asked.get("Type")))
        made.description = str(asked.get("Description") or "")
        self.registries.put(where, made, str(asked.get("Content") or ""))
        self._tag(made.arn, asked)
        return self._schema(made)

    def _describe_schema(self, asked: Asked, where: Where) -> Answer:
        found = self._found(asked, where)
        version = found.version(str(asked.get("SchemaVersion") or ""))
        return {**self._schema(found, version), "Content": version.content}

    def _update_schema(self, asked: Asked, where: Where) -> Answer:
        found = self._found(asked, where)
        kind, content = str(asked.get("Type") or found.type), asked.get("Content")
        check(kind, str(content or found.version().content))
        found.type = kind
        if asked.get("Description") is not None:
            found.description = str(asked["Description"])
        if content is not None:
            self.registries.put(where, found, str(content))
        return self._schema(found)

    def _delete_schema(self, asked: Asked, where: Where) -> Answer:
        found = self._found(asked, where)
        del self.registries.get(where, found.registry).schemas[found.name]
        return _nothing(self.registries.tags.pop(found.arn, None))

    def _list_schemas(self, asked: Asked, where: Where) -> Answer:
        prefix = str(asked.get("SchemaNamePrefix") or "")
        known = self.registries.get(where, asked["RegistryName"]).schemas
        shown = [
            {
                "SchemaName": one.name,
                "SchemaArn": one.arn,
                "LastModified": _iso(one.changed_s),
                "VersionCount": len(one.versions),
                "tags": self._tags(one.arn),
            }
            for name, one in sorted(known.items())
            if name.startswith(prefix)
        ]
        return _page(asked, "Schemas", shown)

    def _search(self, asked: Asked, where: Where) -> Answer:
        """Schemas whose name or content has every keyword, each with the versions that do."""
        words = str(asked["Keywords"]).lower().split()
        shown = []
        for name, one in sorted(self.registries.get(where, asked["RegistryName"]).schemas.items()):
            text = {version: f"{name} {version.content}".lower() for version in one.versions}
            hits = [version for version in one.versions if all(word in text[version] for word in words)]
            if hits:
                versions = [
                    {"SchemaVersion": str(hit.number), "CreatedDate": _iso(hit.created_s), "Type": one.type}
                    for hit in hits
                ]
                names = {"RegistryName": one.registry, "SchemaName": name, "SchemaArn": one.arn}
                shown.append({**names, "SchemaVersions": versions})
        return _page(asked, "Schemas", shown)

    def _list_versions(self, asked: Asked, where: Where) -> Answer:
        found = self._found(asked, where)
        names = {"SchemaName": found.name, "SchemaArn": found.arn, "Type": found.type}
        shown = [{**names, "SchemaVersion": str(version.number)} for version in found.versions]
        return _page(asked, "SchemaVersions", shown)

    def _delete_version(self, asked: Asked, where: Where) -> Answer:
        found = self._found(asked, where)
        found.versions.remove(found.version(asked["SchemaVersion"]))
        if not found.versions:
            self._delete_schema(asked, where)
        return {}

    def _export(self, asked: Asked, where: Where) -> Answer:
        found, kind = self._found(asked, where), str(asked.get("Type"))
        version = found.version(str(asked.get("SchemaVersion") or ""))
        if (found.type, kind) != ("OpenApi3", "JSONSchemaDraft4"):
            raise RefusedError("BadRequestException", "Only an OpenApi3 schema is exported, as JSONSchemaDraft4.")
        content = json.dumps(json_schema(json.loads(version.content)))
        names = {"SchemaName": found.name, "SchemaArn": found.arn, "SchemaVersion": str(version.number)}
        return {**names, "Type": kind, "Content": content}

    def _found(self, asked: Asked, where: Where) -> Schema:
        return self.registries.schema(where, asked["RegistryName"], asked["SchemaName"])

    def _schema(self, found: Schema, version: Version | None = None) -> Answer:
        version = version or found.version()
        shown = {
            "SchemaName": found.name,
            "SchemaArn": found.arn,
            "SchemaVersion": str(version.number),
            "Type": found.type,
            "LastModified": _iso(found.changed_s),
            "VersionCreatedDate": _iso(version.created_s),
            "tags": self._tags(found.arn),
        }
        return {**shown, "Description": found.description} if found.description else shown

    # -- policies --------------------------------------------------------------------------------------------

    def _put_policy(self, asked: Asked, where: Where) -> Answer:
        found = self.registries.get(where, str(asked.get("RegistryName") or ""))
        given = asked.get("RevisionId")
        if given is not None and given != str(found.revision):
            raise RefusedError("PreconditionFailedException", f"The policy is at revision {found.revision}.")
        policy = asked.get("Policy")
        try:
            found.policy = json.dumps(json.loads(policy) if isinstance(policy, str) else policy)
        except ValueError as error:
            raise RefusedError("BadRequestException", f"Policy is no JSON: {error}") from error
        found.revision += 1
        return {"Policy": found.policy, "RevisionId": str(found.revision)}

    def _get_policy(self, asked: Asked, where: Where) -> Answer:
        found = self._with_policy(asked, where)
        return {"Policy": found.policy, "RevisionId": str(found.revision)}

    def _delete_policy(self, asked: Asked, where: Where) -> Answer:
        self._with_policy(asked, where).policy = ""
        return {}

    def _with_policy(self, asked: Asked, where: Where) -> Registry:
        found = self.registries.get(where, str(asked.get("RegistryName") or ""))
        if not found.policy:
            raise RefusedError("NotFoundException", f"Registry {found.name} has no policy.")
        return found

    # -- discoverers -----------------------------------------------------------------------------------------

    def _create_discoverer(self, asked: Asked, where: Where) -> Answer:
        bus = str(asked.get("SourceArn") or "")
        if not self.bus_exists(where, bus):
            raise RefusedError("BadRequestException", f"Event bus {bus} does not exist.")
        made = self.discovery.create(
            where, bus, str(asked.get("Description") or ""), cross_account=bool(asked.get("CrossAccount", True))
        )
        self._tag(made.arn, asked)
        return self._discoverer(made)

    def _update_discoverer(self, asked: Asked, where: Where) -> Answer:
        found = self._watching(asked, where)
        found.description = str(asked.get("Description") or "")
        found.cross_account = bool(asked.get("CrossAccount", found.cross_account))
        return self._discoverer(found)

    def _delete_discoverer(self, asked: Asked, where: Where) -> Answer:
        self.discovery.delete(where, asked["DiscovererId"])
        return {}

    def _list_discoverers(self, asked: Asked, where: Where) -> Answer:
        identity, bus = str(asked.get("DiscovererIdPrefix") or ""), str(asked.get("SourceArnPrefix") or "")
        known = self.discovery.every(where)
        shown = [self._discoverer(one) for one in known if one.id.startswith(identity) and one.bus.startswith(bus)]
        return _page(asked, "Discoverers", shown)

    def _switch(self, asked: Asked, where: Where, *, on: bool) -> Answer:
        found = self._watching(asked, where)
        found.started = on
        return {"DiscovererId": found.id, "State": _state(found)}

    def _watching(self, asked: Asked, where: Where) -> Discoverer:
        return self.discovery.get(where, asked["DiscovererId"])

    def _discoverer(self, found: Discoverer) -> Answer:
        shown = {
            "DiscovererId": found.id,
            "DiscovererArn": found.arn,
            "SourceArn": found.bus,
            "State": _state(found),
            "CrossAccount": found.cross_account,
            "tags": self._tags(found.arn),
        }
        return {**shown, "Description": found.description} if found.description else shown

    # -- tags ------------------------------------------------------------------------------------------------

    def _tags(self, arn: str) -> dict[str, str]:
        return self.registries.tags.get(arn, {})

    def _tag(self, arn: str, asked: Asked) -> None:
        if asked.get("Tags"):
            self.registries.tags[arn] = dict(asked["Tags"])

    def _untag(self, asked: Asked, _: Where) -> Answer:
        for key in asked.get("TagKeys") or ():
            self.registries.tags.get(asked["ResourceArn"], {}).pop(key, None)
        return {}


def _discovered(asked: Asked, _: Where) -> Answer:
    """GetDiscoveredSchema: the schema of sample events."""
    given = asked.get("Events") or []
    if not 1 <= len(given) <= MOST_EVENTS:
        raise RefusedError("BadRequestException", f"1 to {MOST_EVENTS} events")
    try:
        events = [json.loads(text) for text in given]
    except ValueError as error:
        raise RefusedError("BadRequestException", f"An event is no JSON: {error}") from error
    if not all(isinstance(event, dict) for event in events):
        raise RefusedError("BadRequestException", "An event is a JSON object.")
    document = openapi(events)
    return {"Content": json.dumps(document if asked.get("Type") == "OpenApi3" else json_schema(document))}


def _page(asked: Asked, key: str, items: Sequence[Answer]) -> Answer:
    start = int(asked.get("NextToken") or 0)
    end = start + int(asked.get("Limit") or 100)
    return {key: list(items[start:end]), **({"NextToken": str(end)} if end < len(items) else {})}


def _state(found: Discoverer) -> str:
    return "STARTED" if found.started else "STOPPED"


def _nothing(_: object) -> Answer:
    return {}


def _iso(at_s: float) -> str:
    return datetime.fromtimestamp(at_s, UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
