"""Sticky sessions: which target, and which of several groups, a client was given before, by cookies.

Source: https://docs.aws.amazon.com/elasticloadbalancing/latest/application/edit-target-group-attributes.html#sticky-sessions
"""

from __future__ import annotations

import base64
import binascii
import time
from collections.abc import Callable, Mapping, Sequence
from email.utils import formatdate
from http.cookies import CookieError, SimpleCookie
from typing import Any

from harness.cloud.load_balancing.routing import groups_of
from harness.cloud.load_balancing.targets import Target, TargetGroup

TARGET, GROUP, APPLICATION = "AWSALB", "AWSALBTG", "AWSALBAPP-0"
_DURATION_S = 86400


def remembered_group(action: Mapping[str, Any], cookies: Mapping[str, str]) -> str:
    """The group that the client's cookie names, while the action leads there and groups are sticky; else ''."""
    (arn,) = _read(cookies.get(GROUP, ""), 1) or ("",)
    return arn if _sticky_groups(action) and arn in {one for one, weight in groups_of(dict(action)) if weight} else ""


def remembered_target(
    group: TargetGroup, cookies: Mapping[str, str], fits: Callable[[Target], bool]
) -> Target | None:
    """The target that the client's cookie names, while it is healthy and `fits`; None else."""
    attributes = group.attributes()
    if attributes.get("stickiness.enabled") != "true":
        return None
    name = APPLICATION if attributes.get("stickiness.type") == "app_cookie" else TARGET
    arn, address, port = _read(cookies.get(name, ""), 3) or ("", "", "")
    target = group.targets.get((address, int(port))) if arn == group.arn and port.isdigit() else None
    return target if target is not None and target.state == "healthy" and fits(target) else None


def cookies_to_set(
    action: Mapping[str, Any], group: TargetGroup, target: Target, answered: Sequence[str]
) -> list[str]:
    """Set-Cookie headers for an answer of the target; `answered` are those that it sets itself."""
    found, attributes = [], group.attributes()
    sticky = attributes.get("stickiness.enabled") == "true"
    kind = attributes.get("stickiness.type") or "lb_cookie"
    if sticky and kind == "lb_cookie":
        lasts_s = int(attributes.get("stickiness.lb_cookie.duration_seconds") or _DURATION_S)
        found += _pair(TARGET, "AWSALBCORS", _write(lasts_s, group.arn, target.id, str(target.port)), lasts_s)
    own = attributes.get("stickiness.app_cookie.cookie_name")
    if sticky and kind == "app_cookie" and own and any(one.startswith(f"{own}=") for one in answered):
        lasts_s = int(attributes.get("stickiness.app_cookie.duration_seconds") or _DURATION_S)
        value = _write(lasts_s, group.arn, target.id, str(target.port))
        found.append(f"{APPLICATION}={value}; Expires={formatdate(time.time() + lasts_s, usegmt=True)}; Path=/")
    config = _sticky_groups(action)
    if config:
        lasts_s = int(config.get("DurationSeconds") or _DURATION_S)
        found += _pair(GROUP, "AWSALBTGCORS", _write(lasts_s, group.arn), lasts_s)
    return found


def cookies_of(header: str) -> dict[str, str]:
    """The cookies that a client sends; none of a header that cannot be read."""
    try:
        return {name: one.value for name, one in SimpleCookie(header).items()}
    except CookieError:
        return {}


def _sticky_groups(action: Mapping[str, Any]) -> Mapping[str, Any]:
    found = (action.get("ForwardConfig") or {}).get("TargetGroupStickinessConfig") or {}
    return found if str(found.get("Enabled")).lower() == "true" else {}


def _pair(name: str, across: str, value: str, lasts_s: int) -> list[str]:
    """The cookie, and its twin for requests from other sites."""
    until = formatdate(time.time() + lasts_s, usegmt=True)
    plain = f"{value}; Expires={until}; Path=/"
    return [f"{name}={plain}", f"{across}={plain}; SameSite=None; Secure"]


def _write(lasts_s: int, *parts: str) -> str:
    text = "|".join((f"{time.time() + lasts_s:.0f}", *parts))
    return base64.urlsafe_b64encode(text.encode()).decode().rstrip("=")


def _read(value: str, count: int) -> tuple[str, ...]:
    """What `_write` wrote; nothing once it has expired, or of anybody else's making."""
    try:
        until, *parts = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode().split("|")
        good = len(parts) == count and float(until) >= time.time()
    except (binascii.Error, ValueError):
        return ()
    return tuple(parts) if good else ()
