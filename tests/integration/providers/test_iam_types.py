"""IAM: principals, policies, attachments, and what lets somebody in."""

import json
from typing import Any

import pytest

from harness.deploy.providers.aws import registry
from harness.errors import ProviderError

IAM = "aws:iam/"
TRUST = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": {"Service": "lambda.amazonaws.com"}, "Action": "sts:AssumeRole"}],
}
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "s3:Get*", "Resource": "*"}]}
DENY = {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": "s3:Get*", "Resource": "*"}]}
LOGS = "arn:aws:iam::aws:policy/service-role/AWSLambdaBasicExecutionRole"
BOUNDARY = "arn:aws:iam::aws:policy/AdministratorAccess"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonEC2ContainerRegistryReadOnly"
METADATA = "<EntityDescriptor>" + "x" * 1000 + "</EntityDescriptor>"

ROWS = {
    "role": (IAM + "role:Role", {
        "assumeRolePolicy": json.dumps(TRUST), "description": "runs orders", "tags": {"a": "b"},
        "inlinePolicies": [{"name": "in", "policy": json.dumps(ALLOW)}], "managedPolicyArns": [LOGS]}),
    "bare": (IAM + "role:Role", {"assumeRolePolicy": json.dumps(TRUST, indent=1), "namePrefix": "bare-"}),
    "user": (IAM + "user:User", {"path": "/staff/", "tags": {"a": "b"}}),
    "other": (IAM + "user:User", {"forceDestroy": True}),
    "group": (IAM + "group:Group", {}),
    "policy": (IAM + "policy:Policy", {"policy": json.dumps(ALLOW), "tags": {"a": "b"}}),
    "shared": (IAM + "policy:Policy", {"policy": json.dumps(ALLOW), "description": "shared"}),
    "profile": (IAM + "instanceProfile:InstanceProfile", {"role": "${bare}", "tags": {"a": "b"}}),
    "rolePolicy": (IAM + "rolePolicy:RolePolicy", {"role": "${bare}", "policy": json.dumps(ALLOW)}),
    "userPolicy": (IAM + "userPolicy:UserPolicy", {"user": "${user}", "policy": json.dumps(ALLOW)}),
    "groupPolicy": (IAM + "groupPolicy:GroupPolicy", {"group": "${group}", "policy": json.dumps(ALLOW)}),
    "ofRole": (IAM + "rolePolicyAttachment:RolePolicyAttachment", {"role": "${bare}", "policyArn": "${policy}"}),
    "managed": (IAM + "rolePolicyAttachment:RolePolicyAttachment", {"role": "${bare}", "policyArn": READ_ONLY}),
    "ofUser": (IAM + "userPolicyAttachment:UserPolicyAttachment", {"user": "${user}", "policyArn": "${policy}"}),
    "ofGroup": (IAM + "groupPolicyAttachment:GroupPolicyAttachment", {"group": "${group}", "policyArn": "${policy}"}),
    "everybody": (IAM + "policyAttachment:PolicyAttachment", {
        "policyArn": "${shared}", "users": ["${user}"], "groups": ["${group}"]}),
    "members": (IAM + "groupMembership:GroupMembership", {"group": "${group}", "users": ["${user}", "${other}"]}),
    "groups": (IAM + "userGroupMembership:UserGroupMembership", {"user": "${other}", "groups": ["${group}"]}),
    "exclusive": (IAM + "rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive", {
        "roleName": "${bare}", "policyArns": ["${policy}", READ_ONLY]}),
    "inlineOnly": (IAM + "rolePoliciesExclusive:RolePoliciesExclusive", {
        "roleName": "${bare}", "policyNames": ["${rolePolicy.name}"]}),
    "key": (IAM + "accessKey:AccessKey", {"user": "${user}"}),
    "login": (IAM + "userLoginProfile:UserLoginProfile", {"user": "${user}"}),
    "oidc": (IAM + "openIdConnectProvider:OpenIdConnectProvider", {
        "url": "https://token.actions.githubusercontent.com", "clientIdLists": ["sts.amazonaws.com"],
        "thumbprintLists": ["a" * 40]}),
    "saml": (IAM + "samlProvider:SamlProvider", {"samlMetadataDocument": METADATA}),
    "linked": (IAM + "serviceLinkedRole:ServiceLinkedRole", {"awsServiceName": "ecs.amazonaws.com"}),
    "alias": (IAM + "accountAlias:AccountAlias", {"accountAlias": "black-start"}),
    "passwords": (IAM + "accountPasswordPolicy:AccountPasswordPolicy", {"minimumPasswordLength": 12}),
    "mfa": (IAM + "virtualMfaDevice:VirtualMfaDevice", {"virtualMfaDeviceName": "phone"}),
    "ssh": (IAM + "sshKey:SshKey", {"username": "someone", "encoding": "SSH", "publicKey": "ssh-rsa AAAA x"}),
    "certificate": (IAM + "serverCertificate:ServerCertificate", {"certificateBody": "x", "privateKey": "y"}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "role": {
        "assumeRolePolicy": json.dumps({**TRUST, "Id": "second"}),
        "description": "all",
        "maxSessionDuration": 7200,
        "permissionsBoundary": BOUNDARY,
        "inlinePolicies": [{"name": "in", "policy": json.dumps(DENY)}],
        "managedPolicyArns": [READ_ONLY],
        "tags": {"c": "d"},
    },
    "user": {"permissionsBoundary": BOUNDARY, "tags": {"a": "c"}},
    "policy": {"policy": json.dumps(DENY), "tags": {}},
    "profile": {"role": "${role}"},
    "rolePolicy": {"policy": json.dumps(DENY)},
    "userPolicy": {"policy": json.dumps(DENY)},
    "groupPolicy": {"policy": json.dumps(DENY)},
    "everybody": {"users": ["${other}"], "roles": ["${role}"]},
    "members": {"users": ["${other}"]},
    "exclusive": {"policyArns": ["${policy}"]},
    "key": {"status": "Inactive"},
    "saml": {"samlMetadataDocument": METADATA.replace("x", "y")},
    "linked": {"description": "for tasks"},
    "passwords": {"minimumPasswordLength": 14, "requireSymbols": True},
}


def test_iam(lives: Any) -> None:
    lives.run(ROWS, CHANGES, lacking=("ssh", "certificate"))


def test_what_is_told_once_is_kept_and_secret(lives: Any) -> None:
    lives.create("user", IAM + "user:User", {})
    key = lives.create("key", IAM + "accessKey:AccessKey", {"user": "${user}"})
    assert key.id.startswith("AKIA")
    assert key.handler.secret_outputs == {"secret", "sesSmtpPasswordV4"}
    assert len(key.outputs["secret"]) == 40
    assert key.read()["secret"] == key.outputs["secret"]


def test_a_role_with_strangers_policies_waits_and_then_says_so(lives: Any, monkeypatch: Any) -> None:
    monkeypatch.setattr("harness.deploy.providers.aws.iam._DETACH_S", 0.2)
    role = lives.create("role", IAM + "role:Role", {"assumeRolePolicy": TRUST})
    attached = lives.create(
        "a", IAM + "rolePolicyAttachment:RolePolicyAttachment", {"role": "${role}", "policyArn": LOGS}
    )
    with pytest.raises(ProviderError, match="to which something is attached, was not ready"):
        role.handler.delete(role.context, role.id, {**role.inputs, **role.outputs})
    role.handler.delete(role.context, role.id, {**role.inputs, **role.outputs, "forceDetachPolicies": True})
    assert role.read() is None
    assert attached.read() is None


def test_what_exists_is_found_by_data_sources(lives: Any) -> None:
    role = lives.create("role", IAM + "role:Role", {"assumeRolePolicy": TRUST, "tags": {"a": "b"}})
    lives.create("profile", IAM + "instanceProfile:InstanceProfile", {"role": "${role}"})
    user = lives.create("user", IAM + "user:User", {"path": "/staff/"})
    policy = lives.create("policy", IAM + "policy:Policy", {"policy": ALLOW, "name": "mine"})

    def ask(function: str, **arguments: Any) -> dict[str, Any]:
        return registry().invokes[f"{IAM}{function}:{function}"](role.context, arguments)

    found = ask("getRole", name=role.id)
    assert found["arn"] == role.outputs["arn"]
    assert json.loads(found["assumeRolePolicy"]) == TRUST
    assert found["tags"] == {"a": "b"}
    assert ask("getInstanceProfile", name=lives.living["profile"].id)["roleName"] == role.id
    assert ask("getUser", userName=user.id)["path"] == "/staff/"
    assert ask("getUsers", pathPrefix="/staff/")["names"] == [user.id]
    assert ask("getPolicy", name="mine")["arn"] == policy.id
    assert ask("getPolicy", arn=READ_ONLY)["name"] == "AmazonEC2ContainerRegistryReadOnly"
    session = f"arn:aws:sts::000000000000:assumed-role/{role.id}/me"
    assert ask("getSessionContext", arn=session)["issuerArn"] == role.outputs["arn"]


def test_any_policy_of_awss_own_is_there_with_its_real_document_and_no_other(lives: Any) -> None:
    role = lives.create("role", IAM + "role:Role", {"assumeRolePolicy": TRUST})
    ask = registry().invokes[IAM + "getPolicy:getPolicy"]
    found = json.loads(ask(role.context, {"arn": READ_ONLY})["policy"])
    assert "ecr:BatchGetImage" in found["Statement"][0]["Action"]
    with pytest.raises(Exception, match="AmazonEC2ContainerRegistryReedOnly not found"):
        ask(role.context, {"arn": READ_ONLY.replace("Read", "Reed")})
