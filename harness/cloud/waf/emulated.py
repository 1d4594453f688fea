"""ministack keeps web ACLs and blocks nothing: here they judge what comes to REST stages and load balancers."""

from __future__ import annotations

import json
import re
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.asgi import REQUEST, App, Receive, Scope, Send, read_body, replay, respond
from harness.cloud.signals.emulated import in_scope
from harness.cloud.signals.series import MetricId, MetricStore
from harness.cloud.waf.acl import DEFAULT, Verdict, WebAcl
from harness.cloud.waf.sampling import Samples
from harness.cloud.waf.statements import Spec, UnsupportedStatementError, WebRequest

_STAGE = re.compile(r"^/(?:_aws/execute-api/[^/]+/)?([^/]+)(/.*)?$")
_BALANCER = re.compile(r"^arn:aws:elasticloadbalancing:[^:]+:\d+:loadbalancer/app/")
Home = tuple[str, str]  # account id and region
Judge = Callable[[WebRequest], "Refusal | None"]


@dataclass(frozen=True, slots=True)
class Refusal:
    """What a blocked request is answered. `content` is None where no custom response has one."""

    status: int = 403
    content: bytes | None = None
    kind: str = "text/plain"
    headers: tuple[tuple[str, str], ...] = ()


@dataclass(slots=True)
class Firewall:
    """Finds the web ACL of a resource and judges by it. Compiled web ACLs are kept until they change."""

    store: MetricStore
    samples: Samples = field(default_factory=Samples)
    _compiled: dict[str, tuple[str, WebAcl]] = field(default_factory=dict)  # ARN → lock token, compiled

    def install(self) -> None:
        """Refuse web ACLs that could not be obeyed and resources that are not there; answer for samples."""
        from ministack import app
        from ministack.services import waf

        waf._create_web_acl = _checked(waf._create_web_acl)  # noqa: SLF001 - this file is the seam into ministack's WAF
        waf._update_web_acl = _checked(waf._update_web_acl)  # noqa: SLF001
        waf._associate_web_acl = _that_exists(waf._associate_web_acl)  # noqa: SLF001
        app.SERVICE_HANDLERS["wafv2"] = self._with_samples(app.SERVICE_HANDLERS["wafv2"])

    def guard(self, resource: str) -> Judge | None:
        """What judges requests to a resource by its ARN; None when no web ACL is associated."""
        found = next((one for one in _associations() if one[1] == resource), None)
        return None if found is None else self._judge(*found)

    def around(self, app: App) -> App:
        """An ASGI application that passes a request on unless its stage's web ACL blocks it."""

        async def guarded(scope: Scope, receive: Receive, send: Send) -> None:
            call = scope.get(REQUEST)
            judge = self._stage(call.resource, scope["path"]) if call and call.service == "execute-api" else None
            if judge is None:
                await app(scope, receive, send)
                return
            body = await read_body(receive)
            if body is None:
                return
            refusal = judge(_request(scope, body))
            if refusal is None:
                await app(scope, replay(body, receive), send)
                return
            content, kind = refusal.content, refusal.kind
            if content is None:
                content, kind = b'{"message":"Forbidden"}', "application/json"
            await respond(send, refusal.status, content, kind, refusal.headers)

        return guarded

    def _stage(self, api: str, path: str) -> Judge | None:
        match = _STAGE.match(path)
        ending = f"/restapis/{api}/stages/{match[1]}" if match else "?"
        found = next((one for one in _associations() if one[1].endswith(ending)), None)
        return None if found is None else self._judge(*found)

    def _judge(self, home: Home, resource: str, arn: str) -> Judge | None:
        from ministack.services import waf

        del resource
        with in_scope(*home):
            acl, wrong = waf._resolve_local_web_acl(arn)  # noqa: SLF001
        if wrong:
            return None

        def judge(request: WebRequest) -> Refusal | None:
            with in_scope(*home):
                verdict = self._judged(acl, request)
            self._count(home, acl, verdict, request)
            return _refusal(acl, verdict) if verdict.blocked else None

        return judge

    def _judged(self, acl: Spec, request: WebRequest) -> Verdict:
        token, compiled = self._compiled.get(acl["ARN"], ("", None))
        if compiled is None or token != acl["LockToken"]:
            compiled = WebAcl.of(acl, _resolved)
            self._compiled[acl["ARN"]] = (acl["LockToken"], compiled)
        return compiled.judge(request)

    def _count(self, home: Home, acl: Spec, verdict: Verdict, request: WebRequest) -> None:
        now_s, named = time.time(), _metric_names(acl)
        decided = ("BlockedRequests", "BLOCK") if verdict.blocked else ("AllowedRequests", "ALLOW")
        met = [(verdict.rule, *decided), *((rule, "CountedRequests", "COUNT") for rule in verdict.counted)]
        for rule, name, action in met:
            for shown in (rule, "ALL"):
                dimensions = (("Region", home[1]), ("Rule", shown), ("WebACL", str(acl["Name"])))
                self.store.value(MetricId(*home, "AWS/WAFV2", name, dimensions), 1.0, now_s, unit="Count")
            config = named.get(rule.partition(":")[0]) or {}
            if config.get("SampledRequestsEnabled"):
                self.samples.take(str(acl["ARN"]), str(config.get("MetricName")), request, action, now_s)

    def _with_samples(self, builtin: Callable[..., Awaitable[Any]]) -> Callable[..., Awaitable[Any]]:
        async def handle(*request: Any) -> Any:
            headers, body = request[2], request[3]
            if not headers.get("x-amz-target", "").endswith(".GetSampledRequests"):
                return await builtin(*request)
            answer = json.dumps(self.samples.answer(json.loads(body or b"{}"))).encode()
            return 200, {"Content-Type": "application/x-amz-json-1.1"}, answer

        return handle


