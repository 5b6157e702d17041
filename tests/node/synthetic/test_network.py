"""What the synthetic network promises: repeatable, independent of its size, whole, and balanced enough for the gate."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from node.synthetic.frames import KNOWN
from node.synthetic.network import SyntheticSite, synthesize
from node.synthetic.sites import draw_plan
from node.tables.schema import TABLES
from tests.node.synthetic.conftest import RECORDED


def _same(first: SyntheticSite, second: SyntheticSite) -> bool:
    tables = all(first.tables[name].equals(second.tables[name]) for name in RECORDED)
    return tables and first.profile == second.profile and first.distress.equals(second.distress)


def test_the_same_seed_gives_the_same_network_and_another_seed_does_not(network: tuple[SyntheticSite, ...]) -> None:
    again = synthesize(8, 11, 2023, 1)
    other = synthesize(1, 12, 2023, 1)
    assert all(_same(first, second) for first, second in zip(network, again, strict=True))
    assert not _same(network[0], other[0])


def test_a_site_does_not_depend_on_how_many_sites_there_are(network: tuple[SyntheticSite, ...]) -> None:
    small = synthesize(3, 11, 2023, 1)
    assert all(_same(alone, among) for alone, among in zip(small, network[:3], strict=True))


def test_tables_are_canonical_with_one_row_per_identity(network: tuple[SyntheticSite, ...]) -> None:
    for site in network:
        assert set(site.tables) == set(RECORDED)
        for name, table in ((name, TABLES[name]) for name in RECORDED):
            frame = site.tables[name]
            required = [column.name for column in table.columns if column.required]
            assert [column for column in frame if not str(column).endswith(KNOWN)] == [c.name for c in table.columns]
            assert len(frame) > 0
            assert not frame[required].isna().any().any(), (site.site_id, name)
            assert not frame.duplicated(list(table.identity)).any(), (site.site_id, name)


def test_codes_are_those_of_the_schema(network: tuple[SyntheticSite, ...]) -> None:
    for site in network:
        for name, table in ((name, TABLES[name]) for name in RECORDED):
            for column in table.columns:
                if column.kind == "code":
                    assert set(site.tables[name][column.name].dropna()) <= set(column.codes), (name, column.name)


def test_nothing_is_recorded_after_the_data_end_but_plans(network: tuple[SyntheticSite, ...]) -> None:
    end = pd.Timestamp("2024-01-01")
    for site in network:
        for name, table in ((name, TABLES[name]) for name in RECORDED):
            dates = [c.name for c in table.columns if c.kind in ("date", "datetime", "month") and c.name != "due_date"]
            for column in dates:
                assert not site.tables[name][column].ge(end).any(), (name, column)


def test_references_between_tables_resolve(network: tuple[SyntheticSite, ...]) -> None:
    for site in network:
        tables = site.tables
        events = set(tables["safety_event"]["event_key"])
        for name in ("event_involvement", "jc_review", "rca", "support_activation"):
            assert set(tables[name]["event_key"].dropna()) <= events, name
        assert set(tables["rca_action"]["rca_key"]) <= set(tables["rca"]["rca_key"])
        activations = set(tables["support_activation"]["activation_key"])
        assert set(tables["support_encounter"]["activation_key"]) <= activations


def test_the_warm_up_year_comes_first(network: tuple[SyntheticSite, ...]) -> None:
    months = network[0].tables["staffing_period"]["period"]
    assert months.min() == pd.Timestamp("2022-01-01")
    assert months.nunique() == 24


@pytest.mark.parametrize("n_sites", [6, 8])
def test_no_site_of_a_small_network_holds_a_quarter_of_an_exposure(n_sites: int) -> None:
    for seed in range(200):
        rngs = [np.random.default_rng([seed, position]) for position in range(n_sites)]
        plans = [draw_plan(position, rng) for position, rng in enumerate(rngs)]
        for sizes in ([plan.headcount for plan in plans], [plan.beds * plan.occupancy for plan in plans]):
            assert max(sizes) / sum(sizes) < 0.24


def test_the_first_sites_have_the_three_special_shapes(network: tuple[SyntheticSite, ...]) -> None:
    assert [site.shape for site in network] == ["incident_system", "redcap", "spreadsheet"] + ["views"] * 5
    assert {site.profile["type"] for site in network} == {"acute_general"}


def test_three_of_24_sites_count_calls_instead_of_patient_days() -> None:
    network = synthesize(24, 5, 2023, 1)
    ambulances = [site for site in network if site.profile["type"] == "ems_agency"]
    assert len(ambulances) == 3
    for site in ambulances:
        assert site.tables["activity_period"]["patient_days"].eq(0).all()
        assert site.tables["activity_period"]["calls_dispatched"].gt(0).all()


def test_a_network_without_sites_or_years_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one site and one year"):
        synthesize(0, 1, 2023, 1)
    with pytest.raises(ValueError, match="at least one site and one year"):
        synthesize(3, 1, 2023, 0)
