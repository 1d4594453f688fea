"""The seam between the engine and the provider handlers: what a resource type is and what it may use.

A handler is one short class for one Pulumi type. It gets plain values: camelCase Pulumi names, no secrets,
no outputs; `UNKNOWN` stands for what a preview cannot know, `Asset` and `Archive` for files. Handlers keep
no state; everything about one operation is in its `Context`.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, ClassVar

from harness.deploy.engine.assets import archive_zip, asset_bytes
from harness.deploy.engine.values import Archive, Asset
from harness.errors import ProviderError, nearest
from harness.target import Target

Properties = dict[str, Any]  # camelCase names; values are JSON, UNKNOWN, Asset or Archive
Failure = tuple[str, str]
"""A property path such as `rules[0].id`, and what is wrong with it."""

NAME_SUFFIX_DIGITS = 7
"""Pulumi appends seven random hex digits to a name that the program leaves open."""


class CheckError(Exception):
    """The inputs of a resource cannot be accepted; the engine adds URN and file:line."""

    def __init__(self, failures: Iterable[Failure]) -> None:
        self.failures = tuple(failures)
        super().__init__("; ".join(f"{path}: {reason}" for path, reason in self.failures))


@dataclass(frozen=True, slots=True, kw_only=True)
class Context:
    """One operation on one resource: where, for which resource, and how long it may take.

    `default_tags` come from the provider's `defaultTags`. `folder` is the program's folder: relative asset
    paths start there. `timeout_s` is the program's custom timeout, or the engine's default. `prior` are the
    resource's inputs and outputs as the checkpoint has them, nothing for a new one.
    """

    target: Target
    region: str
    account_id: str
    urn: str
    name: str
    folder: Path
    clients: Callable[[str, str], Any] = field(repr=False)
    default_tags: Mapping[str, str] = field(default_factory=dict)
    ignore_tag_prefixes: tuple[str, ...] = ()
    timeout_s: float = 600.0
    named_by: Callable[[str], str | None] | None = None  # resource name → name, '' for none; None: Pulumi's rule
    known_ids: Callable[[], frozenset[str]] = frozenset  # ids of this type that the stack has already
    prior: Mapping[str, Any] = field(default_factory=dict, repr=False)

    def client(self, service: str, *, region: str = "") -> Any:  # boto3 makes clients at run time
        """A boto3 client of this resource's provider; one for each service and region is kept."""
        return self.clients(service, region or self.region)

    def in_region(self, region: str) -> Context:
        """The same operation in another region (a resource's own `region` property)."""
        from dataclasses import replace

        return self if not region or region == self.region else replace(self, region=region)

    def autoname(self, inputs: Properties, olds: Properties | None, key: str = "name", **rules: Any) -> str:
        """The name for `inputs[key]`: the given one, else the old one, else `<resource name>-<7 hex digits>`.

        `rules`: `limit` (characters in all), `lower` (letters must be small), `suffix` (goes last, `.fifo`).
        A `<key>Prefix` input is used as prefix, as the real provider does.
        """
        if inputs.get(key) is not None:
            return str(inputs[key])
        if olds and olds.get(key):
            return str(olds[key])
        if self.named_by is not None and (made := self.named_by(self.name)) is not None:
            if not made:
                raise CheckError([(key, "is missing, and the project's autonaming is disabled")])
            return made + ("" if made.endswith(str(rules.get("suffix", ""))) else str(rules["suffix"]))
        suffix = str(rules.get("suffix", ""))
        digits = secrets.token_hex(4)[:NAME_SUFFIX_DIGITS]
        prefix = str(inputs.get(f"{key}Prefix") or f"{self.name}-")
        room = int(rules.get("limit", 255)) - len(digits) - len(suffix)
        made = f"{prefix[:room]}{digits}{suffix}"
        return made.lower() if rules.get("lower") else made

    def wait_until(self, ready: Callable[[], bool], what: str, *, poll_s: float = 0.05) -> None:
        """Return when `ready()`.

        Raises:
            ProviderError: it was not ready within the resource's timeout.
        """
        deadline = time.monotonic() + self.timeout_s
        while not ready():
            if time.monotonic() > deadline:
                raise ProviderError(
                    f"{what} was not ready after {self.timeout_s:g} s",
                    where=self.urn,
                    hint="raise custom_timeouts in the program, or look at the cloud's log",
                )
            time.sleep(poll_s)
            poll_s = min(poll_s * 1.5, 1.0)

    def zip_bytes(self, archive: Archive) -> bytes:
        """The archive as a zip, the same bytes for the same content."""
        return archive_zip(archive, self.folder)

    def file_bytes(self, asset: Asset) -> bytes:
        """The asset's content."""
        return asset_bytes(asset, self.folder)


@dataclass(frozen=True, slots=True)
class Observation:
    """What AWS says about a resource now: its outputs, and the inputs that can be compared, in the form of before.

    A `settings` value that means the same as the input of before is equal to it; None stands for "no longer
    set". `unknown` names the inputs that cannot be compared.
    """

    outputs: Properties
    settings: Properties
    unknown: frozenset[str] = frozenset()


class CannotTellError(Exception):
    """Whether a killed deployment has created the resource cannot be found out; the text says why."""


class PartlyCreatedError(Exception):
    """The resource `resource_id` exists, but not everything that makes it usable was done."""

    def __init__(self, resource_id: str, cause: Exception) -> None:
        self.resource_id = resource_id
        self.cause = cause
        super().__init__(str(cause))


