"""Sessions of roles: what a service acts under on somebody's behalf, so that it may do what the role may, no more."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from harness.cloud.ministack_hooks import execution_credentials
from harness.target import Target

Client = Callable[[str], Any]
"""botocore's name of a service → a client of it, under the role."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoleSession:
    """`role` (an ARN), assumed in an account and a region; `name` is the session's, cut at 64 characters as STS asks.

    https://docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
    """

    role: str
    account: str
    region: str
    name: str

    def credentials(self) -> dict[str, str]:
        """AWS_ACCESS_KEY_ID, AWS_SECRET_ACCESS_KEY and AWS_SESSION_TOKEN."""
        name = self.name[:64]  # the emulator's sessions are those of functions: an ARN tells account, region and name
        function = f"arn:aws:lambda:{self.region}:{self.account}:function:{name}"
        return execution_credentials({"Role": self.role, "FunctionName": name, "FunctionArn": function})

    def clients(self, target: Target, **options: Any) -> Client:
        """Clients in the session's region, each made once; `options` are those of botocore's `Config`."""
        credentials = self.credentials()

        @functools.cache
        def client(service: str) -> Any:
            return target.client(service, region=self.region, role=credentials, **options)

        return client
