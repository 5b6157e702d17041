"""A ledger restored from an old backup: what was spent stays spent, what was sealed stays sealed."""

from __future__ import annotations

from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.ledger.files import verify_file
from node.ledger.words import explain_reconciliation
from node.receipts import receipts
from protocols.operator.errors import RuleError
from protocols.refusals import Code
from protocols.statement import open_statement, parse_envelope, seal_statement
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
    assert story.node.ledger.head().length == seen[0] + 3, "after sealing and sending, which this machine has seen"
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


def test_an_old_file_on_an_old_ledger_draws_nothing(story: Story) -> None:
    """A request names the head of its day, which the old ledger knows; this machine has seen more."""
    first = story.ask(FIRST, 1)
    for backup in range(len(story.backups)):
        story.restore(backup)
        assert open_statement(story.ask_again(0), pb.Refusal, story.node._keys()).message.code == Code.LEDGER_BEHIND
        assert story.node.ledger.head().length == 1
    story.reconcile()
    assert story.ask_again(0) == first


def test_what_only_this_machine_has_seen_is_explained_by_what_the_pso_waits_for(story: Story) -> None:
    story.ask(FIRST, 1, arrives=False)
    seen = story.node.ledger.head()
    story.restore(0)
    assert story.node.ledger.forgotten() == seen.length
    found = story.reconcile()
    assert found.years_closed == (2025,)
    assert story.node.ledger.forgotten() == 0
    assert story.node.ledger.knows(seen.length, seen.hash)
    assert _code(story, FIRST, 1) == Code.BUDGET_EXHAUSTED


def test_a_gap_that_nothing_explains_costs_the_years_concerned(story: Story) -> None:
    story.ask(FIRST, 1, arrives=False)
    story.restore(0)
    story.unsure.clear()
    assert story.reconcile().years_closed == (2025, 2026)


def test_a_slice_drawn_twice_keeps_what_the_pso_has_and_costs_the_year(story: Story) -> None:
    """Ledger and journal were restored together, and an old file was carried in: both have grown."""
    first = story.ask(FIRST, 1)
    story.restore(0)
    story.lose_the_journal()
    story.node.clock.now += 1
    second = story.ask_again(0)
    assert second != first
    assert _code(story, FIRST, 1) == Code.LEDGER_BEHIND, "the PSO names the head that it has seen"
    with pytest.raises(RuleError, match="grown apart"):
        story.reconcile(story.statement(after_length=1))
    found = story.reconcile()
    assert [item.is_second for item in found.lost] == [True]
    assert "drew it a second time" in explain_reconciliation(found)
    assert story.ask(FIRST, 1) == story.ask_again(0) == first
    assert _code(story, FIRST, 2) == Code.PLAN_CLOSED
    assert story.spent(2025) == CEILING
    assert story.reconcile().is_known
    assert [receipt.digest for receipt in receipts(story.node.ledger)] == [
        sha256(e).hexdigest() for e in (first, second)
    ]
    verify_file(story.node.config.paths.ledger, story.node.key.public_key())


def test_two_answers_of_the_pso_s_to_one_slice_are_refused(story: Story) -> None:
    first = story.ask(FIRST, 1)
    other = pb.Release()
    other.CopyFrom(story.received[first])
    other.sealed_at_s += 1
    story.restore(0)
    with pytest.raises(RuleError, match="second one of the same slice"):
        story.reconcile(story.statement(releases=[first, seal_statement(other, story.node.key)]))


def test_a_statement_that_was_taken_in_says_nothing_of_what_was_lost_since(story: Story) -> None:
    story.ask(FIRST, 1)
    story.restore(0)
    statement = story.statement()
    story.reconcile(statement)
    story.back_up()
    story.ask(EARLIER, 1)
    story.restore()
    with pytest.raises(RuleError, match="lost since"):
        story.reconcile(statement)
    assert not story.reconcile().is_known


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


HISTORY = st.lists(
    st.one_of(
        ASK,
        ASK,
        st.tuples(st.just("ask again"), st.integers(0, 9)),
        st.tuples(st.just("back up")),
        st.tuples(st.just("restore"), st.integers(0, 9)),
        st.tuples(st.just("reconcile")),
        st.tuples(st.just("lose the journal")),
    ),
    max_size=12,
)


def _act(story: Story, name: str, details: list[object]) -> bytes:
    """One act of a history; the answer that left, if any did."""
    match name, details:
        case "ask", [plan, quarter, arrives, fault]:
            raw = story.ask(int(str(plan)), int(str(quarter)), bool(arrives), str(fault) if fault else None)
            story.node.start()
            return raw
        case "ask again", [number] if story.requests:
            return story.ask_again(int(str(number)) % len(story.requests))
        case "back up", _:
            story.back_up()
        case "restore", [number]:
            story.restore(int(str(number)) % len(story.backups))
        case "reconcile", _:
            story.reconcile()
    return b""


@settings(max_examples=60, deadline=None)
@given(HISTORY)
def test_with_its_journal_no_slice_ever_leaves_in_two_versions(history: list[tuple[object, ...]]) -> None:
    """Any history of requests, old files, faults, backups and restores, reconciled or not: nothing leaves twice."""
    with TemporaryDirectory() as folder:
        story = Story(Path(folder))
        left: dict[tuple[bytes, int], bytes] = {}
        for name, *details in history:
            raw = _act(story, str(name), details)
            if raw and parse_envelope(raw).kind == "release":
                release = open_statement(raw, pb.Release, story.node._keys()).message
                assert left.setdefault((release.plan_digest, release.quarter), raw) == raw
        story.node.ledger.close()


@settings(max_examples=40, deadline=None)
@given(HISTORY)
def test_without_its_journal_the_way_back_is_always_open(history: list[tuple[object, ...]]) -> None:
    """However the two have grown apart: one statement settles it, and the PSO's answers are the ones that count."""
    with TemporaryDirectory() as folder:
        story = Story(Path(folder))
        for name, *details in history:
            if name == "lose the journal":
                story.lose_the_journal()
            _act(story, str(name), details)
        story.reconcile()
        assert story.node.ledger.forgotten() == 0
        for raw, release in story.received.items():
            assert story.node.ledger.sealed(release.plan_digest, release.quarter) == raw
        for (year, scope), spent in story.really_spent.items():
            assert spent <= story.spent(year)[scope] or story.spent(year)[scope] == CEILING[scope]
        verify_file(story.node.config.paths.ledger, story.node.key.public_key())
        story.node.ledger.close()
