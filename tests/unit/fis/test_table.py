"""docs/fis.md says what the code does."""

from chaos.fis.actions import ACTIONS, ELSEWHERE
from chaos.fis.actions.table import DOCUMENT, renewed


def test_the_table_of_actions_is_current() -> None:
    text = DOCUMENT.read_text()
    assert text == renewed(text), "run `python -m chaos.fis.actions.table`"


def test_every_refused_action_names_one_that_works() -> None:
    for action in ELSEWHERE.values():
        assert ACTIONS[action.nearest].parity == "works", action.id
