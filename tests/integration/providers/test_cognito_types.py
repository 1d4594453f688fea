"""Cognito: user pools and identity pools."""

from typing import Any

IDP = "aws:cognito/"
ROLE = "arn:aws:iam::000000000000:role/any"

ROWS = {
    "pool": (IDP + "userPool:UserPool", {
        "autoVerifiedAttributes": ["email"], "usernameAttributes": ["email"], "tags": {"a": "b"},
        "passwordPolicy": {"minimumLength": 10, "requireNumbers": True, "temporaryPasswordValidityDays": 3},
        "schemas": [{"name": "tier", "attributeDataType": "String", "mutable": True,
                     "stringAttributeConstraints": {"maxLength": "20", "minLength": "1"}}],
        "adminCreateUserConfig": {"allowAdminCreateUserOnly": True},
        "mfaConfiguration": "OPTIONAL", "softwareTokenMfaConfiguration": {"enabled": True},
        "accountRecoverySetting": {"recoveryMechanisms": [{"name": "verified_email", "priority": 1}]}}),
    "server": (IDP + "resourceServer:ResourceServer", {
        "userPoolId": "${pool}", "identifier": "https://shop.example.com",
        "scopes": [{"scopeName": "read", "scopeDescription": "read orders"}]}),
    "google": (IDP + "identityProvider:IdentityProvider", {
        "userPoolId": "${pool}", "providerName": "Google", "providerType": "Google",
        "providerDetails": {"client_id": "a", "client_secret": "b", "authorize_scopes": "email"},
        "attributeMapping": {"email": "email"}}),
    "client": (IDP + "userPoolClient:UserPoolClient", {
        "userPoolId": "${pool}", "generateSecret": True, "explicitAuthFlows": ["ALLOW_USER_PASSWORD_AUTH"],
        "allowedOauthFlows": ["code"], "allowedOauthFlowsUserPoolClient": True, "allowedOauthScopes": ["openid"],
        "callbackUrls": ["https://shop.example.com/in"], "supportedIdentityProviders": ["COGNITO"],
        "accessTokenValidity": 30, "tokenValidityUnits": {"accessToken": "minutes"}}),
    "domain": (IDP + "userPoolDomain:UserPoolDomain", {"userPoolId": "${pool}", "domain": "shop-login"}),
    "group": (IDP + "userGroup:UserGroup", {
        "userPoolId": "${pool}", "name": "admins", "precedence": 1, "description": "x"}),
    "user": (IDP + "user:User", {
        "userPoolId": "${pool}", "username": "a@example.com", "attributes": {"email": "a@example.com", "name": "A"},
        "password": "Correct1horse", "messageAction": "SUPPRESS"}),
    "member": (IDP + "userInGroup:UserInGroup", {
        "userPoolId": "${pool}", "groupName": "${group.name}", "username": "${user.username}"}),
    "looks": (IDP + "userPoolUICustomization:UserPoolUICustomization", {
        "userPoolId": "${pool}", "css": ".label-customizable {font-weight: 400;}"}),
    "identities": (IDP + "identityPool:IdentityPool", {
        "identityPoolName": "shop", "allowUnauthenticatedIdentities": True, "tags": {"a": "b"},
        "cognitoIdentityProviders": [{
            "clientId": "${client}", "providerName": "cognito-idp.us-east-1.amazonaws.com/${pool}"}]}),
    "roles": (IDP + "identityPoolRoleAttachment:IdentityPoolRoleAttachment", {
        "identityPoolId": "${identities}", "roles": {"authenticated": ROLE}}),
    "principal": (IDP + "identityPoolProviderPrincipalTag:IdentityPoolProviderPrincipalTag", {
        "identityPoolId": "${identities}", "identityProviderName": "cognito-idp.us-east-1.amazonaws.com/${pool}",
        "useDefaults": False, "principalTags": {"tier": "custom:tier"}}),
}  # fmt: skip
CHANGES: dict[str, dict[str, Any]] = {
    "pool": {
        "passwordPolicy": {"minimumLength": 12, "requireNumbers": True}, "tags": {"c": "d"},
        "softwareTokenMfaConfiguration": None, "mfaConfiguration": "OFF"},
    "server": {"scopes": [{"scopeName": "write", "scopeDescription": "write orders"}]},
    "google": {"attributeMapping": {"email": "email", "name": "name"}},
    "client": {"allowedOauthScopes": ["openid", "email"], "accessTokenValidity": 20},
    "user": {"attributes": {"email": "a@example.com", "name": "B"}, "enabled": False},
    "looks": {"css": ".label-customizable {font-weight: 500;}"},
    "identities": {"allowUnauthenticatedIdentities": False, "tags": {"a": "c"}},
    "roles": {"roles": {"authenticated": ROLE, "unauthenticated": ROLE}},
    "principal": {"principalTags": {"level": "custom:tier"}},
}  # fmt: skip


def test_user_pools_and_identity_pools(lives: Any) -> None:
    lives.run(ROWS, CHANGES)
