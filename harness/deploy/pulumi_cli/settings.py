"""What the real CLI is told: provider configuration and environment for each kind of target. Pure.

An emulator gets every service's endpoint and throw-away credentials, and nothing of the user's AWS
configuration. Real AWS gets its region and the one account that the guard let through, and no endpoint at
all. Sources: the AWS provider's configuration reference, Pulumi's environment variables.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from harness.target import Target

_OF_THE_USER = (
    "AWS_PROFILE",
    "AWS_DEFAULT_PROFILE",
    "AWS_SESSION_TOKEN",
    "AWS_ROLE_ARN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)
"""Variables by which real credentials could reach a deployment into an emulator."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Stack configuration: `plain` and `secret` keys are as they are, `paths` are property paths."""

    plain: Mapping[str, str] = field(default_factory=dict)
    secret: Mapping[str, str] = field(default_factory=dict, repr=False)
    paths: Mapping[str, str] = field(default_factory=dict)


def provider_settings(target: Target, services: Sequence[str]) -> Settings:
    """The AWS provider's configuration for `target`; `services` are the keys that its `endpoints` know."""
    if target.kind == "aws":
        return Settings(plain={"aws:region": target.region}, paths={"aws:allowedAccountIds[0]": target.account_id})
    return Settings(
        plain={
            "aws:region": target.region,
            "aws:accessKey": target.access_key,
            "aws:s3UsePathStyle": "true",
            "aws:skipCredentialsValidation": "true",
            "aws:skipRequestingAccountId": "true",
            "aws:skipMetadataApiCheck": "true",
        },
        secret={"aws:secretKey": target.secret_key},
        paths={f"aws:endpoints[0].{service}": target.endpoint or "" for service in services},
    )


def endpoint_services() -> list[str]:
    """Every key of the provider's `endpoints`; an unknown one fails its configuration check."""
    import inspect

    from pulumi_aws import ProviderEndpointArgs

    names = list(inspect.signature(ProviderEndpointArgs.__init__).parameters)[1:]
    return [name.rstrip("_") for name in names]  # `lambda_` is a Python word's way out


def environment(target: Target, *, backend: Path, passphrase: str, interpreter: str) -> dict[str, str]:
    """Variables of the CLI's processes, beside our own."""
    ours = {
        "PULUMI_BACKEND_URL": backend.as_uri(),
        "PULUMI_CONFIG_PASSPHRASE": passphrase,
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_PYTHON_CMD": interpreter,
        "AWS_REGION": target.region,
        "AWS_DEFAULT_REGION": target.region,
    }
    if target.kind == "aws":
        return ours | {"AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true"}
    return ours | {
        "AWS_ENDPOINT_URL": target.endpoint or "",
        "AWS_ACCESS_KEY_ID": target.access_key,
        "AWS_SECRET_ACCESS_KEY": target.secret_key,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_CONFIG_FILE": "/dev/null",
        "AWS_SHARED_CREDENTIALS_FILE": "/dev/null",
    }


def is_kept_from(target: Target, variable: str) -> bool:
    """True for a variable of ours that the CLI must not see under this target."""
    if target.kind == "aws":
        return variable.startswith("AWS_ENDPOINT_URL")
    return variable in _OF_THE_USER or variable.startswith("AWS_ENDPOINT_URL_")
