"""SSM documents: named, versioned, JSON or YAML."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import yaml

Members = Mapping[str, Any]  # JSON by SSM's own member names
Key = tuple[str, str, str]
"""Account, region, name."""


class SsmError(Exception):
    """An error as SSM answers it."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(message)
        self.code = code


@dataclass(frozen=True, slots=True, kw_only=True)
class Version:
    """One version of a document: its text as given, and what it says."""

    number: str
    text: str
    format: str
    content: dict[str, Any]
    created_s: float = field(default_factory=time.time)


@dataclass(slots=True, kw_only=True)
class Document:
    """A document with all its versions."""

    name: str
    kind: str
    owner: str
    tags: list[dict[str, str]]
    versions: list[Version]
    default: str = "1"

    def version(self, wanted: str = "") -> Version:
        """The version of that number; `$LATEST`, or the default one.

        Raises:
            SsmError: there is none.
        """
        if wanted == "$LATEST":
            return self.versions[-1]
        number = self.default if wanted in {"", "$DEFAULT"} else wanted
        for version in self.versions:
            if version.number == number:
                return version
        raise SsmError("InvalidDocumentVersion", f"Document {self.name} has no version {wanted}.")

    def described(self, version: Version) -> dict[str, Any]:
        """As DescribeDocument tells it."""
        return {
            "Name": self.name,
            "DocumentVersion": version.number,
            "DefaultVersion": self.default,
            "LatestVersion": self.versions[-1].number,
            "DocumentType": self.kind,
            "DocumentFormat": version.format,
            "SchemaVersion": str(version.content.get("schemaVersion", "")),
            "Owner": self.owner,
            "Status": "Active",
            "CreatedDate": version.created_s,
            "Description": version.content.get("description", ""),
            "Hash": hashlib.sha256(version.text.encode()).hexdigest(),
            "HashType": "Sha256",
            "PlatformTypes": ["Linux", "MacOS", "Windows"],
            "Parameters": [
                {"Name": name, "Type": one.get("type", "String"), "Description": one.get("description", "")}
                for name, one in (version.content.get("parameters") or {}).items()
            ],
            "Tags": self.tags,
        }


@dataclass(slots=True)
class Documents:
    """Every document of one cloud."""

    _kept: dict[Key, Document] = field(default_factory=dict)

    def create(self, scope: tuple[str, str], members: Members) -> dict[str, Any]:
        """CreateDocument."""
        key = (*scope, members["Name"])
        if key in self._kept:
            raise SsmError("DocumentAlreadyExists", f"Document with the same name {members['Name']} already exists")
        version = _read("1", members)
        document = Document(
            name=members["Name"],
            kind=members.get("DocumentType", "Command"),
            owner=scope[0],
            tags=list(members.get("Tags", [])),
            versions=[version],
        )
        self._kept[key] = document
        return {"DocumentDescription": document.described(version)}

    def update(self, scope: tuple[str, str], members: Members) -> dict[str, Any]:
        """UpdateDocument: another version, which is not the default one yet."""
        document = self.find(scope, members["Name"])
        version = _read(str(len(document.versions) + 1), members)
        if version.text == document.versions[-1].text:
            raise SsmError("DuplicateDocumentContent", "The content of the association document matches another.")
        document.versions.append(version)
        return {"DocumentDescription": document.described(version)}

    def update_default(self, scope: tuple[str, str], members: Members) -> dict[str, Any]:
        """UpdateDocumentDefaultVersion."""
        document = self.find(scope, members["Name"])
        document.default = document.version(members["DocumentVersion"]).number
        return {"Description": {"Name": document.name, "DefaultVersion": document.default}}

    def get(self, scope: tuple[str, str], members: Members) -> dict[str, Any]:
        """GetDocument."""
        document = self.find(scope, members["Name"])
        version = document.version(members.get("DocumentVersion", ""))
        return {
            "Name": document.name,
            "DocumentVersion": version.number,
            "Status": "Active",
            "Content": version.text,
            "DocumentType": document.kind,
            "DocumentFormat": version.format,
            "CreatedDate": version.created_s,
        }

    def describe(self, scope: tuple[str, str], members: Members) -> dict[str, Any]:
        """DescribeDocument."""
        document = self.find(scope, members["Name"])
        return {"Document": document.described(document.version(members.get("DocumentVersion", "")))}

    def delete(self, scope: tuple[str, str], members: Members) -> dict[str, Any]:
        """DeleteDocument."""
        document = self.find(scope, members["Name"])
        del self._kept[(*scope, document.name)]
        return {}

    def listing(self, scope: tuple[str, str], _members: Members) -> dict[str, Any]:
        """ListDocuments, all on one page."""
        mine = [document for key, document in self._kept.items() if key[:2] == scope]
        return {"DocumentIdentifiers": [document.described(document.version()) for document in mine]}

    def find(self, scope: tuple[str, str], name: str) -> Document:
        """The document of that name or ARN.

        Raises:
            SsmError: there is none.
        """
        document = self._kept.get((*scope, name.rpartition("document/")[2]))
        if document is None:
            raise SsmError("InvalidDocument", f"Document with name {name} does not exist.")
        return document

    def clear(self) -> None:
        """Forget them all."""
        self._kept.clear()


def _read(number: str, members: Members) -> Version:
    text, form = str(members["Content"]), members.get("DocumentFormat", "JSON")
    try:
        content = json.loads(text) if form == "JSON" else yaml.safe_load(text)
    except (ValueError, yaml.YAMLError) as error:
        raise SsmError("InvalidDocumentContent", f"The content is not {form}: {error}"[:500]) from error
    if not isinstance(content, dict) or not content.get("schemaVersion"):
        raise SsmError("InvalidDocumentContent", "The content has no schemaVersion.")
    return Version(number=number, text=text, format=form, content=content)
