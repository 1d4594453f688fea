"""CodeCommit: repositories; `git` itself is not served."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.resource import Context, Invoke, Properties


class Repository(Declared, noun="Repository", verbs="Create Get - Delete"):
    """aws:codecommit/repository:Repository; the id is the name."""

    token: ClassVar = "aws:codecommit/repository:Repository"
    updates: ClassVar = "UpdateRepositoryDescription"
    key: ClassVar = {"repositoryName": "id"}
    parts: ClassVar = ("repositoryName",)
    body: ClassVar = "repositoryMetadata"
    renames: ClassVar = {"description": "repositoryDescription"}
    replace_on: ClassVar = frozenset({"repositoryName"})


def get_repository(context: Context, arguments: Properties) -> Properties:
    """A repository by name."""
    answer = context.client("codecommit").get_repository(repositoryName=arguments["repositoryName"])
    found = answer["repositoryMetadata"]
    return {
        **arguments, "id": found["repositoryName"], "arn": found["Arn"], "cloneUrlHttp": found["cloneUrlHttp"],
        "cloneUrlSsh": found["cloneUrlSsh"], "repositoryId": found["repositoryId"], "kmsKeyId": "",
        "region": context.region,
    }  # fmt: skip


RESOURCES = (Repository(),)
INVOKES: Mapping[str, Invoke] = {"aws:codecommit/getRepository:getRepository": get_repository}
