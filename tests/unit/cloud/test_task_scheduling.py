"""Which tasks a service starts and stops, decided on what is seen."""

from harness.cloud.tasks.scheduling import Condition, Plan, Seen, Wanted, plan


def seen(text: str) -> list[Seen]:
    """Tasks from words: `h`, `s`, `u` (healthy, starting, unhealthy), `o` before for an old one, a zone last."""
    conditions: dict[str, Condition] = {"h": "healthy", "s": "starting", "u": "unhealthy"}
    return [
        Seen(
            arn=f"t{order}",
            primary=not word.startswith("o"),
            condition=conditions[word.removeprefix("o")[0]],
            zone=word[-1],
            order=order,
        )
        for order, word in enumerate(text.split())
    ]


def test_what_is_missing_is_started() -> None:
    assert plan([], Wanted(desired=3)) == Plan(3, ())
    assert plan(seen("ha sb"), Wanted(desired=3)) == Plan(1, ())


def test_nothing_happens_to_what_is_as_wanted() -> None:
    assert plan(seen("ha hb hc"), Wanted(desired=3)) == Plan(0, ())


def test_of_too_many_the_fullest_zone_gives_up_its_newest() -> None:
    assert plan(seen("ha hb ha hc"), Wanted(desired=3)) == Plan(0, ("t2",))
    assert plan(seen("ha sb hc"), Wanted(desired=2)) == Plan(0, ("t1",))


def test_an_old_task_goes_only_when_enough_healthy_ones_stay() -> None:
    both = Wanted(desired=2)
    assert plan(seen("oha ohb"), both) == Plan(2, ())
    assert plan(seen("oha ohb sa sb"), both) == Plan(0, ())
    assert plan(seen("oha ohb ha sb"), both) == Plan(0, ("t0",))
    assert plan(seen("oha ohb ha hb"), both) == Plan(0, ("t0", "t1"))


def test_the_maximum_holds_new_tasks_back_and_the_minimum_old_ones() -> None:
    tight = Wanted(desired=4, minimum_percent=50, maximum_percent=100)
    assert plan(seen("oha ohb ohc oha"), tight) == Plan(0, ("t0", "t1"))
    assert plan(seen("oha ohb"), tight) == Plan(2, ())


def test_limits_that_would_keep_anything_from_changing_leave_room_for_one() -> None:
    assert Wanted(desired=1, minimum_percent=100, maximum_percent=100).most == 2


def test_an_unhealthy_task_is_replaced_before_it_is_stopped() -> None:
    assert plan(seen("ha ub"), Wanted(desired=2)) == Plan(1, ())
    assert plan(seen("ha ub hc"), Wanted(desired=2)) == Plan(0, ("t1",))
    assert plan(seen("ha ub"), Wanted(desired=2, maximum_percent=100, minimum_percent=50)) == Plan(0, ("t1",))


def test_nothing_stays_of_a_service_that_is_scaled_to_nothing() -> None:
    assert plan(seen("ha sb oha"), Wanted(desired=0)) == Plan(0, ("t1", "t0", "t2"))
