from __future__ import annotations

from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from privacy.strategy import Shape, TableSpec, slice_rows
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Tally
from protocols.periods import Grain
from protocols.plan import GRAINS, MAX_RHO_NANO, TOTAL, check_plan, labels, plan_rho_nano, slice_rho_nano
from protocols.refusals import Code, Refused
from protocols.v1 import leadline_pb2 as pb

CATALOGUE, DIGEST = current_catalogue()
TALLIES = st.sampled_from(CATALOGUE.tallies)


@st.composite
def tally_and_table(draw: st.DrawFn) -> tuple[Tally, pb.Table]:
    tally = draw(TALLIES)
    stratum = draw(st.sampled_from(["", *tally.strata]))
    return tally, pb.Table(grain=draw(st.sampled_from(list(GRAINS))), stratum=stratum, by_cell=draw(st.booleans()))


@given(tally_and_table())
def test_a_slice_s_labels_are_as_many_as_its_values(pair: tuple[Tally, pb.Table]) -> None:
    tally, table = pair
    spec = TableSpec(GRAINS[table.grain].months, bool(table.stratum), table.by_cell)
    shape = Shape(len(tally.strata[table.stratum]) if table.stratum else 1, len(tally.cell_names))
    whole = list(range(spec.rows(shape)))
    found = []
    for quarter in (1, 2, 3, 4):
        named = labels(tally, table, 2024, quarter)
        assert len(named) == len(whole[slice_rows(spec, shape, quarter)])
        assert all(label.period.quarter == quarter for label in named)
        found += named
    assert len(set(found)) == len(found) == len(whole)


@given(tally_and_table())
def test_labels_run_over_period_then_stratum_then_cell(pair: tuple[Tally, pb.Table]) -> None:
    tally, table = pair
    codes = list(tally.strata[table.stratum]) if table.stratum else [TOTAL]
    cells = list(tally.cell_names) if table.by_cell else [TOTAL]
    year = [label for quarter in (1, 2, 3, 4) for label in labels(tally, table, 2024, quarter)]
    places = [(x.period.first_month, codes.index(x.stratum_code), cells.index(x.cell)) for x in year]
    assert places == sorted(places)
    assert {label.period.year for label in year} == {2024}


def test_labels_of_one_slice_by_name() -> None:
    tally = CATALOGUE.tally("trigger_offers")
    named = labels(tally, pb.Table(grain=pb.GRAIN_MONTH, by_cell=True), 2024, 2)
    assert [(label.period.name, label.stratum_code, label.cell) for label in named] == [
        (f"2024-0{month}", "all", cell) for month in (4, 5, 6) for cell in ("yes", "no")
    ]
    assert labels(tally, pb.Table(grain=pb.GRAIN_YEAR), 2024, 3) == ()
    assert [label.period.grain for label in labels(tally, pb.Table(grain=pb.GRAIN_YEAR), 2024, 4)] == [Grain.YEAR]


def good_plan() -> pb.Plan:
    return pb.Plan(
        plan_id="p",
        catalogue_digest=DIGEST,
        year=2024,
        mode=pb.MODE_SITE,
        tallies=[
            pb.TallyRequest(
                tally="supported",
                cap=1,
                tables=[
                    pb.Table(grain=pb.GRAIN_MONTH, rho_nano=1),
                    pb.Table(grain=pb.GRAIN_QUARTER, stratum="role_group", rho_nano=20),
                    pb.Table(grain=pb.GRAIN_YEAR, by_cell=True, rho_nano=300),
                ],
            ),
            pb.TallyRequest(
                tally="actions_on_time", cap=3, tables=[pb.Table(grain=pb.GRAIN_YEAR, rho_nano=MAX_RHO_NANO)]
            ),
        ],
    )


def test_a_sound_plan_is_accepted() -> None:
    check_plan(good_plan(), CATALOGUE, DIGEST)
    pooled = good_plan()
    pooled.mode = pb.MODE_POOLED
    check_plan(pooled, CATALOGUE, DIGEST)


def spoil(change: Callable[[pb.Plan], object]) -> pb.Plan:
    plan = good_plan()
    change(plan)
    return plan


def set_table(**values: object) -> Callable[[pb.Plan], object]:
    def change(plan: pb.Plan) -> None:
        for name, value in values.items():
            setattr(plan.tallies[0].tables[1], name, value)

    return change


