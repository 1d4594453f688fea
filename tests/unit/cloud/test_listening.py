"""A port belongs to who came first, also before anybody is served there."""

import pytest

from harness.cloud.listening import listen
from harness.errors import NotReadyError


def test_of_two_who_come_to_a_port_together_one_is_told_that_it_is_taken() -> None:
    with listen(0) as first:
        port = int(first.getsockname()[1])
        with pytest.raises(NotReadyError, match=f"port {port} is taken"):
            listen(port)