@dataclass(frozen=True, slots=True, kw_only=True)
class Difference:
    """What a type itself says about two sets of inputs: the properties that changed, and those that replace it."""

    changed: tuple[str, ...]
    replaces: tuple[str, ...] = ()
    delete_before_replace: bool = False


class ResourceType:
    """One Pulumi resource type. Subclasses set the class attributes and override what differs.

    Attributes:
        service: boto3's name of the service it is made by, '' for none.
        named: the input that gets Pulumi's automatic name, '' for none.
        token: `aws:sqs/queue:Queue`.
        aliases: older tokens of the same type, such as `aws:s3/bucketV2:BucketV2`.
        replace_on: inputs whose change needs a new resource.
        json_keys: inputs that hold JSON text, compared by meaning.
        delete_before_replace: True where two with the same identity cannot exist side by side.
        secret_outputs: outputs that are secrets whatever the inputs were.
        outlives: True for a setting of something else, which a read finds even after its deletion.
        told_once: outputs that are told when it is created and never again (keys, passwords).
        traceless: what its creation does that nobody can look up afterwards, `the function was called`; '' for none.
    """

    token: ClassVar[str]
    aliases: ClassVar[tuple[str, ...]] = ()
    service: ClassVar[str] = ""
    named: ClassVar[str] = ""
    replace_on: ClassVar[frozenset[str]] = frozenset()
    json_keys: ClassVar[frozenset[str]] = frozenset()
    delete_before_replace: ClassVar[bool] = False
    secret_outputs: ClassVar[frozenset[str]] = frozenset()
    outlives: ClassVar[bool] = False
    told_once: ClassVar[frozenset[str]] = frozenset()
    traceless: ClassVar[str] = ""

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """The inputs with defaults and names filled in; `olds` are the checked inputs of before, None when new.

        Raises:
            CheckError: what is wrong, with property paths.
        """
        del context, olds
        return inputs

    def diff(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Difference | None:
        """What changed, where the type knows better than a comparison of the inputs; None where it does not."""
        del context, resource_id, olds, news
        return None

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Create the resource; returns its id and outputs once it is usable.

        Raises:
            PartlyCreatedError: it exists, but a later call failed.
        """
        raise NotImplementedError

    def read(self, context: Context, resource_id: str, inputs: Properties | None) -> Properties | None:
        """The resource's outputs now, None when it is gone; `inputs` are None for `.get` and import."""
        raise NotImplementedError

    def observe(self, context: Context, resource_id: str, inputs: Properties) -> Observation | None:
        """What a refresh compares, None when the resource is gone; without more knowledge, only that it is there."""
        found = self.read(context, resource_id, inputs)
        return None if found is None else Observation(found, {}, frozenset(inputs))

    def update(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> Properties:
        """Change inputs `olds` to `news` in place; returns the outputs."""
        raise NotImplementedError

    def delete(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; what is gone already is no error. `state` are inputs and outputs together."""
        raise NotImplementedError

    def find(self, context: Context, inputs: Properties) -> str | None:
        """The id of a resource that a killed deployment may have created from `inputs`; None when there is none.

        Raises:
            CannotTellError: it leaves no trace, or there may be several that are alike.
        """
        del context, inputs
        if self.traceless:
            raise CannotTellError(self.traceless)
        return None


Invoke = Callable[[Context, Properties], Properties]
"""A data source such as `aws:index/getRegion:getRegion`: arguments in, results out, in Pulumi's names."""


_ELSEWHERE = "deploy it on real AWS only, or add it (docs/adding-a-resource.md)"


@dataclass(frozen=True, slots=True)
class Registry:
    """Handlers and invokes by token; `refused` says what to use instead of a package that has none."""

    resources: Mapping[str, ResourceType]
    invokes: Mapping[str, Invoke]
    refused: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        resources: Iterable[ResourceType],
        invokes: Mapping[str, Invoke] | None = None,
        refused: Mapping[str, str] | None = None,
    ) -> Registry:
        """A registry in which every token and alias leads to its handler."""
        by_token = {token: handler for handler in resources for token in (handler.token, *handler.aliases)}
        return cls(resources=by_token, invokes=dict(invokes or {}), refused=dict(refused or {}))

    def hint(self, token: str) -> str:
        """What to do about a type or function that is not here: another package, or the nearest name."""
        package = token.split(":", maxsplit=1)[0]
        service = token.partition("/")[0]
        told = next(
            (self.refused[one] for one in (token.rpartition(":")[0], service, package) if one in self.refused), ""
        )
        if told and not any(name.startswith(f"{service}/") for name in self.resources):
            return told
        built_in = sorted({name.split(":", maxsplit=1)[0] for name in self.resources})
        if package not in built_in:
            return f"the packages built in are {', '.join(built_in)}"
        known = self.resources if token.rpartition(":")[2][:1].isupper() else self.invokes
        of_service = sorted(name for name in known if name.startswith(token.rpartition("/")[0] + "/"))
        if not of_service:
            return f"nothing of this service is built in; {_ELSEWHERE}"
        close = nearest(token, of_service)
        if close.startswith("did you mean"):
            return close
        return f"{told or 'built in are ' + ', '.join(of_service)}; {_ELSEWHERE}"
