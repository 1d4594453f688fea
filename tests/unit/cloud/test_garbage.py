"""When everything is looked through for garbage."""

from dataclasses import dataclass, field

from harness.cloud.garbage import WORTH_IT, Garbage


@dataclass
class Process:
    """Whose processor's time and looks we set."""

    used_s: float = 0.0
    looks: int = WORTH_IT
    collected: list[float] = field(default_factory=list)

    def garbage(self) -> Garbage:
        return Garbage(lambda: self.used_s, lambda: self.collected.append(self.used_s), lambda: self.looks)


def test_everything_is_looked_through_while_nothing_goes_on() -> None:
    process = Process()
    garbage = process.garbage()
    for used_s in (0.0, 0.5, 0.52, 0.9):  # nothing is known before the first look; then busy, quiet, busy
        process.used_s = used_s
        garbage.look(elapsed_s=1.0)
    assert process.collected == [0.52]


def test_nothing_is_looked_through_before_it_is_worth_it() -> None:
    process = Process(looks=WORTH_IT - 1)
    garbage = process.garbage()
    garbage.look(elapsed_s=1.0)
    garbage.look(elapsed_s=1.0)
    assert process.collected == []
