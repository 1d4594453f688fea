"""ministack keeps web ACLs and blocks nothing: here a REST stage's own one judges what comes to it."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.asgi import REQUEST, App, Receive, Scope, Send, read_body, replay, respond
from harness.cloud.signals.emulated import in_scope
from harness.cloud.signals.series import MetricId, MetricStore
from harness.cloud.waf.acl import Verdict, WebAcl
from harness.cloud.waf.statements import Spec, UnsupportedStatementError, WebRequest

_STAGE = re.compile(r"^/(?:_aws/execute-api/[^/]+/)?([^/]+)(/.*)?$")


@dataclass(slots=True)
class Firewall:
    """An ASGI application around the emulator's. Compiled web ACLs are kept until they change."""

    app: App
    store: MetricStore
    _compiled: dict[str, tuple[str, WebAcl]] = field(default_factory=dict)  # ARN → lock token, compiled

    def install(self) -> None:
        """Refuse web ACLs that could not be obeyed."""
        from ministack.services import waf

        waf._create_web_acl = _checked(waf._create_web_acl)  # noqa: SLF001 - this file is the seam into ministack's WAF
        waf._update_web_acl = _checked(waf._update_web_acl)  # noqa: SLF001

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on unless its stage's web ACL blocks it."""
        call = scope.get(REQUEST)
        found = _acl_of(call.resource, scope["path"]) if call is not None and call.service == "execute-api" else None
        if found is None:
            await self.app(scope, receive, send)
            return
        body = await read_body(receive)
        if body is None:
            return
        home, acl = found
        with in_scope(*home):
            verdict = self._judged(acl, _request(scope, body))
        self._count(home, acl, verdict)
        if verdict.blocked:
            await _refuse(acl, verdict, send)
            return
        await self.app(scope, replay(body, receive), send)

    def _judged(self, acl: Spec, request: WebRequest) -> Verdict:
        token, compiled = self._compiled.get(acl["ARN"], ("", None))
        if compiled is None or token != acl["LockToken"]:
            compiled = WebAcl.of(acl, _resolved)
            self._compiled[acl["ARN"]] = (acl["LockToken"], compiled)
        return compiled.judge(request)

    def _count(self, home: tuple[str, str], acl: Spec, verdict: Verdict) -> None:
        name = "BlockedRequests" if verdict.blocked else "AllowedRequests"
        for rule in {verdict.rule, "ALL"}:
            dimensions = (("Region", home[1]), ("Rule", rule), ("WebACL", str(acl["Name"])))
            self.store.value(MetricId(*home, "AWS/WAFV2", name, dimensions), 1.0, _now_s(), unit="Count")


def _now_s() -> float:
    import time

    return time.time()


def _acl_of(api_id: str, path: str) -> tuple[tuple[str, str], Spec] | None:
    """Account and region, and the web ACL of the stage that a request is for."""
    from ministack.services import waf

    match = _STAGE.match(path)
    if match is None:
        return None
    ending = f"/restapis/{api_id}/stages/{match[1]}"
    for (account, region, resource), arn in list(waf._associations.all_items()):  # noqa: SLF001
        if str(resource).endswith(ending):
            with in_scope(account, region):
                acl, wrong = waf._resolve_local_web_acl(arn)  # noqa: SLF001
            return None if wrong else ((account, region), acl)
    return None


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


async def _refuse(acl: Mapping[str, Any], verdict: Verdict, send: Send) -> None:
    """403 as API Gateway answers it, or the custom response."""
    custom = verdict.response or {}
    known = (acl.get("CustomResponseBodies") or {}).get(custom.get("CustomResponseBodyKey", ""), {})
    content = str(known.get("Content") or '{"message":"Forbidden"}')
    kind = {"TEXT_PLAIN": "text/plain", "TEXT_HTML": "text/html"}.get(
        str(known.get("ContentType")), "application/json"
    )
    headers = tuple((str(one["Name"]), str(one["Value"])) for one in custom.get("ResponseHeaders") or ())
    await respond(send, int(custom.get("ResponseCode") or 403), content.encode(), kind, headers)
