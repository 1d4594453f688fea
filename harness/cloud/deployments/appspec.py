"""An AppSpec: what a deployment is to replace by what, and which functions validate it on the way.

Source: https://docs.aws.amazon.com/codedeploy/latest/userguide/reference-appspec-file.html
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from harness.cloud.deployments.refusals import CodeDeployError

HOOKS: Mapping[str, tuple[str, ...]] = {
    "Lambda": ("BeforeAllowTraffic", "AfterAllowTraffic"),
    "ECS": ("BeforeInstall", "AfterInstall", "AfterAllowTestTraffic", "BeforeAllowTraffic", "AfterAllowTraffic"),
}
_TYPES = {"Lambda": "AWS::Lambda::Function", "ECS": "AWS::ECS::Service"}
_NEEDED = {"Lambda": ("Name", "Alias", "CurrentVersion", "TargetVersion"), "ECS": ("TaskDefinition",)}


@dataclass(frozen=True, slots=True, kw_only=True)
class AppSpec:
    """`properties` are those of its one resource, `hooks` the functions by lifecycle event."""

    properties: Mapping[str, Any]
    hooks: Mapping[str, str] = field(default_factory=dict)


def read_appspec(platform: str, text: str) -> AppSpec:
    """The AppSpec in `text`, YAML or JSON.

    Raises:
        CodeDeployError: it is none of the platform's; says what is wrong.
    """
    import yaml

    try:
        found = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise _invalid(f"The AppSpec is neither YAML nor JSON: {error}") from error
    given = {str(key).lower(): value for key, value in found.items()} if isinstance(found, dict) else {}
    resources = [one for group in given.get("resources") or () for one in group.values()]
    if len(resources) != 1:
        raise _invalid(f"The AppSpec has {len(resources)} Resources; a {platform} deployment has one")
    if resources[0].get("Type") != _TYPES[platform]:
        raise _invalid(f"The AppSpec's resource is a {resources[0].get('Type')}, not a {_TYPES[platform]}")
    properties = resources[0].get("Properties") or {}
    missing = [name for name in _NEEDED[platform] if not properties.get(name)]
    if missing:
        raise _invalid(f"The AppSpec's resource has no {', '.join(missing)}")
    hooks = {str(name): str(function) for group in given.get("hooks") or () for name, function in group.items()}
    unknown = sorted(set(hooks) - set(HOOKS[platform]))
    if unknown:
        raise _invalid(f"{unknown[0]} is no hook of a {platform} deployment: {', '.join(HOOKS[platform])}")
    return AppSpec(properties=properties, hooks=hooks)


def text_of(revision: Mapping[str, Any], fetch: Callable[[Mapping[str, Any]], str]) -> str:
    """The AppSpec's text in a revision; `fetch` reads one that lies in S3.

    Raises:
        CodeDeployError: there is none.
    """
    kind = revision.get("revisionType")
    inline = {"AppSpecContent": "appSpecContent", "String": "string"}.get(str(kind))
    if inline:
        content = (revision.get(inline) or {}).get("content")
        if not content:
            raise _invalid(f"The revision has no {inline}.content")
        return str(content)
    if kind == "S3" and revision.get("s3Location"):
        return fetch(revision["s3Location"])
    raise _invalid(f"A revision of type {kind} is no AppSpec: use AppSpecContent or S3")


def _invalid(said: str) -> CodeDeployError:
    return CodeDeployError("InvalidRevisionException", said)
