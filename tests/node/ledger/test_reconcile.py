"""A ledger restored from an old backup: what was spent stays spent, what was sealed stays sealed."""

from __future__ import annotations

from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.ledger.files import verify_file
from node.ledger.words import explain_reconciliation
from protocols.operator.errors import RuleError
from protocols.refusals import Code
from protocols.statement import open_statement, seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.node.ledger.story import POLICY, Story, plan_digest
from tests.node.world import NOW

FIRST, SECOND, EARLIER = 0, 1, 2
CEILING = POLICY.budget_nano()


@pytest.fixture
def story(tmp_path: Path) -> Story:
    return Story(tmp_path)


def _code(story: Story, plan: int, quarter: int) -> str:
    return open_statement(story.ask(plan, quarter), pb.Refusal, story.node._keys()).message.code


def test_lost_answers_come_back_byte_for_byte_at_what_they_cost(story: Story) -> None:
    sealed = {quarter: story.ask(FIRST, quarter) for quarter in (1, 2)}
    before = story.spent(2025)
    story.restore(0)
    assert story.spent(2025) == {"clinician": 0, "record": 0}
    assert _code(story, FIRST, 3) == Code.LEDGER_BEHIND
    found = story.reconcile()
    assert len(found.lost) == 2
    assert found.years_closed == ()
    assert story.spent(2025) == before
    assert {quarter: story.ask(FIRST, quarter) for quarter in (1, 2)} == sealed
    assert story.spent(2025) == before


def test_the_plan_whose_slices_were_lost_is_closed_and_others_are_answered(story: Story) -> None:
    story.ask(FIRST, 1)
    story.restore(0)
    story.reconcile()
    assert _code(story, FIRST, 2) == Code.PLAN_CLOSED
    assert story.node.ledger.is_closed(plan_digest(story.plans[FIRST]))
    assert not story.node.ledger.is_closed(plan_digest(story.plans[EARLIER]))
    open_statement(story.ask(EARLIER, 1), pb.Release, story.node._keys())


def test_the_ledger_goes_on_above_every_head_that_was_seen(story: Story) -> None:
    for quarter in (1, 2, 3):
        story.ask(FIRST, quarter)
    seen = story.head()
    story.restore(0)
    story.reconcile()
    assert story.node.ledger.knows(*seen)
    assert story.node.ledger.head().length == seen[0] + 1
    story.ask(EARLIER, 1)
    assert story.head()[0] > seen[0]
    assert verify_file(story.node.config.paths.ledger, story.node.key.public_key()).entries == 5


def test_a_plan_that_was_paid_for_before_the_backup_is_not_charged_again(story: Story) -> None:
    story.ask(FIRST, 1)
    story.back_up()
    before = story.spent(2025)
    story.ask(FIRST, 2)
    story.restore()
    story.reconcile()
    assert story.spent(2025) == before
    assert _code(story, FIRST, 3) == Code.PLAN_CLOSED


def test_lost_attempts_of_an_answered_slice_are_charged(story: Story) -> None:
    story.ask(FIRST, 1, fault="drawn")
    story.node.start()
    story.ask(FIRST, 1)
    before = story.spent(2025)
    assert before["clinician"] > 30_000_000, "the slice was charged twice"
    story.restore(0)
    assert story.reconcile().years_closed == ()
    assert story.spent(2025) == before


@pytest.mark.parametrize("fault", [None, "reserved", "drawn", "sealed"])
def test_a_slice_that_may_have_been_drawn_and_did_not_arrive_costs_the_year(fault: str | None, story: Story) -> None:
    story.ask(EARLIER, 1)
    story.ask(FIRST, 1, arrives=False, fault=fault)
    story.restore(0)
    found = story.reconcile()
    assert found.years_closed == (2025,)
    assert story.spent(2025) == CEILING
    assert _code(story, FIRST, 1) == Code.BUDGET_EXHAUSTED
    assert _code(story, EARLIER, 2) == Code.PLAN_CLOSED
    assert story.spent(2024) == {"clinician": 0, "record": 30_000_000}


def test_an_operator_who_restored_a_backup_need_not_wait_to_be_found_out(story: Story) -> None:
    """The only answer after the backup was lost on its way, so the PSO saw no newer head."""
    story.ask(FIRST, 1)
    story.back_up()
    story.ask(FIRST, 2, arrives=False)
    story.restore()
    assert story.node.ledger.knows(*story.head())
    story.reconcile()
    assert story.spent(2025) == CEILING
    assert _code(story, FIRST, 2) == Code.PLAN_CLOSED


def test_a_newer_statement_of_the_same_head_counts_for_what_it_adds(story: Story) -> None:
    story.ask(FIRST, 1)
    story.restore(0)
    story.reconcile()
    story.back_up()
    story.ask(SECOND, 1, arrives=False)
    story.restore()
    assert not story.reconcile().is_known
    assert story.spent(2025) == CEILING


def test_entries_that_no_release_explains_cost_the_years_concerned(story: Story) -> None:
    story.ask(FIRST, 1)
    story.restore(0)
    far = story.statement(known_length=20, known_head=bytes(range(32)))
    found = story.reconcile(far)
    assert found.years_closed == (2025, 2026)
    assert story.spent(2025) == story.spent(2026) == CEILING
    assert story.node.ledger.knows(20, bytes(range(32)))


