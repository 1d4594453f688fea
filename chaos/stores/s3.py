"""S3: versions of a few objects."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from chaos.stores.store import Client, told
from harness.measure.checkers.calls import Call
from harness.measure.checkers.versions import check_versions
from harness.measure.finding import Finding

KEYS = ("a", "b", "c")


@dataclass(slots=True)
class Versions:
    """Puts into a versioned bucket of its own; a body is known by its ETag."""

    make: Client
    name: str
    client: Any = field(init=False)

    def __post_init__(self) -> None:
        self.client = self.make("s3")

    def prepare(self) -> None:
        """Create the bucket."""
        self.client.create_bucket(Bucket=self.name)
        self.client.put_bucket_versioning(Bucket=self.name, VersioningConfiguration={"Status": "Enabled"})

    def step(self, chance: random.Random, number: int) -> Call:
        """Put a body of its own."""
        key, body = chance.choice(KEYS), f"body {number}".encode()
        etag = hashlib.md5(body, usedforsecurity=False).hexdigest()
        return told(key, "write", etag, lambda: self.client.put_object(Bucket=self.name, Key=key, Body=body) and None)

    def check(self, calls: Sequence[Call]) -> list[Finding]:
        """Every version is there, and the newest is on top."""
        listed: dict[str, list[str]] = {}
        for version in self._all():
            listed.setdefault(version["Key"], []).append(version["ETag"].strip('"'))
        return check_versions(calls, listed)

    def clear(self) -> None:
        """Empty and delete the bucket."""
        for version in self._all():
            self.client.delete_object(Bucket=self.name, Key=version["Key"], VersionId=version["VersionId"])
        self.client.delete_bucket(Bucket=self.name)

    def _all(self) -> list[dict[str, Any]]:
        pages = self.client.get_paginator("list_object_versions").paginate(Bucket=self.name)
        return [version for page in pages for version in page.get("Versions", ())]
