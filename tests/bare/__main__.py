"""`make bare`: the same checks of signals, delivery, limits against plain ministack and our cloud, a row each.

Not part of `make test`: a check waits long for what a plain emulator never does. Words choose checks by their name.
Exits with the number of checks that our cloud fails.
"""

from __future__ import annotations

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.bare import delivering, limiting, observing
from tests.bare.observing import Check
from tests.bare.subject import Subject
from tests.bench.peers import bare_ministack, our_cloud

AT_ONCE = 6


def outcome(check: Check, subject: Subject) -> str:
    """'' when it is well, or what was seen; an error is one that AWS would not answer."""
    try:
        return check(subject)
    except Exception as error:  # noqa: BLE001 - whatever it is, it is what the cloud did instead
        return f"{type(error).__name__}: {error}".replace("\n", " ")[:150]


def run(checks: dict[str, Check], subject: Subject) -> dict[str, str]:
    """What came of each check."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        return dict(zip(checks, pool.map(lambda one: outcome(one, subject), checks.values()), strict=True))


def main(words: list[str]) -> int:
    every = {**observing.CHECKS, **delivering.CHECKS, **limiting.CHECKS}
    named = {f"{item} | {name}": check for item, checks in every.items() for name, check in checks.items()}
    chosen = {name: check for name, check in named.items() if not words or any(word in name for word in words)}
    with bare_ministack() as target:
        bare = run(chosen, Subject(target))
    with our_cloud() as cloud:
        ours = run(chosen, Subject(cloud.target))
    print("| item | check | plain ministack | Blackstart |\n|---|---|---|---|")  # noqa: T201 - the table is the answer
    for name in chosen:
        cells = [f"red: {seen[name]}" if seen[name] else "green" for seen in (bare, ours)]
        print(f"| {name} | {' | '.join(cells)} |")  # noqa: T201
    return sum(1 for seen in ours.values() if seen)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
