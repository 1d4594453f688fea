"""`make bench`: every `*_bench.py` beside this file, one after the other, each a table and an exit code.

Benches run alone and in sequence: two cores are the budget, and a ratio holds only when both sides of it
were measured side by side in one run.
"""

import os
import platform
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).parent


def machine() -> str:
    """What the figures were measured on."""
    model = next(
        (line.split(":", 1)[1].strip() for line in _cpu_lines() if line.startswith("model name")), platform.machine()
    )
    return f"{os.cpu_count()} cores, {model}, Python {platform.python_version()}, {platform.system()}"


def _cpu_lines() -> list[str]:
    path = Path("/proc/cpuinfo")
    return path.read_text().splitlines() if path.exists() else []


def main(names: list[str]) -> int:
    """Run the benches named (all of them for none); returns how many missed a limit."""
    benches = [path for path in sorted(HERE.glob("*_bench.py")) if not names or path.stem in names]
    print(f"machine: {machine()}", flush=True)
    missed = []
    for bench in benches:
        print(f"\n{bench.stem}", flush=True)
        if subprocess.run([sys.executable, bench], check=False, timeout=900).returncode:
            missed.append(bench.stem)
    print("\nmissed: " + ", ".join(missed) if missed else "\nevery limit was met", flush=True)
    return len(missed)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
