"""The cost of privacy at a node, beside the same counts without it; run as `python -m tests.bench.release [rows]`.

Both sides start from the same view in memory and end with the yearly cells of one tally. Medians of interleaved runs.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Callable

import numpy as np
import pandas as pd

from node.measures.cases import cases
from node.measures.counting import Contributions, admit_cases, count_slice
from privacy.mechanisms import noisy_counts
from protocols.catalogue import current_catalogue
from protocols.v1 import leadline_pb2 as pb

RUNS = 5


def view_of(rows: int) -> pd.DataFrame:
    """Encounters of a network: one in five rows is a person's second or later one."""
    generator = np.random.default_rng(1)
    return pd.DataFrame(
        {
            "person_key": generator.integers(0, rows * 4 // 5, rows).astype(str).astype(object),
            "row_key": np.arange(rows).astype(str).astype(object),
            "tier": generator.choice(["1", "2", "3"], rows).astype(object),
            "role_group": generator.choice(["nurse_midwife", "physician"], rows).astype(object),
            "recorded_date": pd.Timestamp("2025-01-01") + pd.to_timedelta(generator.integers(0, 365, rows), unit="D"),
        }
    )


def with_privacy(view: pd.DataFrame) -> None:
    """Admit under the cap, count, add noise."""
    tally = current_catalogue()[0].tally("supported")
    table = pb.Table(grain=pb.GRAIN_MONTH, by_cell=True, rho_nano=10_000_000)
    counted = admit_cases(tally, cases(tally, view), Contributions.none(tally), 2025, range(1, 13))
    for quarter in (1, 2, 3, 4):
        noisy_counts(count_slice(tally, table, counted, quarter), tally.cap, table.rho_nano)


def without_privacy(view: pd.DataFrame) -> None:
    """Distinct people per month in pandas: what an analyst would write."""
    kept = view[view["tier"].isin(["2", "3"])]
    kept.groupby(kept["recorded_date"].dt.month)["person_key"].nunique()


def main() -> None:
    """Print seconds and the ratio."""
    rows = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    view = view_of(rows)
    times: dict[Callable[[pd.DataFrame], None], list[float]] = {with_privacy: [], without_privacy: []}
    for _ in range(RUNS):
        for side, spent in times.items():
            start = time.perf_counter()
            side(view)
            spent.append(time.perf_counter() - start)
    ours, plain = (statistics.median(times[side]) for side in (with_privacy, without_privacy))
    print(f"{rows} rows: with privacy {ours:.3f} s, distinct count in pandas {plain:.3f} s, ratio {ours / plain:.1f}")


if __name__ == "__main__":
    main()