def test_reconciling_again_changes_nothing(story: Story) -> None:
    story.ask(FIRST, 1)
    story.restore(0)
    statement = story.statement()
    story.reconcile(statement)
    head, spent = story.node.ledger.head(), story.spent(2025)
    assert story.reconcile(statement).is_known
    assert "nothing needs to be done" in explain_reconciliation(story.reconcile(statement))
    assert (story.node.ledger.head(), story.spent(2025)) == (head, spent)


def test_a_ledger_that_is_in_step_has_nothing_to_reconcile(story: Story) -> None:
    assert story.reconcile().is_known
    story.ask(FIRST, 1)
    assert story.reconcile().is_known
    assert story.node.ledger.head().length == 4


def _altered(envelope: bytes) -> bytes:
    return envelope[:-1] + bytes([envelope[-1] ^ 1])


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"site_id": "site-b"}, "about site-b"),
        ({"after_length": 2}, "begins after entry 2"),
        ({"plans": []}, "its plan is missing"),
        ({"plans": [b"no plan"]}, "cannot be read"),
        ({"releases": [b"no release"]}, "not this site's"),
    ],
)
def test_a_statement_that_does_not_fit_is_refused(changes: dict[str, object], reason: str, story: Story) -> None:
    story.ask(FIRST, 1)
    story.restore(0)
    with pytest.raises(RuleError, match=reason):
        story.reconcile(story.statement(**changes))
    assert story.node.ledger.head().length == 1


def test_tampered_and_foreign_releases_are_refused(story: Story, tmp_path: Path) -> None:
    own = story.ask(FIRST, 1)
    other = Story(tmp_path / "other")
    foreign = other.ask(FIRST, 1)
    story.restore(0)
    for envelope in (_altered(own), foreign):
        with pytest.raises(RuleError, match="not this site's"):
            story.reconcile(story.statement(releases=[envelope]))


def test_two_answers_to_one_slice_are_refused(story: Story) -> None:
    """They can only come from a ledger that went back unnoticed, or from a PSO that plays false."""
    story.ask(FIRST, 1)
    story.restore(0)
    story.received.clear()
    second = story.ask(FIRST, 1)
    first_again = pb.Release()
    first_again.CopyFrom(story.received[second])
    first_again.sealed_at_s += 1
    forged = seal_statement(first_again, story.node.key)
    with pytest.raises(RuleError, match="another than the one known"):
        story.reconcile(story.statement(releases=[forged], known_length=30, known_head=bytes(32)))


def test_an_older_statement_than_the_last_is_refused(story: Story) -> None:
    story.ask(FIRST, 1)
    old = story.statement(made_at_s=NOW - 1)
    story.ask(FIRST, 2)
    story.restore(0)
    story.reconcile()
    with pytest.raises(RuleError, match="older than the one"):
        story.reconcile(old)


def test_another_plan_under_a_lost_plans_id_is_refused(story: Story) -> None:
    story.ask(FIRST, 1)
    story.restore(0)
    story.reconcile()
    story.plans[FIRST].minimum_honest_sites += 1
    assert _code(story, FIRST, 2) == Code.PLAN_CONFLICT


def test_the_operator_reads_what_is_lost_and_what_it_costs(story: Story) -> None:
    story.ask(FIRST, 1)
    story.ask(EARLIER, 1, arrives=False)
    story.restore(0)
    words = explain_reconciliation(story.reconcile())
    for part in ("2025-Q1 of plan first", "clinician rho 0.030000", "2024 is charged up to your ceiling", "is closed"):
        assert part in words


ASK = st.tuples(
    st.just("ask"),
    st.integers(0, 2),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([None, None, "reserved", "drawn"]),
)
ACT = st.one_of(ASK, ASK, st.tuples(st.just("back up")), st.tuples(st.just("restore"), st.integers(0, 9)))


@settings(max_examples=40, deadline=None)
@given(st.lists(ACT, max_size=10))
def test_whatever_is_restored_no_more_is_spent_than_the_ledger_says(acts: list[tuple[object, ...]]) -> None:
    """Any history of questions, lost answers, faults, backups and restores, each reconciled before the next act."""
    with TemporaryDirectory() as folder:
        story = Story(Path(folder))
        for name, *details in acts:
            if name == "ask":
                plan, quarter, arrives, fault = details
                story.ask(int(str(plan)), int(str(quarter)), bool(arrives), str(fault) if fault else None)
                story.node.start()
            elif name == "back up":
                story.back_up()
            else:
                story.restore(int(str(details[0])) % len(story.backups))
                story.reconcile()
            for (year, scope), spent in story.really_spent.items():
                assert spent <= story.spent(year)[scope]
                assert spent <= CEILING[scope], "the ceiling holds over all ledgers"
        slices = [(release.plan_digest, release.quarter) for release in story.received.values()]
        assert len(set(slices)) == len(slices), "no slice was answered twice"
        verify_file(story.node.config.paths.ledger, story.node.key.public_key())
        story.node.ledger.close()