def _associations() -> Iterator[tuple[Home, str, str]]:
    """Where, which resource, which web ACL."""
    from ministack.services import waf

    for (account, region, resource), arn in list(waf._associations.all_items()):  # noqa: SLF001
        yield (account, region), str(resource), str(arn)


def _metric_names(acl: Spec) -> dict[str, Spec]:
    """The visibility of each rule, and of the default action."""
    found = {str(rule["Name"]): rule.get("VisibilityConfig") or {} for rule in acl.get("Rules") or ()}
    return {**found, DEFAULT: acl.get("VisibilityConfig") or {}}


def _request(scope: Scope, body: bytes) -> WebRequest:
    match = _STAGE.match(scope["path"])
    client = scope.get("client") or ("127.0.0.1", 0)
    return WebRequest(
        method=scope["method"],
        path=(match[2] if match else "") or "/",
        query=scope.get("query_string", b"").decode("latin-1"),
        headers={name.decode("latin-1"): value.decode("latin-1") for name, value in scope["headers"]},
        body=body,
        ip=str(client[0]),
    )


def _resolved(arn: str) -> Spec:
    """An IP set, a pattern set or a rule group."""
    from ministack.services import waf

    for store in (waf._ip_sets, waf._regex_pattern_sets, waf._rule_groups):  # noqa: SLF001
        for _, record in store.all_items():
            if record["ARN"] == arn:
                found: Spec = record
                return found
    raise UnsupportedStatementError(f"{arn} does not exist")


def _checked(builtin: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def change(data: dict[str, Any]) -> Any:
        from ministack.services import waf

        try:
            WebAcl.of(data, _resolved)
        except (UnsupportedStatementError, re.error) as error:
            return waf._waf_err("WAFInvalidParameterException", str(error))  # noqa: SLF001
        return builtin(data)

    return change


def _that_exists(builtin: Callable[[dict[str, Any]], Any]) -> Callable[[dict[str, Any]], Any]:
    def associate(data: dict[str, Any]) -> Any:
        from ministack.services import alb, waf

        resource = str(data.get("ResourceArn"))
        if _BALANCER.match(resource) and resource not in alb._lbs:  # noqa: SLF001
            said = f"AWS WAF couldn't perform the operation because {resource} does not exist."
            return waf._waf_err("WAFNonexistentItemException", said)  # noqa: SLF001
        return builtin(data)

    return associate


def _refusal(acl: Spec, verdict: Verdict) -> Refusal:
    """403, or the custom response."""
    custom = verdict.response or {}
    known = (acl.get("CustomResponseBodies") or {}).get(custom.get("CustomResponseBodyKey", ""), {})
    content = known.get("Content")
    kinds = {"TEXT_PLAIN": "text/plain", "TEXT_HTML": "text/html"}
    return Refusal(
        status=int(custom.get("ResponseCode") or 403),
        content=None if content is None else str(content).encode(),
        kind=kinds.get(str(known.get("ContentType")), "application/json"),
        headers=tuple((str(one["Name"]), str(one["Value"])) for one in custom.get("ResponseHeaders") or ()),
    )
