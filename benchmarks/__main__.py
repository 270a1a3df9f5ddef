"""``make bench``: all benchmarks, one after the other, each in a process of its own."""

from __future__ import annotations

import subprocess
import sys

BENCHMARKS = ("benchmarks.intake", "benchmarks.rating", "benchmarks.rerate", "benchmarks.directory")


def main() -> int:
    for name in BENCHMARKS:
        print(f"== python -m {name}", flush=True)
        code = subprocess.run([sys.executable, "-m", name], check=False).returncode
        if code:
            return code
    return 0


if __name__ == "__main__":
    sys.exit(main())
