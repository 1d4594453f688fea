"""Line numbers for keys of a TOML file."""

import pytest

from harness.toml_source import line_of

TEXT = """\
title = "x"
[workload]
rate = 50
[[workload.operations]]
kind = "a"
[[workload.operations]]
kind = "b"
headers.key = "v"
[policy."AZ"]
rto = "1s"
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (["title"], 1),
        (["workload", "rate"], 3),
        (["workload", "operations", 0, "kind"], 5),
        (["workload", "operations", 1, "kind"], 7),
        (["workload", "operations", 1, "headers", "key"], 8),
        (["policy", "AZ", "rto"], 10),
        (["policy", "AZ", "missing"], 9),
        (["workload", "operations", 1, "missing"], 6),
        (["nowhere"], 1),
    ],
)
def test_a_key_or_its_nearest_parent_is_found(keys: list[str | int], line: int) -> None:
    assert line_of(TEXT, keys) == line
