"""REST APIs: patches of them, and the address without a path."""

from __future__ import annotations

from harness.cloud.gaps.json_patch import apply_patch
from harness.cloud.ministack_hooks import before_first_call


def close() -> None:
    """Call it before any service is used."""
    _answer_at_the_root()
    before_first_call("apigateway", _keep_patches)


def _answer_at_the_root() -> None:
    """An API's address without a path is its root, as it is for any URL."""
    from ministack import app

    builtin = app._parse_execute_api_url  # noqa: SLF001

    def parse(host: str, path: str) -> tuple[str, str, str] | None:
        parsed: tuple[str, str, str] | None = builtin(host, path)
        return builtin(host, f"{path}/") if parsed is None else parsed

    app._parse_execute_api_url = parse  # noqa: SLF001


def _keep_patches() -> None:
    """Patches keep lists, escaped names and types."""
    from ministack.services import apigateway_v1

    apigateway_v1._apply_patch = apply_patch  # noqa: SLF001
