"""The table of times: complete, with sources, true to the settings, and printed in every report."""

from __future__ import annotations

from html import unescape
from pathlib import Path

import msgspec

from harness.cloud.copies.lags import Lags
from harness.cloud.settings import CloudSettings
from harness.cloud.timings import Timing, timings
from harness.config import Embedded
from harness.lag import fixed
from harness.report.html import render_html
from harness.report.markdown import render_markdown
from harness.report.run_json import build_run

SETTINGS = CloudSettings(state_dir=Path(), detection_s=7.0, dns_s=1.5, table_lag="1s..3s", alias_ttl_s=12.0)


def table() -> dict[str, Timing]:
    lags = Lags(SETTINGS.lags)
    lags.set("dynamodb", fixed(9.0), source="us-east-1")
    return {one.name: one for one in timings(SETTINGS, lags)}


def test_values_are_those_in_force() -> None:
    found = {name: one.value for name, one in table().items()}
    assert found["a dark zone is noticed by Lambda, ECS, ELB"] == "7 s"
    assert found["the name of a database endpoint follows a change of roles"] == "1.5 s"
    assert found["an alias of Route 53 is cached"] == "12 s"
    assert found["a replica of a global table is behind"] == "1s..3s"
    assert found["a replica of a global table is behind (us-east-1 → any)"] == "9s"


def test_each_has_a_source_and_a_setting_that_exists_or_none() -> None:
    for one in table().values():
        assert "https://" in one.source or "AWS" in one.source, one
        assert one.setting in {"", *Embedded.model_fields}, one


def test_every_report_has_the_table() -> None:
    every = list(table().values())
    run = build_run(id="r", target="embedded", seed=1, started="2026-01-01T00:00:00Z", ended="2026-01-01T00:00:09Z",
                    timings=every)  # fmt: skip
    markdown, page = render_markdown(run), unescape(render_html(run, journals={}, cases=[]))
    for one in every:
        assert f"| {one.name} | {one.value} |" in markdown
        assert f'<td>{one.name}</td><td class="n">{one.value}</td>' in page
    assert msgspec.json.decode(msgspec.json.encode(run), type=type(run)).timings == every
    without = build_run(id="r", target="aws", seed=1, started="s", ended="e")
    assert "How long this cloud takes" not in render_markdown(without)
