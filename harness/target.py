"""Where we run, and the guard in front of real AWS.

A `Target` is made anew for each command and never stored: a remembered "no endpoint" once meant real
AWS in another tool. Only `real_aws` makes a target without an endpoint, and only after STS confirmed an
account of the allow-list.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlsplit

from harness.errors import NotReadyError, RefusedError, UsageError, nearest

if TYPE_CHECKING:
    import boto3

TargetKind = Literal["embedded", "endpoint", "aws"]

EMULATOR_ACCOUNT = "000000000000"
"""The account id that emulators give to the key `test`."""

# Capabilities a scenario or drill may require; `blackstart_requires` takes these names.
SHOP = frozenset({"alarms", "cognito-triggers", "iam", "logs-insights", "message-moves", "secret-rotation"})
EMBEDDED = (
    SHOP
    | {"zones", "lambda-zones", "fis", "faults", "pitr-latest", "aurora", "rds", "elasticache", "ecs", "xray"}
    | {"prompt-costs", "prompt-expiry", "prompt-scaling", "throttling"}
    | (
        {"sam"} if find_spec("samtranslator") else frozenset()  # ministack expands AWS::Serverless by it
    )
)
ENDPOINT = frozenset({"fis", "faults"})
AWS = SHOP | {"fis", "zones", "aurora", "rds", "elasticache", "ecs", "sam", "xray"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One place to run against.

    `endpoint` is None only for real AWS. `control_url` and `control_token` reach the gate that we run in
    front (embedded cloud, or reverse proxy before an endpoint); empty when there is none.
    """

    kind: TargetKind
    endpoint: str | None
    region: str
    regions: tuple[str, ...]
    account_id: str
    access_key: str = field(default="", repr=False)
    secret_key: str = field(default="", repr=False)
    control_token: str = field(default="", repr=False)
    capabilities: frozenset[str] = frozenset()

    @property
    def control_url(self) -> str:
        """Where the gate's control API is, or '' where we run no gate."""
        return f"{self.endpoint}/_blackstart" if self.endpoint and self.control_token else ""

    @property
    def environment(self) -> dict[str, str]:
        """What makes AWS's SDKs and CLI in another process use this target; nothing for real AWS."""
        if self.kind == "aws":
            return {}
        return {
            "AWS_ENDPOINT_URL": self.endpoint or "",
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
        }

    def client(
        self,
        service: str,
        *,
        region: str | None = None,
        role: Mapping[str, str] | None = None,
        url: str | None = None,
        **config: Any,
    ) -> Any:  # boto3 makes clients at run time
        """A boto3 client for this target; `config` goes to `botocore.config.Config`.

        `role` has credentials to use instead of the target's, by the names of the environment variables. `url` is an
        endpoint of its own, such as a WebSocket API's.
        """
        from botocore.config import Config

        settings: dict[str, Any] = {"s3": {"addressing_style": "path"}, "inject_host_prefix": False}
        if self.kind == "aws":
            settings = {}
        return _session(self).client(
            service,
            region_name=region or self.region,
            endpoint_url=url or self.endpoint,
            config=Config(**{**settings, **config}),
            **{name.lower(): value for name, value in (role or {}).items()},
        )


@functools.lru_cache(maxsize=8)
def _session(target: Target) -> boto3.session.Session:
    import boto3

    if target.kind == "aws":
        return boto3.session.Session(region_name=target.region)
    return boto3.session.Session(
        aws_access_key_id=target.access_key,
        aws_secret_access_key=target.secret_key,
        region_name=target.region,
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class TargetChoice:
    """`--target` as given: `embedded`, `endpoint=URL` or `aws`; `consent` is `--yes`. Never stored."""

    kind: str = "embedded"
    url: str = ""
    consent: bool = False


EMBEDDED_CHOICE = TargetChoice()


def parse_target(text: str, *, consent: bool) -> TargetChoice:
    """The choice in `--target`.

    Raises:
        UsageError: none of the three forms.
    """
    kind, _, url = text.partition("=")
    if kind not in {"embedded", "endpoint", "aws"} or (kind == "endpoint") != bool(url):
        raise UsageError(
            f"{text!r} is no target",
            where="--target",
            hint=f"{nearest(kind, ['embedded', 'endpoint', 'aws'])}; forms: embedded, endpoint=URL, aws",
        )
    return TargetChoice(kind=kind, url=url, consent=consent)


def endpoint_target(url: str, *, regions: Sequence[str]) -> Target:
    """A target at `url`, which must not be an AWS host.

    Raises:
        UsageError: not an http(s) URL.
        RefusedError: the host belongs to AWS; real AWS is reached with `--target aws` only.
    """
    parts = urlsplit(url)
    if parts.scheme not in {"http", "https"} or not parts.hostname:
        raise UsageError(
            f"{url!r} is not an endpoint URL",
            where="--target",
            hint="for example --target endpoint=http://127.0.0.1:4566",
        )
    if parts.hostname.endswith((".amazonaws.com", ".amazonaws.com.cn", ".aws.dev", ".api.aws")):
        raise RefusedError(
            f"{parts.hostname} is real AWS",
            where="--target",
            hint="use --target aws with an allow-listed account and --yes",
        )
    return Target(
        kind="endpoint",
        endpoint=url.rstrip("/"),
        region=regions[0],
        regions=tuple(regions),
        account_id=EMULATOR_ACCOUNT,
        access_key="test",
        secret_key="test",  # noqa: S106 - what every emulator takes
        capabilities=ENDPOINT,
    )


def real_aws(*, allowed_accounts: Sequence[str], regions: Sequence[str], consent: bool) -> Target:
    """The target for real AWS, behind the guard: consent, an allow-list, and an account that STS confirms.

    Raises:
        RefusedError: no `--yes`, an empty allow-list, or another account than the allowed ones.
        NotReadyError: STS cannot be asked (no credentials, no network).
    """
    if not consent:
        raise RefusedError("real AWS needs your consent", where="--target aws", hint="add --yes once you mean it")
    if not allowed_accounts:
        raise RefusedError(
            "no account is allowed",
            where="blackstart.toml [aws] allowed_accounts",
            hint='set it, e.g. ["123456789012"]',
        )
    account = _account_by_sts(regions[0])
    if account not in allowed_accounts:
        raise RefusedError(
            f"account {account} is not on the allow-list",
            where="blackstart.toml [aws] allowed_accounts",
            hint=f"allowed: {', '.join(allowed_accounts)}; check AWS_PROFILE",
        )
    return Target(
        kind="aws",
        endpoint=None,
        region=regions[0],
        regions=tuple(regions),
        account_id=account,
        capabilities=AWS,
    )


def _account_by_sts(region: str) -> str:
    import boto3
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return str(boto3.client("sts", region_name=region).get_caller_identity()["Account"])
    except (BotoCoreError, ClientError) as error:
        raise NotReadyError(
            f"AWS did not confirm who you are: {error}",
            where="sts:GetCallerIdentity",
            hint="check your credentials",
        ) from error
