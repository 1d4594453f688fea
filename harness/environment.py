"""A target made ready: the embedded cloud started, a reverse proxy put before an endpoint, or AWS confirmed.

The one place that turns `--target` into something to run against, and takes it away again.
"""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from harness.clock import parse_duration_s
from harness.cloud.client import CloudSettings, RunningCloud, start_cloud
from harness.cloud.settings import LocalImage
from harness.target import Target, TargetChoice, endpoint_target, real_aws
from harness.workspace import Workspace


@dataclass(frozen=True, slots=True, kw_only=True)
class Environment:
    """A target that answers, and the gate that we run for it (None on real AWS)."""

    target: Target
    cloud: RunningCloud | None


def cloud_settings(
    workspace: Workspace, choice: TargetChoice, *, folder: Path, port: int = 0, detached: bool = False
) -> CloudSettings:
    """Settings of the gate for this choice, from the `[embedded]` part of the project file."""
    embedded = workspace.config.embedded
    settings = CloudSettings(
        state_dir=folder,
        port=port,
        regions=embedded.regions,
        zones_per_region=embedded.zones_per_region,
        enforce_iam=embedded.enforce_iam and choice.kind == "embedded",
        detached=detached,
        names_port=embedded.names_port if port else 0,
        images={
            name: LocalImage(dir=str(workspace.root / image.dir), command=image.command)
            for name, image in workspace.config.images.items()
        },
        limits=workspace.config.limits.given(),
        upstream=endpoint_target(choice.url, regions=embedded.regions).endpoint or "" if choice.url else "",
    )
    given = {
        "detection_s": embedded.detection,
        "dns_s": embedded.endpoint_dns,
        "task_start_s": embedded.task_start,
        "health_interval_s": embedded.health_interval,
        "deregistration_s": embedded.deregistration,
        "scaling_period_s": embedded.scaling_period,
        "scale_in_after_s": embedded.scale_in_after,
        "alarm_period_s": embedded.alarm_period,
        "table_scaling_s": embedded.table_scaling,
        "alias_ttl_s": embedded.alias_ttl,
        "deployment_minute_s": embedded.deployment_minute,
        "ttl_delay_s": embedded.ttl_delay,
        "lifecycle_day_s": embedded.lifecycle_day,
    }
    set_here: dict[str, Any] = {name: parse_duration_s(text) for name, text in given.items() if text is not None}
    lags = ("global_lag", "cache_lag", "table_lag", "object_lag")
    set_here |= {name: text for name in lags if (text := getattr(embedded, name)) is not None}
    return replace(settings, **set_here)  # Any: each is a field of CloudSettings


@contextlib.contextmanager
def environment(workspace: Workspace, choice: TargetChoice, *, folder: Path) -> Iterator[Environment]:
    """An environment of our own on a free port, gone afterwards whatever happens.

    Raises:
        NotReadyError: the gate does not start or the endpoint does not answer.
        RefusedError: real AWS without consent, or outside the allow-list.
    """
    if choice.kind == "aws":
        aws = workspace.config.aws
        yield Environment(
            target=real_aws(allowed_accounts=aws.allowed_accounts, regions=aws.regions, consent=choice.consent),
            cloud=None,
        )
        return
    cloud = start_cloud(cloud_settings(workspace, choice, folder=folder))
    try:
        yield Environment(target=cloud.target, cloud=cloud)
    finally:
        with _uninterrupted():
            cloud.stop()


@contextlib.contextmanager
def _uninterrupted() -> Iterator[None]:
    """A second Ctrl-C while cleaning up must not leave half of it undone."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
