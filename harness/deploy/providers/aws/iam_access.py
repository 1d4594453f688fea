"""IAM: what lets somebody in: keys, passwords, identity providers, certificates, and rules of the account."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Any, ClassVar

from harness.deploy.providers.aws.aws_type import AwsType, roots
from harness.deploy.providers.aws.declared import Declared
from harness.deploy.providers.aws.search import Listing
from harness.deploy.providers.aws.tags import Tagging
from harness.deploy.providers.resource import CheckError, Context, Properties


def _refuse_pgp(inputs: Properties) -> None:
    if inputs.get("pgpKey"):
        raise CheckError(
            [("pgpKey", "is not supported by the embedded engine: leave it out and take the secret output")]
        )


class AccessKey(AwsType):
    """aws:iam/accessKey:AccessKey; the id is the key's."""

    token: ClassVar = "aws:iam/accessKey:AccessKey"
    creates: ClassVar = "CreateAccessKey"
    listed: ClassVar = "AccessKeyId"
    asks: ClassVar = {"UserName": "user"}
    defaults: ClassVar = {"status": "Active"}
    replace_on: ClassVar = frozenset({"user", "pgpKey"})
    secret_outputs: ClassVar = frozenset({"secret", "sesSmtpPasswordV4"})
    told_once: ClassVar = secret_outputs

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Without PGP."""
        _refuse_pgp(inputs)
        return super().check(context, inputs, olds)

    def make(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Create it; its secret is told only now."""
        key = self.client(context).create_access_key(UserName=inputs["user"])["AccessKey"]
        if inputs["status"] != "Active":
            self.change(context, key["AccessKeyId"], {}, inputs)
        secret = str(key["SecretAccessKey"])
        return str(key["AccessKeyId"]), {
            "secret": secret,
            "sesSmtpPasswordV4": ses_smtp_password(secret, context.region),
        }

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """Its status and age."""
        keys = self.client(context).list_access_keys(UserName=inputs["user"])["AccessKeyMetadata"]
        found = [key for key in keys if key["AccessKeyId"] == resource_id]
        return {"status": found[0]["Status"], "createDate": found[0]["CreateDate"].isoformat()} if found else None

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Active or not."""
        self.client(context).update_access_key(UserName=news["user"], AccessKeyId=resource_id, Status=news["status"])

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_access_key(UserName=state["user"], AccessKeyId=resource_id)


def ses_smtp_password(secret: str, region: str) -> str:
    """The SMTP password of a secret key: https://docs.aws.amazon.com/ses/latest/dg/smtp-credentials.html."""
    signature = f"AWS4{secret}".encode()
    for text in ("11111111", region, "ses", "aws4_request", "SendRawEmail"):
        signature = hmac.new(signature, text.encode(), hashlib.sha256).digest()
    return base64.b64encode(b"\x04" + signature).decode()


