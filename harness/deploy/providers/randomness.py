"""The `random` package: values that are drawn once and kept until a keeper changes.

The rules are those of the Terraform provider (registry.terraform.io/providers/hashicorp/random). A `seed` gives
the same value each time, though not the value that Go's generator would give.
"""

from __future__ import annotations

import base64
import random
import secrets
import string
import time
import uuid
from collections.abc import Mapping
from pathlib import Path
from typing import Any, ClassVar

from harness.deploy.engine.values import UNKNOWN
from harness.deploy.providers.local_type import LocalType
from harness.deploy.providers.resource import CheckError, Context, Invoke, Properties

_SPECIAL = "!@#$%&*()-_=+[]{}<>:?"
_CLASSES = {"lower": string.ascii_lowercase, "upper": string.ascii_uppercase, "numeric": string.digits, "special": ""}
_PET_WORDS = Path(__file__).with_name("pet_words.txt")  # adverbs, adjectives, animals: a line each
_BCRYPT_BYTES = 72  # bcrypt takes no more; the provider hashes the first 72 as well


class _Random(LocalType):
    """A value that any change of its inputs draws anew."""

    def create(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Draw it."""
        del context
        resource_id, outputs = self.draw(inputs)
        return resource_id, {**inputs, **outputs}

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """The id and the outputs."""
        raise NotImplementedError


class RandomId(_Random):
    """Bytes in four spellings; the id is the unpadded base64url of the bytes, without the prefix."""

    token: ClassVar = "random:index/randomId:RandomId"
    replace_on: ClassVar = frozenset({"keepers", "byteLength", "prefix"})

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """`byteLength` bytes."""
        return _spelled(secrets.token_bytes(int(inputs["byteLength"])), str(inputs.get("prefix") or ""))

    def adopt(self, context: Context, resource_id: str) -> Properties:
        """`prefix,id` or the id."""
        del context
        prefix, _, text = resource_id.rpartition(",")
        drawn = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
        return {"byteLength": len(drawn), **({"prefix": prefix} if prefix else {}), **_spelled(drawn, prefix)[1]}


def _spelled(drawn: bytes, prefix: str) -> tuple[str, Properties]:
    url = base64.urlsafe_b64encode(drawn).decode().rstrip("=")
    return url, {
        "b64Url": prefix + url,
        "b64Std": prefix + base64.b64encode(drawn).decode(),
        "hex": prefix + drawn.hex(),
        "dec": prefix + str(int.from_bytes(drawn, "big")),
    }


class RandomBytes(_Random):
    """Secret bytes; the id is their base64, as the real provider has it."""

    token: ClassVar = "random:index/randomBytes:RandomBytes"
    replace_on: ClassVar = frozenset({"keepers", "length"})
    secret_outputs: ClassVar = frozenset({"base64", "hex"})

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """`length` bytes."""
        drawn = secrets.token_bytes(int(inputs["length"]))
        text = base64.b64encode(drawn).decode()
        return text, {"base64": text, "hex": drawn.hex()}


class RandomString(_Random):
    """Characters of four classes; the id is the string."""

    token: ClassVar = "random:index/randomString:RandomString"
    defaults: ClassVar = {
        "lower": True, "upper": True, "special": True,
        "minLower": 0, "minUpper": 0, "minNumeric": 0, "minSpecial": 0,
    }  # fmt: skip
    replace_on: ClassVar = frozenset(
        {"keepers", "length", "number", "numeric", "overrideSpecial", *defaults}  # everything
    )

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """`number` is the old name of `numeric`; the length must hold what the minimums ask for."""
        given = super().check(context, inputs, olds)
        given["numeric"] = given["number"] = given.get("numeric", given.get("number", True))
        if not any(value is UNKNOWN for value in given.values()):
            _require_room(given)
        return given

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """The minimum of each class, the rest of all, shuffled."""
        result = _characters(inputs)
        return result, {"result": result}

    def adopt(self, context: Context, resource_id: str) -> Properties:
        """The id is the string."""
        return {**self.check(context, {"length": len(resource_id)}, None), "result": resource_id}


def _require_room(inputs: Properties) -> None:
    length, least = int(inputs["length"]), sum(_least(inputs, kind) for kind in _CLASSES)
    if length < max(least, 1):
        raise CheckError([("length", f"must be at least {max(least, 1)}: the sum of the minimums, and one")])
    if not any(_enabled(inputs, kind) for kind in _CLASSES):
        raise CheckError([("special", "at least one of lower, upper, numeric and special must be true")])


def _least(inputs: Properties, kind: str) -> int:
    return int(inputs.get(f"min{kind.capitalize()}") or 0)


def _enabled(inputs: Properties, kind: str) -> bool:
    return str(inputs[kind]).lower() == "true"


def _characters(inputs: Properties) -> str:
    alphabets = {**_CLASSES, "special": str(inputs.get("overrideSpecial") or _SPECIAL)}
    drawn = [secrets.choice(alphabets[kind]) for kind in alphabets for _ in range(_least(inputs, kind))]
    every = "".join(letters for kind, letters in alphabets.items() if _enabled(inputs, kind))
    drawn += [secrets.choice(every) for _ in range(int(inputs["length"]) - len(drawn))]
    secrets.SystemRandom().shuffle(drawn)
    return "".join(drawn)


def drawn_password(length: int) -> str:
    """A password of `length` characters with one of each class at least, for other packages."""
    one_of_each = {f"min{kind.capitalize()}": 1 for kind in _CLASSES}
    return _characters({**RandomString.defaults, "numeric": True, **one_of_each, "length": length})


class RandomPassword(RandomString):
    """A secret string; the id says nothing."""

    token: ClassVar = "random:index/randomPassword:RandomPassword"
    secret_outputs: ClassVar = frozenset({"result", "bcryptHash"})

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """With its bcrypt hash."""
        return "none", _hashed(_characters(inputs))

    def adopt(self, context: Context, resource_id: str) -> Properties:
        """The password itself is given as id."""
        return {**self.check(context, {"length": len(resource_id)}, None), **_hashed(resource_id)}


def _hashed(password: str) -> Properties:
    import bcrypt

    hashed = bcrypt.hashpw(password.encode()[:_BCRYPT_BYTES], bcrypt.gensalt(10, b"2a")).decode()
    return {"result": password, "bcryptHash": hashed}


class RandomPet(_Random):
    """Words such as `mildly-clever-otter`; the id is the name."""

    token: ClassVar = "random:index/randomPet:RandomPet"
    defaults: ClassVar = {"length": 2, "separator": "-"}
    replace_on: ClassVar = frozenset({"keepers", "length", "prefix", "separator"})

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """Adverbs, an adjective, an animal."""
        length, prefix = int(inputs["length"]), inputs.get("prefix")
        adverbs, adjectives, animals = (line.split() for line in _PET_WORDS.read_text().splitlines())
        words = [secrets.choice(adverbs) for _ in range(length - 2)]
        words += [secrets.choice(adjectives)] if length > 1 else []
        words = [*([str(prefix)] if prefix else ()), *words, secrets.choice(animals)]
        return str(inputs["separator"]).join(words), {}


class RandomInteger(_Random):
    """A whole number, both ends possible; the id is the number."""

    token: ClassVar = "random:index/randomInteger:RandomInteger"
    replace_on: ClassVar = frozenset({"keepers", "min", "max", "seed"})

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """`min` is not above `max`."""
        given = super().check(context, inputs, olds)
        if UNKNOWN not in (given["min"], given["max"]) and int(given["min"]) > int(given["max"]):
            raise CheckError([("min", "must not be above max")])
        return given

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """Between `min` and `max`."""
        result = _generator(inputs).randint(int(inputs["min"]), int(inputs["max"]))
        return str(result), {"result": result}


class RandomShuffle(_Random):
    """A list in another order; asked for more than there is, it starts over."""

    token: ClassVar = "random:index/randomShuffle:RandomShuffle"
    replace_on: ClassVar = frozenset({"keepers", "inputs", "resultCount", "seed"})

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """`resultCount` of the inputs, all when not given."""
        given, generator = list(inputs["inputs"]), _generator(inputs)
        wanted = int(inputs["resultCount"]) if inputs.get("resultCount") is not None else len(given)
        results: list[Any] = []
        while given and len(results) < wanted:
            results += generator.sample(given, len(given))
        return "-", {"results": results[:wanted]}


def _generator(inputs: Properties) -> random.Random:
    return random.Random(str(inputs["seed"])) if inputs.get("seed") else secrets.SystemRandom()  # noqa: S311


class RandomUuid(_Random):
    """A UUID; the id is the UUID."""

    token: ClassVar = "random:index/randomUuid:RandomUuid"
    replace_on: ClassVar = frozenset({"keepers"})

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """Version 4."""
        del inputs
        result = str(uuid.uuid4())
        return result, {"result": result}

    def adopt(self, context: Context, resource_id: str) -> Properties:
        """The id is the UUID."""
        del context
        return {"result": resource_id}


class RandomUuid4(RandomUuid):
    """The same under its newer name."""

    token: ClassVar = "random:index/randomUuid4:RandomUuid4"


class RandomUuid7(RandomUuid):
    """A UUID that begins with the time (RFC 9562, 5.7)."""

    token: ClassVar = "random:index/randomUuid7:RandomUuid7"

    def draw(self, inputs: Properties) -> tuple[str, Properties]:
        """Version 7: 48 bits of milliseconds, then chance."""
        del inputs
        number = (time.time_ns() // 1_000_000) << 80 | 7 << 76 | secrets.randbits(12) << 64 | 2 << 62
        result = str(uuid.UUID(int=number | secrets.randbits(62)))
        return result, {"result": result}


RESOURCES = (
    RandomBytes(), RandomId(), RandomInteger(), RandomPassword(), RandomPet(), RandomShuffle(), RandomString(),
    RandomUuid(), RandomUuid4(), RandomUuid7(),
)  # fmt: skip
INVOKES: Mapping[str, Invoke] = {}
