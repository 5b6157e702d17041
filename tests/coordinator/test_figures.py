"""From releases to figures: sums over slices and sites, exposures, and the pooled trend's variance."""

from __future__ import annotations

import numpy as np
import pytest

from coordinator.figures import SiteYear, complete_years, site_figures, trend_points
from coordinator.plans import read_plan
from coordinator.store.schema import Plan
from privacy.accountant import SIGMA_UNIT, sigma_1024
from protocols.periods import Grain, periods_of
from protocols.plan import HEADCOUNT_BY_ROLE
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import YEAR, World


def read(world: World, purpose: str) -> tuple[Plan, list[SiteYear]]:
    with world.store.reading() as reader:
        plan = reader.plan_by_id(f"{YEAR}-{purpose}")
        assert plan is not None
        return plan, complete_years(reader, plan)


def test_a_sites_figures_are_its_yearly_cells_with_the_stated_noise(finished: World) -> None:
    plan, years = read(finished, "benchmark")
    message = read_plan(plan)
    figures = site_figures(years[0], message)
    assert set(figures.tallies) == {request.tally for request in message.tallies}
    for request in message.tallies:
        tally = figures.tallies[request.tally]
        sent = next(t for t in years[0].slices[3].tables if t.tally == request.tally)
        assert tally.values.tolist() == list(sent.values)
        assert tally.values.dtype == np.int64
        sigma = sigma_1024(request.cap, request.tables[0].rho_nano) / SIGMA_UNIT
        assert tally.variance == pytest.approx(sigma**2)


def test_exposures_are_means_of_staff_and_sums_of_days(finished: World) -> None:
    _, years = read(finished, "benchmark")
    year, quarter, month = (periods_of(YEAR, grain)[0] for grain in (Grain.YEAR, Grain.QUARTER, Grain.MONTH))
    assert years[0].exposures(year) == {
        "headcount": 1100,
        "fte": 910,
        "staff_years": 910,
        "patient_days": 4 * 17800,
    }
    assert years[0].exposures(quarter)["patient_days"] == 17800
    assert years[0].exposures(quarter)["staff_years"] == pytest.approx(910 / 4)
    assert years[0].exposures(month)["fte"] == 900


def with_roles(release: pb.Release) -> pb.Release:
    made = pb.Release()
    made.CopyFrom(release)
    made.exposures.extend([pb.Exposure(name=name, months=[100, 110, 120]) for name in HEADCOUNT_BY_ROLE])
    return made


def test_headcounts_by_role_count_where_all_four_slices_declare_them(finished: World) -> None:
    found = read(finished, "benchmark")[1][0]
    whole = periods_of(YEAR, Grain.YEAR)[0]
    full = SiteYear(found.site, tuple(with_roles(release) for release in found.slices)).exposures(whole)
    assert full == found.exposures(whole) | dict.fromkeys(HEADCOUNT_BY_ROLE, 110.0)
    part = SiteYear(found.site, (with_roles(found.slices[0]), *found.slices[1:])).exposures(whole)
    assert part == found.exposures(whole)


def test_a_site_without_all_four_slices_is_left_out(world: World) -> None:
    world.open()
    delivery = world.take(world.sites[0])[0]
    answers = world.sites[0].exchange(delivery.payload, world.pso)
    world.pump(*world.sites[1:])
    assert [year.site.site_id for year in read(world, "benchmark")[1]] == [f"site-0{n}" for n in (2, 3, 4, 5)]
    world.deliver(delivery.delivery_id, answers)
    assert len(read(world, "benchmark")[1]) == 5


def test_three_slices_are_no_year(world: World) -> None:
    world.open()
    delivery = world.take(world.sites[0])[0]
    answers = pb.Batch.FromString(world.sites[0].exchange(delivery.payload, world.pso)).envelopes
    world.pump(*world.sites[1:])
    world.deliver(delivery.delivery_id, pb.Batch(envelopes=answers[:3]).SerializeToString())
    assert [year.site.site_id for year in read(world, "benchmark")[1]] == [f"site-0{n}" for n in (2, 3, 4, 5)]


def test_a_trend_pools_all_sites_and_draws_on_all_tables(finished: World) -> None:
    plan, years = read(finished, "trend")
    points = trend_points(years, read_plan(plan), "supported")
    assert [point.period for point in points] == [*periods_of(YEAR, Grain.MONTH), *periods_of(YEAR, Grain.QUARTER)]
    assert {point.n_sites for point in points} == {8}
    request = next(r for r in read_plan(plan).tallies if r.tally == "supported")
    alone = [8 * (sigma_1024(request.cap, table.rho_nano) / SIGMA_UNIT) ** 2 for table in request.tables]
    months, quarters = points[:12], points[12:]
    assert all(point.variance < alone[0] for point in months)
    assert all(point.variance < min(alone[1], 3 * alone[0]) for point in quarters)
    assert months[0].exposures["patient_days"] == 8 * 6000
    for index, quarter in enumerate(quarters):
        assert quarter.value == pytest.approx(sum(month.value for month in months[3 * index : 3 * index + 3]))


def test_a_trend_of_nobody_is_empty(world: World) -> None:
    world.open()
    plan, years = read(world, "trend")
    assert trend_points(years, read_plan(plan), "supported") == []
