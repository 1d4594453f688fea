"""The whole job, environment already set up: how long, and how much memory over all its processes."""

import contextlib
import subprocess
import sys
import time
from pathlib import Path

import psutil
from peers import Table

ROOT = Path(__file__).parents[2]


def resident_bytes(root: psutil.Process) -> int:
    """What all processes of the run hold together. Pages that they share count once, by share (PSS)."""
    total = 0
    for process in [root, *root.children(recursive=True)]:
        with contextlib.suppress(psutil.Error):
            full = process.memory_full_info()
            total += getattr(full, "pss", full.rss)
    return total


def main() -> int:
    table = Table()
    began_s = time.perf_counter()
    command = [str(Path(sys.executable).with_name("blackstart")), "run"]
    peak = 0
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as run:
        root = psutil.Process(run.pid)
        while run.poll() is None:
            with contextlib.suppress(psutil.Error):
                peak = max(peak, resident_bytes(root))
            time.sleep(0.5)
    if run.returncode:
        print(f"  the run ended with {run.returncode}")
    table.limit("blackstart run", time.perf_counter() - began_s, "s", at_most=150)
    table.limit("memory at peak", peak / 2**20, "MiB", at_most=1536)
    return table.missed + (run.returncode != 0)


if __name__ == "__main__":
    sys.exit(main())
