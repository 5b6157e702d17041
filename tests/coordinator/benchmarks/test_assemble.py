from __future__ import annotations

from datetime import date
from importlib.resources import files

import numpy as np
import pytest

from coordinator.benchmarks.assemble import benchmark_rows, trend_rows
from coordinator.benchmarks.model import SiteFigures, SiteTally, TrendPoint
from coordinator.benchmarks.selection import CORE, selected
from protocols.catalogue.model import Catalogue
from protocols.periods import Grain, Period, periods_of
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow, Status

CATALOGUE = Catalogue.model_validate_json(files("protocols.catalogue").joinpath("v1.json").read_text(encoding="utf-8"))
YEAR = Period(2024, 1, Grain.YEAR)
TODAY = date(2025, 6, 1)
RULES = GateRules()
BANDS = ("50-99", "200-299", "500+")


def _site(number: int, expected: float, sigma: float, seed: int = 0) -> SiteFigures:
    generator = np.random.default_rng([seed, number])
    tallies = {}
    for tally in CATALOGUE.tallies:
        cells = len(tally.cell_names)
        counts = generator.poisson(expected, cells) + np.rint(sigma * generator.standard_normal(cells)).astype(np.int64)
        tallies[tally.id] = SiteTally(counts, sigma**2)
    ems = number % 6 == 5
    attributes = {"type": "ems_agency" if ems else "acute_general", "bed_band": BANDS[number % 3]}
    exposures = {"headcount": 2_000.0, "fte": 1_700.0, "staff_years": 1_700.0, "patient_days": 0.0 if ems else 50_000.0}
    return SiteFigures(f"site-{number:02d}", attributes, tallies, exposures)


def _network(sites: int, expected: float = 12.0, sigma: float = 4.0) -> list[SiteFigures]:
    return [_site(number, expected, sigma) for number in range(sites)]


def _rows(figures: list[SiteFigures], rules: GateRules = RULES, today: date = TODAY) -> list[BenchmarkRow]:
    return benchmark_rows(CATALOGUE, selected(CATALOGUE, [CORE]), YEAR, figures, today, rules)


def _one(rows: list[BenchmarkRow], measure: str, group: str = "all", stratum: str = "all") -> BenchmarkRow:
    (row,) = [r for r in rows if (r.measure, r.peer_group, r.stratum) == (measure, group, stratum)]
    return row


def test_every_measure_has_a_row_in_every_group_and_histograms_one_per_cell() -> None:
    rows = _rows(_network(24))
    measures = {row.measure for row in rows}
    assert measures == {measure.id for measure in selected(CATALOGUE, [CORE])}
    assert {row.stratum for row in rows if row.measure == "E1"} == {"1", "2", "3"}
    assert len({(row.measure, row.peer_group, row.stratum) for row in rows}) == len(rows)


def test_published_numbers_are_ordered_and_inside_their_range() -> None:
    for row in _rows(_network(24)):
        if row.status is not Status.OK:
            continue
        assert row.value is not None
        assert row.lower is not None
        assert row.upper is not None
        assert 0 <= row.lower <= row.value <= row.upper
        assert row.unit != "%" or row.measure == "C2" or row.upper <= 100
        assert [p.value for p in row.percentiles] == sorted(p.value for p in row.percentiles)
        assert row.spread is None or row.spread.lower <= row.spread.tau <= row.spread.upper


def test_sites_without_patient_days_do_not_count_into_rates_per_patient_day() -> None:
    figures = _network(24)
    row = _one(_rows(figures), "A2")
    hospitals = [site for site in figures if site.exposures["patient_days"]]
    events = sum(int(site.tallies["serious_events"].values[0]) for site in hospitals)
    assert row.n_sites == 20
    assert row.value == pytest.approx(10_000 * events / (20 * 50_000), rel=1e-5)
    assert row.noise_sd == pytest.approx(10_000 * 4 * np.sqrt(20) / (20 * 50_000), rel=1e-5)


def test_a_site_that_withholds_a_tally_contributes_to_the_other_measures() -> None:
    figures = _network(24)
    kept = {name: tally for name, tally in figures[0].tallies.items() if name != "responses"}
    figures[0] = SiteFigures(figures[0].site_id, figures[0].attributes, kept, figures[0].exposures)
    rows = _rows(figures)
    assert (_one(rows, "G2").n_sites, _one(rows, "H2").n_sites) == (23, 24)


def test_a_tally_that_nobody_released_was_not_run() -> None:
    figures = [SiteFigures(f"s{i}", {}, {}, {"headcount": 100.0, "staff_years": 90.0}) for i in range(9)]
    rows = _rows(figures)
    assert _one(rows, "G2").status is Status.NOT_RUN
    assert _one(rows, "J1").status is Status.OK
    assert {row.status for row in _rows([])} == {Status.NOT_RUN}


