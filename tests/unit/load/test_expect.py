"""An acknowledged answer is good only when it is about what was asked."""

from pathlib import Path

import pytest

from harness.errors import ConfigError
from harness.load.prober import Prober
from harness.load.workload import HttpOperation, ProberSpec, check_operations
from harness.measure.journal import JournalWriter

WRITE = HttpOperation(kind="write", method="POST", url="http://127.0.0.1:1/", write=True, capture={"id": "id"})
READ = HttpOperation(
    kind="read", method="GET", url="http://127.0.0.1:1/{acked.id}", expect={"id": "{acked.id}", "n": 1}
)


@pytest.mark.parametrize(
    ("answer", "valid"),
    [
        (b'{"id": "a", "n": 1, "more": 2}', True),
        (b'{"id": "b", "n": 1}', False),
        (b'{"id": "a", "n": 2}', False),
        (b'{"id": "a"}', False),
        (b'["a"]', False),
        (b"a", False),
    ],
)
def test_an_answer_about_something_else_is_not_good(tmp_path: Path, answer: bytes, valid: bool) -> None:
    spec = ProberSpec(operations=[WRITE, READ], outputs={}, journal="")
    one = Prober(spec, JournalWriter(tmp_path / "j.jsonl"))
    assert one._keep(READ, answer, {"id": "a", "n": 1}) is valid


def test_what_can_never_be_expected_is_refused() -> None:
    with pytest.raises(ConfigError, match="acked.ids"):
        check_operations(
            [WRITE, HttpOperation(kind="r", method="GET", url="u", expect={"id": "{acked.ids}"})], {}, where="x"
        )
