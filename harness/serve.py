"""The server's entry point: joins the cloud with FIS. `python -m harness.serve ORDER.json`."""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Mapping
from pathlib import Path

from harness.cloud.doors import Doors
from harness.cloud.server import Service, serve
from harness.cloud.settings import read_order


def make_services(doors: Doors) -> Mapping[str, Service]:
    """The extra services behind the gate."""
    from chaos.fis.region import Quotas
    from chaos.fis.service import FisService

    active = os.environ.get("BLACKSTART_FIS_ACTIVE_EXPERIMENTS", "")
    quotas = Quotas(active_experiments=int(active)) if active.isdigit() else Quotas()
    return {"fis": FisService(doors, quotas)}


def main(arguments: list[str]) -> int:
    """Serve as the order says; returns the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    return serve(read_order(Path(arguments[0])), make_services)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
