"""What everybody who visits the shop under load does, and where the shop is.

Locust has patched the sockets by the time it imports this; boto3 is imported later still, and for operators only: who
buys something has no credentials of AWS.
"""

import functools
import os
import random
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from locust import HttpUser, between

from harness.load.loopback import is_loopback
from harness.stack import STACK_FILE_VARIABLE, RunningStack, load

CATEGORIES = ("tea", "coffee", "cups")
IN_STOCK = ("tea", "coffee", "cup")


@functools.cache
def stack() -> RunningStack:
    """The stack under load; `blackstart load` says where it is."""
    return load(Path(os.environ[STACK_FILE_VARIABLE]))


@functools.cache
def operator(service: str) -> Any:
    """A client of the target under the operator's credentials, for what no visitor could do."""
    return stack().target.client(service)


def has(part: str) -> bool:
    """Whether the shop was deployed with this part (orders:parts)."""
    return part in stack().outputs.get("parts", ())


API_URL = stack().outputs["api_url"]
if not is_loopback(urlsplit(API_URL).hostname or "") and not os.environ.get("BLACKSTART_LOAD_REMOTE"):
    raise SystemExit(f"load goes to loopback addresses only, not to {API_URL}")


class Visitor(HttpUser):
    """Somebody with a browser."""

    abstract = True
    host = API_URL
    wait_time = between(0.2, 0.6)

    def on_start(self) -> None:
        """Nobody has ordered anything yet."""
        self.order_id = ""

    def asks(self, method: str, path: str, *good: int, name: str = "", **request: Any) -> Any:
        """The answer, whose status must be one of the `good` ones; None when it is not, which counts as a failure.

        `name` stands for the path in the figures; `request` is what `requests` takes: `json`, `headers`.
        """
        with self.client.request(method, path, name=name or path, catch_response=True, **request) as reply:
            if reply.status_code in good:
                reply.success()
                return reply
            reply.failure(f"expected {' or '.join(map(str, good))}, got {reply.status_code}: {reply.text[:120]}")
            return None

    def browse(self) -> None:
        """Look at a shelf, where the shop has that part."""
        if has("cache"):
            self.asks("GET", f"/catalogue/{random.choice(CATEGORIES)}", 200, name="/catalogue/{category}")

    def look(self) -> None:
        """Look at the last order."""
        if self.order_id:
            self.asks("GET", f"/orders/{self.order_id}", 200, name="/orders/{order_id}")