def test_rows_that_the_gate_holds_back_carry_nothing() -> None:
    for figures, today, status in [
        (_network(24), date(2025, 3, 1), Status.TOO_RECENT),
        (_network(4), TODAY, Status.TOO_FEW_SITES),
    ]:
        row = _one(_rows(figures, today=today), "C1")
        assert row.status is status
        assert (row.value, row.lower, row.upper, row.noise_sd, row.spread, row.percentiles) == (None,) * 5 + ((),)


def test_a_group_that_the_larger_ones_would_lay_open_is_held_back() -> None:
    figures = [site for site in _network(30) if site.attributes["type"] == "acute_general"]
    loner = _site(35, 12.0, 4.0)
    rows = _rows([*figures, loner])
    assert _one(rows, "C1").status is Status.OK
    assert _one(rows, "C1", "ems").status is Status.TOO_FEW_SITES
    statuses = [_one(rows, "C1", f"beds-{size}").status for size in ("under-100", "100-299", "300-plus")]
    assert statuses.count(Status.DIFFERENCING) == 1


@pytest.mark.parametrize("sigma", [0.0, 4.0])
def test_a_year_without_events_is_no_failure(sigma: float) -> None:
    rows = _rows(_network(24, expected=0.0, sigma=sigma))
    rate, share, median = _one(rows, "B1"), _one(rows, "B2"), _one(rows, "F1")
    assert rate.lower == 0
    assert rate.upper is not None
    assert 0 < rate.upper < 4
    assert share.status is median.status is Status.TOO_FEW_EXPECTED
    assert all(row.value == 0 for row in rows if row.measure in {"A4", "C1"} and sigma == 0 and row.status is Status.OK)


def test_percentiles_follow_the_number_of_sites_that_stand_out_of_their_noise() -> None:
    assert [p.level for p in _one(_rows(_network(24)), "C1").percentiles] == [10, 25, 50, 75, 90]
    assert [p.level for p in _one(_rows(_network(9)), "C1").percentiles] == [25, 50, 75]
    assert _one(_rows(_network(7)), "C1").percentiles == ()
    drowned = _one(_rows(_network(24, expected=4.0, sigma=8.0)), "B2")
    assert drowned.n_sites == 24
    assert drowned.percentiles == ()


def test_rows_do_not_depend_on_the_order_of_sites() -> None:
    figures = _network(24)
    assert _rows(figures) == _rows(figures[::-1])


def _points(sites: int) -> list[TrendPoint]:
    exposures = {"staff_years": 1_700.0 * sites / 4, "patient_days": 12_500.0 * sites}
    return [TrendPoint(period, 300.0, 64.0, exposures, sites) for period in periods_of(2024, Grain.QUARTER)]


def test_a_trend_has_a_row_per_point_for_rates_of_the_whole_tally() -> None:
    figures = _network(24)
    rows = trend_rows(CATALOGUE, "activations", _points(24), figures, TODAY, RULES)
    assert [(row.measure, row.period_start.month) for row in rows] == [("B1", 1), ("B1", 4), ("B1", 7), ("B1", 10)]
    assert rows[0].value == pytest.approx(1_000 * 300 / (1_700 * 6), rel=1e-5)
    assert rows[0].noise_sd == pytest.approx(1_000 * 8 / (1_700 * 6), rel=1e-5)
    assert trend_rows(CATALOGUE, "trigger_offers", _points(24), figures, TODAY, RULES) == []


def test_trends_pass_the_same_gate() -> None:
    few = trend_rows(CATALOGUE, "activations", _points(4), _network(4), TODAY, RULES)
    assert {row.status for row in few} == {Status.TOO_FEW_SITES}
    early = trend_rows(CATALOGUE, "activations", _points(24), _network(24), date(2024, 12, 1), RULES)
    assert [row.status for row in early] == [Status.OK, Status.OK, Status.TOO_RECENT, Status.TOO_RECENT]
    figures = _network(6)
    giant = SiteFigures("giant", {}, figures[0].tallies, {"staff_years": 99_000.0})
    swamped = trend_rows(CATALOGUE, "activations", _points(7), [*figures, giant], TODAY, RULES)
    assert {row.status for row in swamped} == {Status.DOMINATED}


def test_measures_over_one_tally_have_the_same_contributors() -> None:
    """C1 is out of staff-years, C2 out of headcount: a site that declares one alone is in neither."""
    odd = _site(8, 12.0, 4.0)
    odd = SiteFigures(odd.site_id, odd.attributes, odd.tallies, {**odd.exposures, "fte": 0.0, "staff_years": 0.0})
    rows = _rows([*_network(8), odd])
    assert _one(rows, "C1").n_sites == _one(rows, "C2").n_sites == 8
    assert _one(rows, "B1").n_sites == _one(rows, "B3", stratum="self").n_sites == 8
