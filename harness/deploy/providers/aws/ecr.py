"""ECR: repositories, their policies, and credentials to push with."""

from __future__ import annotations

import base64
import json
from collections.abc import Mapping
from typing import ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.described import Described
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Invoke, Properties


class Repository(Described):
    """Images under a name, which is the id."""

    token: ClassVar = "aws:ecr/repository:Repository"
    tagging: ClassVar = Tagging(resource="resourceArn", tags="tags", keys="tagKeys")
    creates: ClassVar = "CreateRepository"
    reads: ClassVar = "DescribeRepositories"
    deletes: ClassVar = "DeleteRepository"
    selects: ClassVar = "repositoryNames"
    body: ClassVar = "repositories"
    key: ClassVar = {"repositoryName": "id"}
    parts: ClassVar = ("name",)
    separator: ClassVar = "\n"  # names hold slashes
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 256, "lower": True}
    defaults: ClassVar = {"imageTagMutability": "MUTABLE"}
    renames: ClassVar = {
        "name": "repositoryName", "arn": "repositoryArn", "repositoryUrl": "repositoryUri",
        "encryptionConfigurations": "encryptionConfiguration",
    }  # fmt: skip
    replace_on: ClassVar = frozenset({"name", "encryptionConfigurations"})

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Scanning and mutability have operations of their own."""
        client, differs = self.client(context), roots(olds, news)
        if "imageScanningConfiguration" in differs:
            scan = bool((news.get("imageScanningConfiguration") or {}).get("scanOnPush"))
            client.put_image_scanning_configuration(
                repositoryName=resource_id, imageScanningConfiguration={"scanOnPush": scan}
            )
        if differs & {"imageTagMutability", "imageTagMutabilityExclusionFilters"}:
            self.send(context, "PutImageTagMutability", news, repositoryName=resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it, with its images when that is asked for."""
        force = bool(state.get("forceDelete"))
        self.client(context).delete_repository(repositoryName=resource_id, force=force)


class _RepositoryPolicy(Declared):
    service: ClassVar[str] = "ecr"
    key: ClassVar[Mapping[str, str]] = {"repositoryName": "repository"}
    parts: ClassVar[tuple[str, ...]] = ("repository",)
    separator: ClassVar[str] = "\n"
    json_keys: ClassVar[frozenset[str]] = frozenset({"policy"})
    replace_on: ClassVar[frozenset[str]] = frozenset({"repository"})


class LifecyclePolicy(_RepositoryPolicy, noun="LifecyclePolicy", verbs="Put Get Put Delete"):
    """Which images expire."""

    token: ClassVar = "aws:ecr/lifecyclePolicy:LifecyclePolicy"
    renames: ClassVar = {"repository": "repositoryName", "policy": "lifecyclePolicyText"}


class RepositoryPolicy(_RepositoryPolicy, noun="RepositoryPolicy", verbs="Set Get Set Delete"):
    """Who may do what with a repository."""

    token: ClassVar = "aws:ecr/repositoryPolicy:RepositoryPolicy"
    renames: ClassVar = {"repository": "repositoryName", "policy": "policyText"}


class _Registry(Declared):
    """A setting of the account's registry; the id is the account's."""

    service: ClassVar[str] = "ecr"
    key: ClassVar[Mapping[str, str]] = {}
    id_from: ClassVar[str] = "registryId"


class RegistryPolicy(_Registry, noun="RegistryPolicy", verbs="Put Get Put Delete"):
    """Who may replicate into the registry."""

    token: ClassVar = "aws:ecr/registryPolicy:RegistryPolicy"
    json_keys: ClassVar = frozenset({"policy"})
    renames: ClassVar = {"policy": "policyText"}


class ReplicationConfiguration(_Registry):
    """Where the registry's images are copied to."""

    token: ClassVar = "aws:ecr/replicationConfiguration:ReplicationConfiguration"
    creates: ClassVar = "PutReplicationConfiguration"
    reads: ClassVar = "DescribeRegistry"
    updates: ClassVar = "PutReplicationConfiguration"

    def make(self, context: Context, inputs: Properties) -> str:
        """Put it."""
        self.send(context, self.creates, inputs)
        return context.account_id

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """No rules any more."""
        self.client(context).put_replication_configuration(replicationConfiguration={"rules": []})


def repository(context: Context, arguments: Properties) -> Properties:
    """One repository."""
    found = RESOURCES[0].read(context, str(arguments["name"]), {}) or {}
    return {**found, "id": arguments["name"]}


def authorization_token(context: Context, arguments: Properties) -> Properties:
    """What `docker login` takes."""
    found = context.client("ecr").get_authorization_token()["authorizationData"][0]
    user, _, password = base64.b64decode(found["authorizationToken"]).decode().partition(":")
    return {
        **credentials(context, arguments),
        "userName": user,
        "password": password,
    }


def credentials(context: Context, arguments: Properties) -> Properties:
    """The token as ECR gives it."""
    found = context.client("ecr").get_authorization_token()["authorizationData"][0]
    return {
        "id": arguments.get("registryId") or context.account_id,
        "registryId": arguments.get("registryId") or context.account_id,
        "authorizationToken": found["authorizationToken"],
        "expiresAt": found["expiresAt"].isoformat(),
        "proxyEndpoint": found["proxyEndpoint"],
    }


def lifecycle_document(context: Context, arguments: Properties) -> Properties:
    """A lifecycle policy's JSON from its parts."""
    del context
    rules = []
    for rule in arguments.get("rules") or ():
        chosen = rule["selection"] if isinstance(rule["selection"], dict) else rule["selection"][0]
        named = {"tagPrefixLists": "tagPrefixList", "tagPatternLists": "tagPatternList"}
        picked = {named.get(name, name): value for name, value in chosen.items() if value is not None}
        described = {"description": rule["description"]} if rule.get("description") else {}
        rules.append({"rulePriority": int(rule["priority"]), **described, "selection": picked,
                      "action": {"type": "expire"}})  # fmt: skip
    return {**arguments, "json": json.dumps({"rules": rules}), "id": "ecr-lifecycle"}


RESOURCES = (Repository(), LifecyclePolicy(), RepositoryPolicy(), RegistryPolicy(), ReplicationConfiguration())
INVOKES: dict[str, Invoke] = {
    "aws:ecr/getRepository:getRepository": repository,
    "aws:ecr/getAuthorizationToken:getAuthorizationToken": authorization_token,
    "aws:ecr/getCredentials:getCredentials": credentials,
    "aws:ecr/getLifecyclePolicyDocument:getLifecyclePolicyDocument": lifecycle_document,
}