SPOILED: dict[str, tuple[Callable[[pb.Plan], object], str]] = {
    "no id": (lambda plan: plan.ClearField("plan_id"), "an id"),
    "no year": (lambda plan: plan.ClearField("year"), "a ledger year"),
    "a year long ago": (lambda plan: setattr(plan, "year", 1999), "a ledger year"),
    "a year far away": (lambda plan: setattr(plan, "year", 2201), "a ledger year"),
    "no tallies": (lambda plan: plan.ClearField("tallies"), "at least one tally"),
    "no mode": (lambda plan: plan.ClearField("mode"), "a mode"),
    "an unknown mode": (lambda plan: setattr(plan, "mode", 7), "a mode"),
    "a tally twice": (lambda plan: plan.tallies.append(plan.tallies[0]), "appears twice"),
    "an unknown tally": (lambda plan: setattr(plan.tallies[0], "tally", "salaries"), "no tally 'salaries'"),
    "a higher cap": (lambda plan: setattr(plan.tallies[0], "cap", 2), "cap is 1"),
    "a lower cap": (lambda plan: setattr(plan.tallies[1], "cap", 2), "cap is 3"),
    "no cap": (lambda plan: plan.tallies[0].ClearField("cap"), "cap is 1"),
    "no table": (lambda plan: plan.tallies[0].ClearField("tables"), "no table"),
    "a table twice": (lambda plan: plan.tallies[0].tables.append(plan.tallies[0].tables[0]), "table appears twice"),
    "a table twice at another price": (
        lambda plan: plan.tallies[0].tables.add(grain=pb.GRAIN_MONTH, rho_nano=999),
        "table appears twice",
    ),
    "no grain": (set_table(grain=0), "a grain"),
    "an unknown grain": (set_table(grain=9), "a grain"),
    "an unknown stratum": (set_table(stratum="shift"), "no stratum 'shift'"),
    "no rho": (set_table(rho_nano=0), "rho is out of range"),
    "too much rho": (set_table(rho_nano=MAX_RHO_NANO + 1), "rho is out of range"),
}


@pytest.mark.parametrize("name", SPOILED)
def test_a_plan_that_contradicts_itself_or_the_catalogue_is_refused(name: str) -> None:
    change, words = SPOILED[name]
    with pytest.raises(Refused, match=words) as caught:
        check_plan(spoil(change), CATALOGUE, DIGEST)
    assert caught.value.code is Code.BAD_PLAN


@pytest.mark.parametrize("digest", [b"", DIGEST[:-1], bytes(32)])
def test_a_plan_for_another_catalogue_is_refused_before_anything_else(digest: bytes) -> None:
    plan = pb.Plan(catalogue_digest=digest)
    with pytest.raises(Refused) as caught:
        check_plan(plan, CATALOGUE, DIGEST)
    assert caught.value.code is Code.UNKNOWN_CATALOGUE


def test_what_a_refusal_quotes_is_short() -> None:
    for change in (lambda plan: setattr(plan.tallies[0], "tally", "x" * 9999), set_table(stratum="y" * 9999)):
        with pytest.raises(Refused) as caught:
            check_plan(spoil(change), CATALOGUE, DIGEST)
        assert len(caught.value.detail) <= 120


def test_costs_of_the_year_and_of_its_slices() -> None:
    plan = good_plan()
    assert plan_rho_nano(plan, ["supported"]) == 321
    assert plan_rho_nano(plan, ["supported", "actions_on_time"]) == 321 + MAX_RHO_NANO
    assert plan_rho_nano(plan, []) == plan_rho_nano(plan, ["exposed"]) == 0
    assert [slice_rho_nano(plan, ["supported"], quarter) for quarter in (1, 2, 3, 4)] == [21, 21, 21, 321]
    assert [slice_rho_nano(plan, ["actions_on_time"], quarter) for quarter in (3, 4)] == [0, MAX_RHO_NANO]


@given(tally_and_table(), st.sampled_from([1, 2, 3, 4]))
def test_a_slice_costs_something_exactly_if_it_holds_values(pair: tuple[Tally, pb.Table], quarter: int) -> None:
    tally, table = pair
    table.rho_nano = 5
    plan = pb.Plan(tallies=[pb.TallyRequest(tally=tally.id, tables=[table])])
    assert slice_rho_nano(plan, [tally.id], quarter) == (5 if labels(tally, table, 2024, quarter) else 0)
