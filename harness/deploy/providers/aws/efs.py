"""EFS: file systems, mount targets, access points, policies."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import Context, Properties

_TAGS = Tagging(resource="ResourceId")
_AVAILABLE = frozenset({"available"})


class _Efs(Declared):
    service: ClassVar[str] = "efs"

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """By id."""
        return resource_id


class FileSystem(_Efs, noun="FileSystem", verbs="Create - Update Delete"):
    """Files that machines of several zones share."""

    token: ClassVar = "aws:efs/fileSystem:FileSystem"
    tagging: ClassVar = _TAGS
    reads: ClassVar = "DescribeFileSystems"
    body: ClassVar = "FileSystems"
    key: ClassVar = {"FileSystemId": "id"}
    id_from: ClassVar = "FileSystemId"
    named: ClassVar = "creationToken"
    name_rules: ClassVar = {"limit": 64}
    defaults: ClassVar = {"throughputMode": "bursting"}
    renames: ClassVar = {"arn": "FileSystemArn", "lifecyclePolicies": "", "protection": "", "sizeInBytes": ""}
    replace_on: ClassVar = frozenset(
        {"availabilityZoneName", "creationToken", "encrypted", "kmsKeyId", "performanceMode"}
    )
    computed: ClassVar = {"dnsName": "{id}.efs.{region}.amazonaws.com"}
    settled: ClassVar = ("LifeCycleState", _AVAILABLE)

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it, then say when files get old."""
        system = super().make(context, inputs)
        self._age(context, system, {}, inputs)
        return system

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """When files get old."""
        found = self.client(context).describe_lifecycle_configuration(FileSystemId=resource_id)["LifecyclePolicies"]
        told = [
            {f"{name[0].lower()}{name[1:].replace('IA', 'Ia')}": text for name, text in one.items()} for one in found
        ]
        return {"lifecyclePolicies": told, "protection": inputs.get("protection")}

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Throughput, and when files get old."""
        differs = roots(olds, news) & {"throughputMode", "provisionedThroughputInMibps"}
        if differs:
            self.send(context, self.updates, {name: news.get(name) for name in differs}, FileSystemId=resource_id)
        self._age(context, resource_id, olds, news)

    def _age(self, context: Context, system: str, olds: Properties, news: Properties) -> None:
        if "lifecyclePolicies" in roots(olds, news):
            wanted = {"lifecyclePolicies": news.get("lifecyclePolicies") or []}
            self.client(context).put_lifecycle_configuration(
                FileSystemId=system,
                LifecyclePolicies=[
                    {f"{name[0].upper()}{name[1:].replace('Ia', 'IA')}": text for name, text in one.items() if text}
                    for one in wanted["lifecyclePolicies"]
                ],
            )


class MountTarget(_Efs):
    """A file system's address in a subnet."""

    token: ClassVar = "aws:efs/mountTarget:MountTarget"
    creates: ClassVar = "CreateMountTarget"
    reads: ClassVar = "DescribeMountTargets"
    deletes: ClassVar = "DeleteMountTarget"
    body: ClassVar = "MountTargets"
    key: ClassVar = {"MountTargetId": "id"}
    id_from: ClassVar = "MountTargetId"
    replace_on: ClassVar = frozenset({"fileSystemId", "ipAddress", "ipAddressType", "ipv6Address", "subnetId"})
    settled: ClassVar = ("LifeCycleState", _AVAILABLE)

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """Names made of ids, groups."""
        client, system = self.client(context), body["FileSystemId"]
        groups = client.describe_mount_target_security_groups(MountTargetId=resource_id)["SecurityGroups"]
        wanted, name = inputs.get("securityGroups"), f"{system}.efs.{context.region}.amazonaws.com"
        return {
            "dnsName": name,
            "mountTargetDnsName": f"{body.get('AvailabilityZoneName', '')}.{name}",
            "fileSystemArn": f"arn:aws:elasticfilesystem:{context.region}:{context.account_id}:file-system/{system}",
            "securityGroups": wanted if wanted and set(wanted) == set(groups) else groups,
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Groups."""
        if "securityGroups" in roots(olds, news):
            self.client(context).modify_mount_target_security_groups(
                MountTargetId=resource_id, SecurityGroups=news.get("securityGroups") or []
            )

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it; the file system can go only when it is gone."""
        super().remove(context, resource_id, state)
        self.wait_gone(context, resource_id, state)


class AccessPoint(_Efs):
    """A folder of a file system, for one user."""

    token: ClassVar = "aws:efs/accessPoint:AccessPoint"
    tagging: ClassVar = _TAGS
    creates: ClassVar = "CreateAccessPoint"
    reads: ClassVar = "DescribeAccessPoints"
    deletes: ClassVar = "DeleteAccessPoint"
    body: ClassVar = "AccessPoints"
    key: ClassVar = {"AccessPointId": "id"}
    id_from: ClassVar = "AccessPointId"
    renames: ClassVar = {"arn": "AccessPointArn"}
    replace_on: ClassVar = frozenset({"fileSystemId", "posixUser", "rootDirectory"})

    def tell(self, context: Context, resource_id: str, body: Mapping[str, Any], inputs: Properties) -> Properties:
        """The file system's ARN."""
        place = f"{context.region}:{context.account_id}"
        return {"fileSystemArn": f"arn:aws:elasticfilesystem:{place}:file-system/{body['FileSystemId']}"}


class FileSystemPolicy(_Efs, noun="FileSystemPolicy", verbs="Put Describe Put Delete"):
    """Who may mount a file system; the id is the file system's."""

    token: ClassVar = "aws:efs/fileSystemPolicy:FileSystemPolicy"
    key: ClassVar = {"FileSystemId": "fileSystemId"}
    parts: ClassVar = ("fileSystemId",)
    json_keys: ClassVar = frozenset({"policy"})
    replace_on: ClassVar = frozenset({"fileSystemId"})


class BackupPolicy(_Efs, noun="BackupPolicy", verbs="Put Describe Put -"):
    """Whether a file system is backed up; the id is the file system's."""

    token: ClassVar = "aws:efs/backupPolicy:BackupPolicy"
    key: ClassVar = {"FileSystemId": "fileSystemId"}
    parts: ClassVar = ("fileSystemId",)
    replace_on: ClassVar = frozenset({"fileSystemId"})
    outlives: ClassVar = True

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """No backups any more."""
        self.client(context).put_backup_policy(FileSystemId=resource_id, BackupPolicy={"Status": "DISABLED"})


RESOURCES = (FileSystem(), MountTarget(), AccessPoint(), FileSystemPolicy(), BackupPolicy())
