"""A buildspec read: what is run in which phase, under which variables, and what is kept.

https://docs.aws.amazon.com/codebuild/latest/userguide/build-spec-ref.html
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

PHASES = ("install", "pre_build", "build", "post_build")
_SECTIONS = frozenset({"version", "env", "phases", "artifacts"})
_ENV = frozenset({"shell", "variables", "parameter-store", "secrets-manager", "exported-variables"})
_PHASE = frozenset({"commands", "finally", "on-failure", "runtime-versions"})
_ARTIFACTS = frozenset({"files", "name", "base-directory", "discard-paths", "exclude-paths"})
_SHELLS = frozenset({"bash", "/bin/sh"})


class BuildspecError(Exception):
    """The buildspec cannot be run; the text says what and where."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Phase:
    """`cleanup` runs whatever came of `commands`; with `goes_on` a failure does not end the build."""

    commands: tuple[str, ...] = ()
    cleanup: tuple[str, ...] = ()
    goes_on: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Artifacts:
    """Which files are kept, by glob below `base`; `flat` drops their folders. `name` may be empty."""

    files: tuple[str, ...] = ()
    excluded: tuple[str, ...] = ()
    base: str = ""
    name: str = ""
    flat: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Buildspec:
    """`parameters` and `secrets` are names of variables → where their values are."""

    phases: Mapping[str, Phase]
    artifacts: Artifacts = field(default_factory=Artifacts)
    variables: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, str] = field(default_factory=dict)
    secrets: Mapping[str, str] = field(default_factory=dict)
    exported: tuple[str, ...] = ()


def read_buildspec(text: str) -> Buildspec:
    """The buildspec in YAML (of which JSON is a part).

    Raises:
        BuildspecError: it is none, or asks for what is not done here, by name.
    """
    import yaml

    try:
        data = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise BuildspecError(f"YAML_FILE_ERROR: {error}") from error
    if not isinstance(data, dict) or str(data.get("version")) != "0.2":
        raise BuildspecError("YAML_FILE_ERROR: version must be 0.2")
    _known(data, _SECTIONS, "")
    env, phases = data.get("env") or {}, data.get("phases") or {}
    _known(env, _ENV, "env/")
    if env.get("shell", "bash") not in _SHELLS:
        raise BuildspecError(f"env/shell: {env['shell']} is not supported by this cloud; use bash")
    _known(phases, frozenset(PHASES), "phases/")
    if not phases:
        raise BuildspecError("YAML_FILE_ERROR: phases is missing")
    return Buildspec(
        phases={name: _phase(name, phases[name] or {}) for name in PHASES if name in phases},
        artifacts=_artifacts(data.get("artifacts") or {}),
        variables=_texts(env.get("variables")),
        parameters=_texts(env.get("parameter-store")),
        secrets=_texts(env.get("secrets-manager")),
        exported=tuple(env.get("exported-variables") or ()),
    )


def _known(given: Mapping[str, Any], known: frozenset[str], where: str) -> None:
    for name in given:
        if name not in known:
            raise BuildspecError(f"{where}{name} is not supported by this cloud")


def _phase(name: str, given: Mapping[str, Any]) -> Phase:
    _known(given, _PHASE, f"phases/{name}/")
    on_failure = str(given.get("on-failure", "ABORT"))
    if on_failure not in {"ABORT", "CONTINUE"}:
        raise BuildspecError(f"phases/{name}/on-failure: {on_failure} is not supported by this cloud")
    return Phase(
        commands=tuple(map(str, given.get("commands") or ())),
        cleanup=tuple(map(str, given.get("finally") or ())),
        goes_on=on_failure == "CONTINUE",
    )


def _artifacts(given: Mapping[str, Any]) -> Artifacts:
    _known(given, _ARTIFACTS, "artifacts/")
    return Artifacts(
        files=tuple(given.get("files") or ()),
        excluded=tuple(given.get("exclude-paths") or ()),
        base=str(given.get("base-directory", "")),
        name=str(given.get("name", "")),
        flat=str(given.get("discard-paths", "no")).lower() in {"yes", "true"},
    )


def _texts(given: Mapping[str, Any] | None) -> dict[str, str]:
    return {str(name): str(value) for name, value in (given or {}).items()}
