"""What AWS call an HTTP request is, found without parsing more of it than is needed.

The credential scope gives service and region, then the form of the request gives the operation:
`X-Amz-Target` (json), the path of Smithy RPC v2 (cbor), `Action=` (query, ec2), or a REST route. Only
query calls carry the operation in their body, so only their body is read here.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, unquote_to_bytes

from harness.cloud.asgi import Scope
from harness.cloud.call import AwsCall, Caller
from harness.cloud.models import Models
from harness.cloud.resources import resource_in_body, resource_in_labels
from harness.cloud.routes import RouteTable
from harness.cloud.service_names import BY_QUERY_VERSION, BY_TARGET_PREFIX, services_signing_as
from harness.target import EMULATOR_ACCOUNT

Callers = Callable[[str], Caller | None]
"""Finds the process of ours behind an SDK app id (`bs.<zone id>.<environment id>`)."""

EXPERIMENT_APP_ID = "bs.fis"
"""The SDK app id by which FIS makes its own calls."""

OBSERVER_APP_ID = "bs.drill"
"""The SDK app id by which a drill looks at what it drills."""

Insight = Callable[[str], str]
"""Asks the emulator what a request does not say: the role behind an access key, the stream of a shard iterator."""

_SCOPE = re.compile(rb"Credential=([^/,\s]+)/\d{8}/(?:([a-z0-9-]+)/)?([a-zA-Z0-9-]+)/aws4_request")
_PRESIGNED = re.compile(rb"X-Amz-Credential=([^/&]+)/\d{8}/(?:([a-z0-9-]+)/)?([a-zA-Z0-9-]+)/aws4_request")
_APP_ID = re.compile(rb"app/(bs\.[\w.-]+)")
_EXPERIMENT, _OBSERVER = b"app/bs.fis", b"app/bs.drill"
_ACCOUNT = re.compile(rb"\d{12}")
_HTTP_API = re.compile(r"/_aws/execute-api/([^/]+)")
_RPC_V2 = re.compile(r"/service/([^/]+)/operation/([^/]+)")
_S3_HOST = re.compile(rb"^(.+?)\.s3[.-]")
_API_HOST = re.compile(rb"^([a-z0-9]+)\.execute-api\.")
_FORM = b"application/x-www-form-urlencoded"


@dataclass(slots=True, kw_only=True)
class Request:
    """A request as far as its head tells."""

    service: str = ""
    operation: str = ""
    region: str
    account: str
    caller: Caller | None = None
    resource: str = ""
    operation_in_body: bool = False
    access_key: str = ""
    role: str = ""
    by_experiment: bool = False
    """An experiment's own call: FIS breaks and heals by it, so that no fault hits it and it is no recovery."""
    by_observer: bool = False
    """A drill's own look: no fault hits it, so that what fires has fired on somebody else."""
    protocol: str = ""
    """How it was sent: `json`, `cbor`, `query`, `rest`, or '' when it is no AWS API call."""

    def call(self) -> AwsCall:
        """The same as the fault rules see it."""
        return AwsCall(
            service=self.service,
            operation=self.operation,
            region=self.region,
            account=self.account,
            resource=self.resource,
            caller=self.caller,
            caller_role=self.role,
        )


