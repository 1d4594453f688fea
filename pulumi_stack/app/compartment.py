"""So many at once: for each dependency it is a bulkhead, for a whole server it is what sheds load.

Who finds it full is told so at once. Waiting in line for what does not answer only makes the line longer, until work
that has nothing to do with it stands in it too. In one process that is a semaphore for which nobody waits.
https://aws.amazon.com/builders-library/using-load-shedding-to-avoid-overload/
"""

import threading


class FullError(Exception):
    """As many as there may be are inside: come again later."""


class Compartment:
    """`with compartment:` is work that takes one of its places.

    Raises:
        FullError: there is none left.
    """

    def __init__(self, places: int) -> None:
        self._free = threading.BoundedSemaphore(places)

    def __enter__(self) -> None:
        if not self._free.acquire(blocking=False):
            raise FullError

    def __exit__(self, *_: object) -> None:
        self._free.release()
