"""Types that are read by an operation that describes many: the request takes a list of ids or names."""

from __future__ import annotations

from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared, at
from harness.deploy.providers.aws.shapes import scalar_text
from harness.deploy.providers.resource import Context, Properties


class Described(Declared):
    """A type that one of many.

    Attributes:
        selects: the member of the read's request that takes a list with the id.
        ended: values of `state` that mean that it is gone, though it is still described.
        state: where the answer to a read says whether it lives, '' when it does not say.
    """

    selects: ClassVar[str]
    state: ClassVar[str] = ""
    ended: ClassVar[frozenset[str]] = frozenset()

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """The one under this id, as long as it lives."""
        del inputs
        found = at(self.send(context, self.reads, {}, **{self.selects: [resource_id]}), self.body)
        body: dict[str, Any] | None = found[0] if found else None
        return None if body is None or str(at(body, self.state)) in self.ended else body


class Attributed(Described):
    """A type with attributes: settings that are pairs of a key and a text, set and read by operations of their own.

    Attributes:
        attributes: property → attribute's key; nested ones as `accessLogs.bucket`.
        names: the property that names the resource in those operations' requests.
        modifies, tells: those operations.
    """

    attributes: ClassVar[dict[str, str]]
    modifies: ClassVar[str]
    tells: ClassVar[str]

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then set the attributes that were given."""
        resource_id = super().make(context, inputs)
        self.set_attributes(context, resource_id, {}, inputs)
        return resource_id

    def ask(self, context: Context, resource_id: str, inputs: Properties) -> dict[str, Any] | None:
        """With its attributes, by their keys."""
        body = super().ask(context, resource_id, inputs)
        if body is None:
            return None
        told = self.send(context, self.tells, {}, **self.keys(resource_id, inputs))["Attributes"]
        return {**body, "Attributes": {one["Key"]: one.get("Value", "") for one in told}}

    def told_attributes(self, body: dict[str, Any], inputs: Properties) -> Properties:
        """The attributes as properties; nested ones only where they were given."""
        found: Properties = {}
        for path, key in self.attributes.items():
            name, _, inner = path.partition(".")
            text = body["Attributes"].get(key)
            if text is None:
                continue
            if not inner:
                found[name] = _typed(text)
            elif isinstance(inputs.get(name), dict) and inputs[name].get(inner) is not None:
                found.setdefault(name, dict(inputs[name]))[inner] = _typed(text)
        return found

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Settings, then attributes."""
        super().change(context, resource_id, olds, news)
        self.set_attributes(context, resource_id, olds, news)

    def set_attributes(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Those that differ."""
        differs = roots(olds, news)
        wanted = []
        for path, key in self.attributes.items():
            value = at(news, path)
            if path.partition(".")[0] in differs and value is not None and value != at(olds, path):
                wanted.append({"Key": key, "Value": scalar_text(value)})
        if wanted:
            self.send(context, self.modifies, {}, **self.keys(resource_id, news), Attributes=wanted)


def agrees(asked: Any, found: Any) -> bool:
    """Whether what AWS tells says all that was asked, in AWS's form; it may say more, and lists in another order."""
    if isinstance(asked, dict):
        return isinstance(found, dict) and all(agrees(value, found.get(name)) for name, value in asked.items())
    if isinstance(asked, list):
        if not isinstance(found, list) or len(asked) != len(found):
            return False
        return all(map(agrees, asked, found)) or all(any(agrees(one, other) for other in found) for one in asked)
    return bool(asked == found) or (found is None and asked in {"", False})


def _typed(text: str) -> Any:
    """An attribute's text as the property's type."""
    if text in {"true", "false"}:
        return text == "true"
    return int(text) if text.isdigit() else text
