"""Every benchmark, in the order of cost; run as `make bench`, or `make bench ARGS=strategy` for one of them."""

from __future__ import annotations

import sys

from tests.bench import memory, release, statistics, strategy

BENCHMARKS = {"strategy": strategy.main, "release": release.main, "memory": memory.main, "statistics": statistics.main}


def main() -> None:
    """Run what was asked for, or all."""
    chosen = sys.argv[1:] or list(BENCHMARKS)
    del sys.argv[1:]
    for name in chosen:
        print(f"== {name}")
        BENCHMARKS[name]()


if __name__ == "__main__":
    main()
