"""Memory of a node: the daemon at rest, the daemon while a worker is ready, and that worker; in MiB, from smaps."""

from __future__ import annotations

import tempfile
from pathlib import Path

from tests.node.installed import children, install, kill


def mebibytes(pid: int, name: str) -> float:
    """A field of /proc/PID/smaps_rollup."""
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith(f"{name}:"):
            return int(line.split()[1]) / 1024
    raise ValueError(f"smaps_rollup has no {name}")


def main() -> None:
    """Print resident and proportional set sizes; a daemon at rest has no worker."""
    with tempfile.TemporaryDirectory() as folder:
        site = install(Path(folder))
        with site.daemon() as daemon:
            site.exchange(site.request())
            (worker,) = children(daemon.pid)
            for what, pid in (("worker after a release", worker), ("daemon beside it", daemon.pid)):
                print(f"{what}: RSS {mebibytes(pid, 'Rss'):.0f}, PSS {mebibytes(pid, 'Pss'):.0f} MiB")
            kill(worker)
            print(f"daemon at rest: RSS {mebibytes(daemon.pid, 'Rss'):.0f}, PSS {mebibytes(daemon.pid, 'Pss'):.0f} MiB")


if __name__ == "__main__":
    main()
