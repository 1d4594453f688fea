"""Clients go to the fallback after three bad answers in a row, and stay there."""

from pathlib import Path

from harness.load.prober import BAD_IN_A_ROW, Prober
from harness.load.workload import HttpOperation, ProberSpec
from harness.measure.journal import JournalWriter

URLS = {"method": "GET", "url": "http://127.0.0.1:1/"}
WITH = HttpOperation(kind="with", fallback="http://127.0.0.1:2/", **URLS)
WITHOUT = HttpOperation(kind="without", **URLS)


def prober(folder: Path) -> Prober:
    spec = ProberSpec(operations=[WITH, WITHOUT], outputs={}, journal="")
    return Prober(spec, JournalWriter(folder / "j.jsonl"))


def test_a_good_answer_between_bad_ones_keeps_clients_where_they_are(tmp_path: Path) -> None:
    one = prober(tmp_path)
    for outcome in ("unknown", "fail", "ok", "unknown", "unknown"):
        one._count(WITH, outcome)
    assert not one._fell_back(WITH)


def test_three_bad_answers_in_a_row_make_them_go_for_good(tmp_path: Path) -> None:
    one = prober(tmp_path)
    for _ in range(BAD_IN_A_ROW):
        assert not one._fell_back(WITH)
        one._count(WITH, "unknown")
    assert one._fell_back(WITH)
    one._count(WITH, "ok")
    assert one._fell_back(WITH)


def test_where_there_is_no_fallback_nobody_goes_anywhere(tmp_path: Path) -> None:
    one = prober(tmp_path)
    for _ in range(2 * BAD_IN_A_ROW):
        one._count(WITHOUT, "unknown")
    assert not one._fell_back(WITHOUT)
