"""A subset of AWS's managed rule groups, rule by rule under AWS's names. Pure.

https://docs.aws.amazon.com/waf/latest/developerguide/aws-managed-rule-groups-list.html
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

_DECODED = [{"Priority": 0, "Type": "URL_DECODE"}]


def _regex(field: str, pattern: str) -> dict[str, Any]:
    return {
        "RegexMatchStatement": {
            "FieldToMatch": {field: {}}, "TextTransformations": _DECODED, "RegexString": pattern,
        }
    }  # fmt: skip


def _check(kind: str, field: str) -> dict[str, Any]:
    return {kind: {"FieldToMatch": {field: {}}, "TextTransformations": _DECODED}}


def _size(field: str, size: int) -> dict[str, Any]:
    given = {"FieldToMatch": {field: {}}, "TextTransformations": [], "Size": size, "ComparisonOperator": "GT"}
    return {"SizeConstraintStatement": given}


_NO_AGENT = {
    "NotStatement": {
        "Statement": {
            "SizeConstraintStatement": {
                "FieldToMatch": {"SingleHeader": {"Name": "user-agent"}},
                "TextTransformations": [], "Size": 0, "ComparisonOperator": "GT",
            }
        }
    }
}  # fmt: skip
_TRAVERSAL = r"(?i)(?:^|[/\\])\.\.(?:[/\\]|$)|/etc/passwd"
_JNDI = r"(?i)\$\{\s*jndi:"

GROUPS: Final[Mapping[str, Mapping[str, Mapping[str, Any]]]] = {
    "AWSManagedRulesCommonRuleSet": {
        "NoUserAgent_HEADER": _NO_AGENT,
        "SizeRestrictions_QUERYSTRING": _size("QueryString", 2048),
        "SizeRestrictions_URIPATH": _size("UriPath", 1024),
        "SizeRestrictions_BODY": _size("Body", 8192),
        "GenericLFI_QUERYARGUMENTS": _regex("AllQueryArguments", _TRAVERSAL),
        "GenericLFI_URIPATH": _regex("UriPath", _TRAVERSAL),
        "GenericLFI_BODY": _regex("Body", _TRAVERSAL),
        "CrossSiteScripting_QUERYARGUMENTS": _check("XssMatchStatement", "AllQueryArguments"),
        "CrossSiteScripting_BODY": _check("XssMatchStatement", "Body"),
        "CrossSiteScripting_COOKIE": _check("XssMatchStatement", "Cookies"),
        "CrossSiteScripting_URIPATH": _check("XssMatchStatement", "UriPath"),
    },
    "AWSManagedRulesSQLiRuleSet": {
        "SQLi_QUERYARGUMENTS": _check("SqliMatchStatement", "AllQueryArguments"),
        "SQLi_BODY": _check("SqliMatchStatement", "Body"),
        "SQLi_COOKIE": _check("SqliMatchStatement", "Cookies"),
        "SQLi_URIPATH": _check("SqliMatchStatement", "UriPath"),
    },
    "AWSManagedRulesKnownBadInputsRuleSet": {
        "Log4JRCE_HEADER": _regex("Headers", _JNDI),
        "Log4JRCE_QUERYSTRING": _regex("QueryString", _JNDI),
        "Log4JRCE_URI": _regex("UriPath", _JNDI),
        "Log4JRCE_BODY": _regex("Body", _JNDI),
        "Host_localhost_HEADER": {
            "ByteMatchStatement": {
                "FieldToMatch": {"SingleHeader": {"Name": "host"}}, "TextTransformations": [],
                "SearchString": b"localhost", "PositionalConstraint": "STARTS_WITH",
            }
        },
        "PROPFIND_METHOD": _regex("Method", "(?i)^propfind$"),
        "ExploitablePaths_URIPATH": _regex("UriPath", r"(?i)/(?:\.git|\.env|web-inf)(?:/|$)"),
    },
}  # fmt: skip
"""Group → rule → statement. AWS's own expressions are not public; these find what their documentation names."""
