"""A request becomes a release or a refusal: what it holds, what it costs, what it never does twice."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from node.config import Policy
from node.release.site import DataNotReady, SiteData
from privacy.accountant import sigma_1024
from protocols.catalogue import current_catalogue
from protocols.plan import HEADCOUNT_BY_ROLE, labels
from protocols.refusals import EXPLANATIONS, Code
from protocols.statement import seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.node.world import Node, Pso, SettableClock, supported_site

QUARTERS = (1, 2, 3, 4)
GENEROUS = Policy(clinician_epsilon=Decimal(20), record_epsilon=Decimal(20))


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    return Node(tmp_path / "node", pso, supported_site(36))


def test_a_release_holds_exactly_the_tables_of_its_quarter(node: Node, pso: Pso) -> None:
    plan = pso.plan(("supported", "contact_time"))
    catalogue, _ = current_catalogue()
    for quarter in QUARTERS:
        release = node.release(pso.request(plan, quarter)).message
        found = {(table.tally, table.table): len(table.values) for table in release.tables}
        wanted = {
            (request.tally, position): len(labels(catalogue.tally(request.tally), table, plan.year, quarter))
            for request in plan.tallies
            for position, table in enumerate(request.tables)
        }
        assert found == {key: length for key, length in wanted.items() if length}
        assert {table.sigma_1024 for table in release.tables} == {sigma_1024(1, 10_000_000)}


def test_counts_are_right_but_for_the_noise(tmp_path: Path, pso: Pso) -> None:
    node = Node(tmp_path / "n", pso, supported_site(36), GENEROUS)
    plan = pso.plan(rho_nano=1_000_000_000)
    months: list[int] = []
    for quarter in QUARTERS:
        release = node.release(pso.request(plan, quarter)).message
        months += list(release.tables[0].values)
    sigma = sigma_1024(1, 1_000_000_000) / 1024
    assert np.abs(np.array(months) - 3).max() <= 8 * sigma
    assert abs(release.tables[2].values[0] - 36) <= 8 * sigma


def test_exposures_are_public_facts_rounded_to_ten(node: Node, pso: Pso) -> None:
    release = node.release(pso.request(pso.plan(), 1)).message
    exposures = {exposure.name: list(exposure.months) for exposure in release.exposures}
    by_role = dict.fromkeys(HEADCOUNT_BY_ROLE, [0] * 3) | {"headcount_nurse_midwife": [2000] * 3}
    assert exposures == {"headcount": [2000] * 3, "fte": [1720] * 3, "patient_days": [5000] * 3} | by_role
    assert list(exposures) == sorted(exposures)


def test_the_year_is_charged_once_and_a_retry_costs_nothing(node: Node, pso: Pso) -> None:
    plan = pso.plan()
    first = node.answerer.answer(pso.request(plan, 1))
    assert node.ledger.spent(2025) == {"clinician": 30_000_000, "record": 0}
    assert node.answerer.answer(pso.request(plan, 1, request_id="another")) == first
    for quarter in QUARTERS:
        node.answerer.answer(pso.request(plan, quarter))
    assert node.ledger.spent(2025) == {"clinician": 30_000_000, "record": 0}
    assert node.answerer.answer(pso.request(plan, 1)) == first


def test_the_head_in_a_release_is_in_the_ledger(node: Node, pso: Pso) -> None:
    release = node.release(pso.request(pso.plan(), 1)).message
    assert node.ledger.hash_at(release.ledger_length) == release.ledger_head


def test_scopes_are_charged_apart(node: Node, pso: Pso) -> None:
    node.release(pso.request(pso.plan(("supported", "activations", "episode_path")), 1))
    assert node.ledger.spent(2025) == {"clinician": 60_000_000, "record": 30_000_000}


def test_beyond_the_budget_nothing_is_charged_and_the_refusal_says_what_is_left(node: Node, pso: Pso) -> None:
    node.release(pso.request(pso.plan(rho_nano=60_000_000), 1))
    refusal = node.refusal(pso.request(pso.plan(rho_nano=60_000_000, plan_id="plan-2"), 1))
    assert refusal.code == Code.BUDGET_EXHAUSTED
    assert "2025" in refusal.detail
    assert "clinician" in refusal.detail
    assert "2026" in refusal.detail
    assert node.ledger.spent(2025)["clinician"] == 180_000_000
    assert node.kind(pso.request(pso.plan(rho_nano=60_000_000, plan_id="plan-3", year=2024), 1)) == "release"


def test_an_edited_export_never_lifts_a_person_above_the_cap(tmp_path: Path, pso: Pso) -> None:
    """Between slices the export is rewritten so that one clinician appears again and again."""
    node = Node(tmp_path / "n", pso, supported_site(12), GENEROUS)
    plan = pso.plan(rho_nano=1_000_000_000)
    node.release(pso.request(plan, 1))
    tables = dict(supported_site(12).tables)
    encounters = tables["support_encounter"].copy()
    encounters["person_key"] = "p0"  # p0 was admitted in January
    encounters["encounter_key"] = [f"new{i}" for i in range(len(encounters))]
    node.site = SiteData.of(tables | {"support_encounter": encounters})
    for quarter in (2, 3, 4):
        release = node.release(pso.request(plan, quarter)).message
    sigma = sigma_1024(1, 1_000_000_000) / 1024
    assert abs(release.tables[2].values[0] - 3) <= 8 * sigma, "the year holds what the first quarter admitted, no more"


def test_a_year_without_events_is_answered_with_noise_around_zero(tmp_path: Path, pso: Pso) -> None:
    node = Node(tmp_path / "n", pso, supported_site(0))
    tallies = tuple(tally.id for tally in current_catalogue()[0].tallies)
    for quarter in QUARTERS:
        release = node.release(pso.request(pso.plan(tallies, rho_nano=1_000_000), quarter)).message
    values = np.concatenate([np.array(table.values) for table in release.tables])
    assert (values < 0).any(), "signed values: a negative count is not clipped"


def test_without_person_keys_the_release_says_that_it_protects_encounters(tmp_path: Path, pso: Pso) -> None:
    node = Node(tmp_path / "n", pso, supported_site(12), person_keys=False)
    release = node.release(pso.request(pso.plan(("supported", "activations")), 1)).message
    assert {unit.tally: unit.unit for unit in release.units} == {"supported": "encounter", "activations": "record"}


def _altered(raw: bytes) -> bytes:
    return raw[:-1] + bytes([raw[-1] ^ 1])


REFUSED: dict[str, tuple[Code, dict[str, object]]] = {
    "a year that has not ended": (Code.PERIOD_OPEN, {"year": 2026}),
    "another catalogue": (Code.UNKNOWN_CATALOGUE, {"catalogue_digest": bytes(32)}),
    "a mode that the site does not allow": (Code.MODE_NOT_ALLOWED, {"mode": pb.MODE_POOLED}),
    "too few honest sites": (Code.TOO_FEW_HONEST_SITES, {"minimum_honest_sites": 1}),
    "no plan id": (Code.BAD_PLAN, {"plan_id": ""}),
    "more than the budget": (Code.BUDGET_EXHAUSTED, {"rho_nano": 100_000_000}),
}


@pytest.mark.parametrize("case", REFUSED)
def test_a_plan_outside_the_rules_is_refused_with_its_reason(case: str, node: Node, pso: Pso) -> None:
    code, changes = REFUSED[case]
    refusal = node.refusal(pso.request(pso.plan(**changes), 3))
    assert refusal.code == code
    assert refusal.quarter == 3
    assert node.ledger.spent(2025) == {"clinician": 0, "record": 0}
    assert EXPLANATIONS[Code(refusal.code)].remedy


def test_tallies_outside_the_policy_are_left_out_and_not_charged(tmp_path: Path, pso: Pso) -> None:
    node = Node(tmp_path / "n", pso, supported_site(3), Policy(measures=("C1", "C2")))
    release = node.release(pso.request(pso.plan(("activations", "supported")), 1)).message
    assert {table.tally for table in release.tables} == {unit.tally for unit in release.units} == {"supported"}
    assert node.ledger.spent(2025) == {"clinician": 30_000_000, "record": 0}
    assert node.refusal(pso.request(pso.plan(("activations",), plan_id="p2"), 1)).code == Code.TALLY_NOT_ALLOWED


def test_what_is_published_pooled_only_is_kept_from_a_plan_of_single_sites(node: Node, pso: Pso) -> None:
    release = node.release(pso.request(pso.plan(("reinforced_care", "supported")), 1)).message
    assert {table.tally for table in release.tables} == {"supported"}
    alone = pso.plan(("reinforced_care", "trajectories"), plan_id="p2")
    assert node.refusal(pso.request(alone, 1)).code == Code.TALLY_NOT_ALLOWED
    assert node.ledger.spent(2025) == {"clinician": 30_000_000, "record": 0}


def test_what_is_not_exported_is_not_answered_as_nobody(tmp_path: Path, pso: Pso) -> None:
    site = SiteData.of(supported_site(3).tables, frozenset({"support_activation"}))
    node = Node(tmp_path / "n", pso, site)
    release = node.release(pso.request(pso.plan(("activations", "supported", "trigger_offers")), 1)).message
    assert {unit.tally for unit in release.units} == {"activations"}


def test_a_tally_that_becomes_possible_later_in_the_year_waits_for_the_next_plan(tmp_path: Path, pso: Pso) -> None:
    """Otherwise its later slices would never have been paid for."""
    tables = supported_site(3).tables
    node = Node(tmp_path / "n", pso, SiteData.of(tables, frozenset({"support_activation"})))
    plan = pso.plan(("activations", "supported"))
    node.release(pso.request(plan, 1))
    node.site = SiteData.of(tables)
    assert {unit.tally for unit in node.release(pso.request(plan, 2)).message.units} == {"activations"}
    assert node.ledger.spent(2025) == {"clinician": 0, "record": 30_000_000}


def test_a_stratum_outside_the_policy_is_refused(tmp_path: Path, pso: Pso) -> None:
    plan = pso.plan(grains=(pb.GRAIN_YEAR,))
    plan.tallies[0].tables[0].stratum = "role_group"
    closed = Node(tmp_path / "closed", pso, supported_site(3))
    assert closed.refusal(pso.request(plan, 4)).code == Code.STRATUM_NOT_ALLOWED
    opened = Node(tmp_path / "open", pso, supported_site(3), Policy(strata=("role_group",)))
    release = opened.release(pso.request(plan, 4)).message
    assert len(release.tables[0].values) == 7


def test_another_plan_under_the_same_id_is_refused(node: Node, pso: Pso) -> None:
    node.release(pso.request(pso.plan(), 1))
    assert node.refusal(pso.request(pso.plan(rho_nano=1_000_000), 1)).code == Code.PLAN_CONFLICT


def test_a_strangers_plan_is_refused(node: Node) -> None:
    stranger = Pso()
    assert node.refusal(stranger.request(stranger.plan(), 1)).code == Code.UNKNOWN_KEY


def test_a_strangers_plan_in_a_true_request_is_refused(node: Node, pso: Pso) -> None:
    stolen = seal_statement(pso.plan(), Ed25519PrivateKey.generate())
    request = pb.Request(request_id="r", site_id="site-a", plan=stolen, quarter=1)
    assert node.refusal(seal_statement(request, pso.key)).code == Code.UNKNOWN_KEY


def test_an_altered_request_is_refused(node: Node, pso: Pso) -> None:
    assert node.refusal(_altered(pso.request(pso.plan(), 1))).code == Code.BAD_SIGNATURE


def test_a_request_for_another_site_is_refused(node: Node, pso: Pso) -> None:
    assert node.refusal(pso.request(pso.plan(), 1, site_id="site-b")).code == Code.WRONG_SITE


@pytest.mark.parametrize("raw", [b"", b"\x00", b"{}", b"\xff" * 100])
def test_rubbish_is_refused_with_a_signed_answer(raw: bytes, node: Node) -> None:
    assert node.refusal(raw).code in {Code.MALFORMED, Code.NOT_CANONICAL, Code.WRONG_KIND}


def test_a_paused_site_answers_nothing_not_even_again(node: Node, pso: Pso) -> None:
    raw = pso.request(pso.plan(), 1)
    first = node.answerer.answer(raw)
    node.config.pause_file.touch()
    assert node.refusal(raw).code == Code.PAUSED
    node.config.pause_file.unlink()
    assert node.answerer.answer(raw) == first


def test_a_node_behind_what_the_coordinator_saw_refuses(tmp_path: Path, pso: Pso) -> None:
    """A restored backup: the coordinator knows an entry that this ledger does not have."""
    node = Node(tmp_path / "old", pso, supported_site(3))
    request = pso.request(pso.plan(), 1, known_head=bytes(range(32)), known_length=9)
    assert node.refusal(request).code == Code.LEDGER_BEHIND
    own_head = node.ledger.head()
    known = {"known_head": own_head.hash, "known_length": own_head.length}
    assert node.refusal(pso.request(pso.plan(), 1, **known)).code == Code.LEDGER_BEHIND, "it stays behind"


def test_exports_that_cannot_be_read_are_refused_without_a_charge_or_a_word_about_them(
    tmp_path: Path, pso: Pso
) -> None:
    node = Node(tmp_path / "n", pso, supported_site(3))

    def unreadable() -> SiteData:
        raise DataNotReady("incidents.csv has 17 bad rows")

    node.answerer._load_site = unreadable
    refusal = node.refusal(pso.request(pso.plan(), 1))
    assert (refusal.code, refusal.detail) == (Code.DATA_NOT_READY, "")
    assert node.ledger.spent(2025)["clinician"] == 0


def test_a_fault_inside_says_nothing_about_the_data(tmp_path: Path, pso: Pso, caplog: pytest.LogCaptureFixture) -> None:
    site = supported_site(3)
    broken = replace(site, views=dict(site.views) | {"encounters": pd.DataFrame({"secret-person": [1]})})
    node = Node(tmp_path / "n", pso, broken)
    refusal = node.refusal(pso.request(pso.plan(), 1))
    assert (refusal.code, refusal.detail) == (Code.INTERNAL, "")
    assert "secret" not in caplog.text


def test_the_quarter_opens_on_the_day_after_its_last(tmp_path: Path, pso: Pso) -> None:
    last_second = SettableClock(int(pd.Timestamp("2026-03-31 23:59:59", tz="UTC").timestamp()))
    node = Node(tmp_path / "n", pso, supported_site(3), clock=last_second)
    request = pso.request(pso.plan(year=2026), 1)
    assert node.refusal(request).code == Code.PERIOD_OPEN
    last_second.now += 1
    assert node.kind(request) == "release"


def test_a_fault_that_stays_is_charged_once_and_not_at_every_retry(tmp_path: Path, pso: Pso) -> None:
    def fault(step: str) -> None:
        if step == "drawn":
            raise OSError("no space left on device")

    node = Node(tmp_path / "n", pso, supported_site(3), on_step=fault)
    for _ in range(5):
        assert node.refusal(pso.request(pso.plan(), 1)).code == Code.INTERNAL
    assert node.ledger.spent(2025)["clinician"] == 30_000_000


def test_the_noise_of_a_tally_follows_its_cap(node: Node, pso: Pso) -> None:
    release = node.release(pso.request(pso.plan(("actions_on_time",), rho_nano=10_000_000), 1)).message
    assert {table.sigma_1024 for table in release.tables} == {sigma_1024(3, 10_000_000)}


def test_the_sites_own_minimum_of_honest_sites_counts(tmp_path: Path, pso: Pso) -> None:
    node = Node(tmp_path / "n", pso, supported_site(3), Policy(minimum_honest_sites=6))
    assert node.refusal(pso.request(pso.plan(), 1)).code == Code.TOO_FEW_HONEST_SITES


def test_a_fork_of_equal_length_is_behind(node: Node, pso: Pso) -> None:
    node.release(pso.request(pso.plan(), 1))
    forked = pso.request(pso.plan(), 2, known_head=bytes(32), known_length=node.ledger.head().length)
    assert node.refusal(forked).code == Code.LEDGER_BEHIND


def test_an_impossible_headcount_is_a_fault_before_anything_is_charged(tmp_path: Path, pso: Pso) -> None:
    site = supported_site(12)
    staffing = site.tables["staffing_period"]
    broken = {**site.tables, "staffing_period": staffing.assign(headcount=float("inf"))}
    node = Node(tmp_path / "node", pso, SiteData.of(broken))
    refusal = node.refusal(pso.request(pso.plan(), 1))
    assert refusal.code == Code.INTERNAL
    assert node.ledger.spent(2025) == {"clinician": 0, "record": 0}
