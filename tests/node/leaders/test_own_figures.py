"""Own exact figures against the synthetic world's truth, which is computed by other code from other tables."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from node.leaders.coverage import Coverage
from node.leaders.figures import OwnFigures
from node.release.site import SiteData
from node.synthetic.exports import write_exports
from node.synthetic.network import SyntheticSite, synthesize
from node.synthetic.truth import truth_table
from node.tables.importer import import_exports
from node.tables.keys import KeyHasher
from node.tables.mapping import load_mapping
from protocols.catalogue import current_catalogue
from protocols.periods import Grain, Period

CATALOGUE, _ = current_catalogue()
YEAR = Period(2024, 1, Grain.YEAR)
# Quantiles are read off bins, and H3 counts at most three actions per event; C2's truth is what no site can know.
BINNED = {"D1": 0.3, "F1": 0.3}
CAPPED = {"H3": 6.0}
UNKNOWABLE = {"C2"}


@pytest.fixture(scope="module")
def site() -> SyntheticSite:
    return max(synthesize(4, 5, 2023, 2), key=lambda site: len(site.tables["support_encounter"]))


@pytest.fixture(scope="module")
def truth(site: SyntheticSite) -> pd.DataFrame:
    return truth_table([site], [2023, 2024])


@pytest.fixture(scope="module")
def own(site: SyntheticSite, tmp_path_factory: pytest.TempPathFactory) -> OwnFigures:
    folder: Path = tmp_path_factory.mktemp("exports")
    write_exports(site, folder)
    mapping = load_mapping(folder / "mapping.toml")
    imported = import_exports(folder, mapping, KeyHasher(b"a secret of this test, 32 bytes or more"), date(2026, 6, 1))
    exported = frozenset(source.table for source in mapping.sources)
    return OwnFigures(CATALOGUE, SiteData.of(imported.tables, exported), person_keys=True)


@pytest.mark.parametrize("measure", [m.id for m in CATALOGUE.measures if m.core and m.id not in UNKNOWABLE])
def test_an_own_figure_is_the_truth_but_for_bins_and_damaged_rows(
    own: OwnFigures, truth: pd.DataFrame, measure: str
) -> None:
    wanted = truth[(truth.measure == measure) & (truth.period_start == YEAR.start) & (truth.period_end == YEAR.end)]
    values = dict(zip(wanted.stratum, wanted.value, strict=True))
    found = {item.stratum: item.value for item in own.of(CATALOGUE.measure(measure), YEAR)}
    assert found.keys() == values.keys()
    for stratum, value in values.items():
        shown = found[stratum]
        assert shown is not None
        tolerance = BINNED[measure] * value if measure in BINNED else max(0.04 * value, 1.5, CAPPED.get(measure, 0))
        assert shown == pytest.approx(value, abs=tolerance), stratum


def _without(site: SiteData, table: str, column: str, after: str) -> SiteData:
    """The site as it would be had this table been exported up to a day only."""
    frame = site.tables[table]
    return SiteData.of({**site.tables, table: frame[frame[column] <= pd.Timestamp(after)]}, site.exported)


def test_half_a_year_makes_no_rate_and_nothing_to_compare(own: OwnFigures) -> None:
    half = OwnFigures(CATALOGUE, _without(own.site, "staffing_period", "period", "2024-06-01"), person_keys=True)
    (rate,) = half.of(CATALOGUE.measure("C1"), YEAR)
    (share,) = half.of(CATALOGUE.measure("D2"), YEAR)
    assert (rate.value, rate.covered) == (None, Coverage.PART)
    assert share.value is not None
    assert share.covered is Coverage.PART
    (before,) = half.of(CATALOGUE.measure("C1"), Period(2023, 1, Grain.YEAR))
    assert before.covered is Coverage.WHOLE


def test_a_year_without_a_row_in_a_table_behind_a_measure_has_no_figure(own: OwnFigures) -> None:
    cut = _without(own.site, "support_activation", "activation_datetime", "2023-12-31")
    (offers,) = OwnFigures(CATALOGUE, cut, person_keys=True).of(CATALOGUE.measure("B2"), YEAR)
    assert (offers.value, offers.covered) == (None, Coverage.NOTHING)


def test_a_measure_that_pools_three_years_waits_for_the_third(own: OwnFigures) -> None:
    (early,) = own.of(CATALOGUE.measure("F3"), Period(2023, 1, Grain.YEAR))
    assert early.covered is not Coverage.WHOLE
    (own_row,) = own.of(CATALOGUE.measure("F3"), YEAR)
    assert own_row.cases > early.cases