class LoginProfile(AwsType):
    """aws:iam/userLoginProfile:UserLoginProfile; the id is the user."""

    token: ClassVar = "aws:iam/userLoginProfile:UserLoginProfile"
    parts: ClassVar = ("user",)
    defaults: ClassVar = {"passwordLength": 20}
    replace_on: ClassVar = frozenset({"user", "pgpKey", "passwordLength", "passwordResetRequired"})
    secret_outputs: ClassVar = frozenset({"password"})
    told_once: ClassVar = secret_outputs

    def check(self, context: Context, inputs: Properties, olds: Properties | None) -> Properties:
        """Without PGP."""
        _refuse_pgp(inputs)
        return super().check(context, inputs, olds)

    def make(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """A password of every class of characters, told only now."""
        from harness.deploy.providers.randomness import drawn_password

        password = drawn_password(int(inputs["passwordLength"]))
        required = bool(inputs.get("passwordResetRequired"))
        self.client(context).create_login_profile(
            UserName=inputs["user"], Password=password, PasswordResetRequired=required
        )
        return str(inputs["user"]), {"password": password}

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """There, or an error."""
        profile = self.client(context).get_login_profile(UserName=resource_id)["LoginProfile"]
        return {"user": resource_id, "passwordResetRequired": profile.get("PasswordResetRequired", False)}

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_login_profile(UserName=resource_id)


class SshKey(Declared):
    """aws:iam/sshKey:SshKey."""

    token: ClassVar = "aws:iam/sshKey:SshKey"
    creates: ClassVar = "UploadSSHPublicKey"
    reads: ClassVar = "GetSSHPublicKey"
    updates: ClassVar = "UpdateSSHPublicKey"
    deletes: ClassVar = "DeleteSSHPublicKey"
    key: ClassVar = {"UserName": "username", "SSHPublicKeyId": "id", "Encoding": "encoding"}
    id_from: ClassVar = "SSHPublicKey.SSHPublicKeyId"
    body: ClassVar = "SSHPublicKey"
    renames: ClassVar = {"username": "UserName", "publicKey": "SSHPublicKeyBody"}
    replace_on: ClassVar = frozenset({"username", "publicKey"})


class OpenIdConnectProvider(Declared, noun="OpenIDConnectProvider", verbs="Create Get - Delete"):
    """aws:iam/openIdConnectProvider:OpenIdConnectProvider; the id is the ARN."""

    token: ClassVar = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
    listed: ClassVar = "Arn"
    key: ClassVar = {"OpenIDConnectProviderArn": "id"}
    id_from: ClassVar = "OpenIDConnectProviderArn"
    computed: ClassVar = {"arn": "{id}"}
    renames: ClassVar = {"clientIdLists": "ClientIDList", "thumbprintLists": "ThumbprintList"}
    tagging: ClassVar = Tagging(
        tag="tag_open_id_connect_provider",
        untag="untag_open_id_connect_provider",
        resource="OpenIDConnectProviderArn",
    )
    replace_on: ClassVar = frozenset({"url"})

    def tell(self, context: Context, resource_id: str, body: Any, inputs: Properties) -> Properties:
        """IAM leaves the scheme out; a program that wrote it reads what it wrote."""
        given = str(inputs.get("url") or "")
        return {
            "url": given if given.removeprefix("https://") == body["Url"].removeprefix("https://") else body["Url"]
        }

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Clients and thumbprints."""
        client, member = self.client(context), {"OpenIDConnectProviderArn": resource_id}
        before, after = set(olds["clientIdLists"]), set(news["clientIdLists"])
        for name in sorted(after - before):
            client.add_client_id_to_open_id_connect_provider(**member, ClientID=name)
        for name in sorted(before - after):
            client.remove_client_id_from_open_id_connect_provider(**member, ClientID=name)
        if "thumbprintLists" in roots(olds, news) and news.get("thumbprintLists"):
            client.update_open_id_connect_provider_thumbprint(**member, ThumbprintList=news["thumbprintLists"])


class SamlProvider(Declared, noun="SAMLProvider"):
    """aws:iam/samlProvider:SamlProvider; the id is the ARN."""

    token: ClassVar = "aws:iam/samlProvider:SamlProvider"
    listed: ClassVar = "Arn"
    key: ClassVar = {"SAMLProviderArn": "id"}
    id_from: ClassVar = "SAMLProviderArn"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    computed: ClassVar = {"arn": "{id}"}
    renames: ClassVar = {"samlProviderUuid": "SAMLProviderUUID"}
    tagging: ClassVar = Tagging(tag="tag_saml_provider", untag="untag_saml_provider", resource="SAMLProviderArn")
    replace_on: ClassVar = frozenset({"name"})


class ServiceLinkedRole(AwsType):
    """aws:iam/serviceLinkedRole:ServiceLinkedRole; the id is the ARN."""

    token: ClassVar = "aws:iam/serviceLinkedRole:ServiceLinkedRole"
    lists: ClassVar = "ListRoles"
    listed: ClassVar = "Arn"
    replace_on: ClassVar = frozenset({"awsServiceName", "customSuffix"})
    tagging: ClassVar = Tagging(tag="tag_role", untag="untag_role", resource="RoleName")

    def make(self, context: Context, inputs: Properties) -> str:
        """AWS makes its name."""
        role = self.call(context, "CreateServiceLinkedRole", inputs)["Role"]
        tags = self.tags(context, inputs)
        if tags:
            self.client(context).tag_role(RoleName=role["RoleName"], Tags=self.wire_tags(context, inputs))
        return str(role["Arn"])

    def listing(self, context: Context, inputs: Properties) -> Listing:
        """Among the service's roles."""
        wanted = {"PathPrefix": f"/aws-service-role/{inputs['awsServiceName']}/"}
        return replace(super().listing(context, inputs), request=wanted)

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties:
        """Name, path, unique id."""
        role = self.client(context).get_role(RoleName=_role_name(resource_id))["Role"]
        return {
            "arn": resource_id, "name": role["RoleName"], "path": role["Path"], "uniqueId": role["RoleId"],
            "createDate": role["CreateDate"].isoformat(), "description": role.get("Description", ""),
            "awsServiceName": role["Path"].split("/")[2],
        }  # fmt: skip

    def change(self, context: Context, resource_id: str, olds: Properties, news: Properties) -> None:
        """Its description."""
        if "description" in roots(olds, news):
            name, text = _role_name(resource_id), news.get("description") or ""
            self.client(context).update_role(RoleName=name, Description=text)

    def tag_target(self, resource_id: str, state: Properties) -> str:
        """By name."""
        return _role_name(resource_id)

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_service_linked_role(RoleName=_role_name(resource_id))


def _role_name(arn: str) -> str:
    return arn.rpartition("/")[2]


class AccountAlias(AwsType):
    """aws:iam/accountAlias:AccountAlias; the id is the alias."""

    token: ClassVar = "aws:iam/accountAlias:AccountAlias"
    parts: ClassVar = ("accountAlias",)
    replace_on: ClassVar = frozenset({"accountAlias"})

    def make(self, context: Context, inputs: Properties) -> str:
        """Create it."""
        self.client(context).create_account_alias(AccountAlias=inputs["accountAlias"])
        return str(inputs["accountAlias"])

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There, or not."""
        found = self.client(context).list_account_aliases()["AccountAliases"]
        return {"accountAlias": resource_id} if resource_id in found else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_account_alias(AccountAlias=resource_id)


class AccountPasswordPolicy(Declared):
    """aws:iam/accountPasswordPolicy:AccountPasswordPolicy: one for each account."""

    token: ClassVar = "aws:iam/accountPasswordPolicy:AccountPasswordPolicy"
    creates: ClassVar = "UpdateAccountPasswordPolicy"
    reads: ClassVar = "GetAccountPasswordPolicy"
    updates: ClassVar = "UpdateAccountPasswordPolicy"
    deletes: ClassVar = "DeleteAccountPasswordPolicy"
    key: ClassVar = {}
    id_format: ClassVar = "iam-account-password-policy"
    body: ClassVar = "PasswordPolicy"
    defaults: ClassVar = {"minimumPasswordLength": 6, "allowUsersToChangePassword": True}


class VirtualMfaDevice(AwsType):
    """aws:iam/virtualMfaDevice:VirtualMfaDevice; the id is the serial number."""

    token: ClassVar = "aws:iam/virtualMfaDevice:VirtualMfaDevice"
    id_format: ClassVar = "arn:aws:iam::{account}:mfa{path}{virtualMfaDeviceName}"
    defaults: ClassVar = {"path": "/"}
    replace_on: ClassVar = frozenset({"path", "virtualMfaDeviceName"})
    secret_outputs: ClassVar = frozenset({"base32StringSeed", "qrCodePng"})
    told_once: ClassVar = secret_outputs

    def make(self, context: Context, inputs: Properties) -> tuple[str, Properties]:
        """Create it; its seed is told only now."""
        device = self.client(context).create_virtual_mfa_device(
            VirtualMFADeviceName=inputs["virtualMfaDeviceName"], Path=inputs["path"]
        )["VirtualMFADevice"]
        seed = base64.b64encode(device.get("Base32StringSeed", b"")).decode()
        picture = base64.b64encode(device.get("QRCodePNG", b"")).decode()
        return str(device["SerialNumber"]), {"base32StringSeed": seed, "qrCodePng": picture}

    def look(self, context: Context, resource_id: str, inputs: Properties) -> Properties | None:
        """There, or not."""
        devices = self.client(context).list_virtual_mfa_devices(AssignmentStatus="Any")["VirtualMFADevices"]
        found = any(device["SerialNumber"] == resource_id for device in devices)
        return {"arn": resource_id, "serialNumber": resource_id} if found else None

    def remove(self, context: Context, resource_id: str, state: Properties) -> None:
        """Delete it."""
        self.client(context).delete_virtual_mfa_device(SerialNumber=resource_id)


class ServerCertificate(Declared):
    """aws:iam/serverCertificate:ServerCertificate."""

    token: ClassVar = "aws:iam/serverCertificate:ServerCertificate"
    creates: ClassVar = "UploadServerCertificate"
    reads: ClassVar = "GetServerCertificate"
    deletes: ClassVar = "DeleteServerCertificate"
    key: ClassVar = {"ServerCertificateName": "name"}
    id_from: ClassVar = "ServerCertificateMetadata.ServerCertificateId"
    body: ClassVar = "ServerCertificate.ServerCertificateMetadata"
    named: ClassVar = "name"
    name_rules: ClassVar = {"limit": 128}
    defaults: ClassVar = {"path": "/"}
    renames: ClassVar = {"name": "ServerCertificateName"}
    replace_on: ClassVar = frozenset(
        {"certificateBody", "certificateChain", "privateKey", "name", "namePrefix", "path"}
    )


RESOURCES = (
    AccessKey(), LoginProfile(), SshKey(), OpenIdConnectProvider(), SamlProvider(), ServiceLinkedRole(),
    AccountAlias(), AccountPasswordPolicy(), VirtualMfaDevice(), ServerCertificate(),
)  # fmt: skip