@dataclass(slots=True, kw_only=True)
class Identifier:
    """Tells requests apart. `region` and `account` are those of requests that name none."""

    region: str
    account: str = EMULATOR_ACCOUNT
    models: Models = field(default_factory=Models)
    callers: Callers = lambda _app_id: None
    roles: Insight = lambda _access_key: ""
    streams: Insight = lambda _shard_iterator: ""
    apis: Insight = lambda _api: ""
    """The region of an API Gateway API by its id."""

    _api_regions: dict[str, str] = field(default_factory=dict)
    _tables: dict[str, RouteTable] = field(default_factory=dict)

    def head(self, scope: Scope) -> Request:
        """What line and headers tell. When `operation_in_body`, `body` completes it."""
        headers: dict[bytes, bytes] = dict(scope["headers"])
        key, region, signing_name = _credential(headers, scope)
        request = Request(
            region=region or self.region,
            account=key.decode() if _ACCOUNT.fullmatch(key) else self.account,
            caller=self._caller(agent := headers.get(b"user-agent", b"")),
            by_experiment=_EXPERIMENT in agent,
            by_observer=_OBSERVER in agent,
            access_key=key.decode("latin-1"),
        )
        candidates = services_signing_as(signing_name)
        if target := headers.get(b"x-amz-target"):
            _from_target(request, target.decode("latin-1"), candidates)
        elif b"smithy-protocol" in headers and (rpc := _RPC_V2.fullmatch(scope["path"])):
            request.service = BY_TARGET_PREFIX.get(rpc[1]) or next(iter(candidates), "")
            request.operation, request.protocol = rpc[2], "cbor"
        elif _is_query(scope, headers, signing_name):
            request.service, request.protocol, request.operation_in_body = next(iter(candidates), ""), "query", True
            if b"Action=" in scope.get("query_string", b""):
                self.body(request, scope["query_string"])
        elif _from_http_api(request, scope["path"], headers):
            request.region = region or self._region_of_api(request.resource)
        else:
            self._from_route(request, scope, headers, candidates)
        return request

    def region_of_socket(self, scope: Scope) -> str:
        """The region of the API that a WebSocket leads to."""
        request = Request(region=self.region, account=self.account)
        _from_http_api(request, scope["path"], dict(scope["headers"]))
        return self._region_of_api(request.resource)

    def _region_of_api(self, api: str) -> str:
        """Its own region: nothing in a request to an API says so. Ids are never used twice."""
        if api not in self._api_regions:
            found = self.apis(api)
            if not found:
                return self.region
            self._api_regions[api] = found
        return self._api_regions[api]

    def body(self, request: Request, body: bytes) -> None:
        """Complete a query call from its form."""
        form = dict(parse_qsl(body.decode("latin-1"), keep_blank_values=True))
        request.operation = form.get("Action", "")
        request.operation_in_body = False
        version = BY_QUERY_VERSION.get(form.get("Version", ""), "")
        if version and (not request.service or version in {"elb", "elbv2", "ses"}):
            request.service = version
        request.resource = resource_in_body(self.models, request.service, request.operation, form)

    def resource(self, request: Request, body: bytes) -> None:
        """Find what a json or cbor call is about, from its body."""
        if not request.resource and request.protocol in {"json", "cbor"}:
            found = decode(request.protocol, body)
            request.resource = resource_in_body(self.models, request.service, request.operation, found)
            if request.service == "kinesis" and request.operation == "GetRecords":
                request.resource = str(found.get("StreamARN") or self.streams(request.resource))

    def role(self, request: Request) -> None:
        """Find the role that signs: by its session's key, or, where IAM is not enforced, by the calling process."""
        request.role = self.roles(request.access_key) or (request.caller.role if request.caller else "")

    def _caller(self, user_agent: bytes) -> Caller | None:
        found = _APP_ID.search(user_agent)
        return self.callers(found[1].decode()) if found else None

    def _from_route(
        self, request: Request, scope: Scope, headers: Mapping[bytes, bytes], candidates: tuple[str, ...]
    ) -> None:
        path = (scope.get("raw_path") or scope["path"].encode()).decode("latin-1")
        raw_query = scope.get("query_string", b"").decode("latin-1")
        query = dict(parse_qsl(raw_query, keep_blank_values=True)) if raw_query else {}
        if not candidates and "AWSAccessKeyId" in query:
            candidates = ("s3",)  # presigned with signature version 2
        if candidates and candidates[0] == "s3" and (bucket := _S3_HOST.match(headers.get(b"host", b""))):
            path = f"/{bucket[1].decode('latin-1')}{path}"
        for service in candidates:
            match = self._table(service).find(scope["method"], path, query, headers)
            if match is not None:
                request.service, request.operation, request.protocol = service, match.operation, "rest"
                request.resource = unquote(resource_in_labels(match.labels))
                return
        request.service = next(iter(candidates), "")

    def _table(self, service: str) -> RouteTable:
        found = self._tables.get(service)
        if found is None:
            found = self._tables[service] = RouteTable(self.models.get(service))
        return found


def _credential(headers: Mapping[bytes, bytes], scope: Scope) -> tuple[bytes, str, str]:
    """Access key, region and signing name; all empty on an unsigned request."""
    found = _SCOPE.search(headers.get(b"authorization", b""))
    if found is None:
        query = scope.get("query_string", b"")
        found = _PRESIGNED.search(unquote_to_bytes(query)) if b"X-Amz-Credential=" in query else None
    if found is None:
        return b"", "", ""
    return found[1], (found[2] or b"").decode(), found[3].decode()


def _from_target(request: Request, target: str, candidates: tuple[str, ...]) -> None:
    prefix, _, operation = target.rpartition(".")
    request.service = BY_TARGET_PREFIX.get(prefix) or next(iter(candidates), "")
    request.operation, request.protocol = operation, "json"


def _is_query(scope: Scope, headers: Mapping[bytes, bytes], signing_name: str) -> bool:
    if signing_name == "s3" or scope["path"] not in {"/", ""}:
        return False
    form = scope["method"] == "POST" and headers.get(b"content-type", b"").startswith(_FORM)
    return form or b"Action=" in scope.get("query_string", b"")


def _from_http_api(request: Request, path: str, headers: Mapping[bytes, bytes]) -> bool:
    by_host = _API_HOST.match(headers.get(b"host", b""))
    by_path = _HTTP_API.match(path)
    if (not by_host and not by_path) or "/@connections/" in path:
        return False
    request.service, request.operation = "execute-api", "Invoke"
    request.resource = by_path[1] if by_path else by_host[1].decode() if by_host else ""
    return True


def decode(protocol: str, body: bytes) -> Mapping[str, object]:
    """The body as a mapping; empty when it is none (the backend will refuse it)."""
    if protocol == "cbor":
        return _decode_cbor(body)
    import msgspec

    try:
        found = msgspec.json.decode(body or b"{}")
    except msgspec.DecodeError:
        return {}
    return found if isinstance(found, dict) else {}


def _decode_cbor(body: bytes) -> Mapping[str, object]:
    import io

    from botocore.parsers import ResponseParserError, RpcV2CBORParser

    parser = RpcV2CBORParser()
    try:
        found = parser.parse_data_item(io.BufferedReader(io.BytesIO(body)))
    except (ResponseParserError, ValueError, TypeError, IndexError, KeyError):
        return {}
    return found if isinstance(found, dict) else {}
