"""The truth table is true: each row that works names a test that is there, each other row says what to do."""

import ast
from pathlib import Path

import pytest

from harness.cloud.homes import MINISTACK, MOTO, OURS
from harness.cloud.truth import Truth, table

TESTS = Path(__file__).parents[1]
WORKS = [row for row in table() if row.state == "works"]


def names_in(path: Path) -> set[str]:
    return {node.name for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.FunctionDef)}


@pytest.mark.parametrize("row", WORKS, ids=lambda row: f"{row.service}: {row.feature}")
def test_what_works_has_a_test_that_proves_it(row: Truth) -> None:
    file, _, name = row.proof.partition("::")
    assert name.startswith("test_")
    assert name in names_in(TESTS / file)


def test_what_does_not_work_says_what_to_do() -> None:
    assert [row for row in table() if row.state != "works" and not row.instead] == []
    assert [row for row in table() if row.state != "works" and row.proof] == []


def test_every_service_has_a_row_and_no_row_comes_twice() -> None:
    rows = [(row.service, row.feature) for row in table()]
    assert len(rows) == len(set(rows))
    assert {*MINISTACK, *MOTO, *OURS} <= {service for service, _ in rows}
