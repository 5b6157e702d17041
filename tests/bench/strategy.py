"""Expected error of trends, exact: the plan's tables beside noise per month; `python -m tests.bench.strategy`."""

from __future__ import annotations

import numpy as np

from privacy.strategy import MONTHS, Shape, TableSpec, expected_variances, optimal_split, split_budget, table_matrix

RHO_NANO = 24_355_970  # epsilon 1
SHAPE = Shape(strata=1, cells=1)
GRAINS = {"month": 1, "quarter": 3, "year": MONTHS}
SPECS = [TableSpec(months, by_stratum=False, by_cell=False) for months in GRAINS.values()]


def errors(specs: list[TableSpec], budgets: tuple[int, ...]) -> dict[str, float]:
    """Noise SD of a month, a quarter and the year."""
    found = {}
    for name, spec in zip(GRAINS, SPECS, strict=True):
        variances = expected_variances(specs, budgets, SHAPE, 1, table_matrix(spec, SHAPE))
        found[name] = float(np.sqrt(variances.mean()))
    return found


def main() -> None:
    """Print the table."""
    weighted = [table_matrix(spec, SHAPE) / np.sqrt(spec.rows(SHAPE)) for spec in SPECS]
    shares = optimal_split(SPECS, SHAPE, np.vstack(weighted))
    sides = {
        "noise per month": errors(SPECS[:1], (RHO_NANO,)),
        "month, quarter, year": errors(SPECS, split_budget(RHO_NANO, shares)),
    }
    print(f"shares of the budget: {', '.join(f'{share:.3f}' for share in shares)}")
    for name, found in sides.items():
        rms = float(np.sqrt(np.mean(np.square(list(found.values())))))
        print(f"{name:<22}" + "".join(f"{grain} {sd:6.2f}   " for grain, sd in found.items()) + f"rms {rms:6.2f}")


if __name__ == "__main__":
    main()
