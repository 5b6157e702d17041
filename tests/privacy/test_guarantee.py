from __future__ import annotations

from privacy.accountant import epsilon_for_rho
from privacy.guarantee import sentences

RHO = 185_069_840  # epsilon 3


def test_what_is_promised_is_said_with_its_numbers() -> None:
    said = sentences(RHO, 88_152_688)
    assert len(said) == 5
    assert "discrete Gaussian noise" in said[0]
    assert said[1].endswith("epsilon 3.00 at delta one in a million (rho 0.1851, zero-concentrated DP).")
    assert "without them" in said[1]
    assert said[2].endswith(
        "for each record and ledger year. What the people in it contributed is covered by their own budgets."
    )
    assert "(rho 0.0882, zero-concentrated DP)" in said[2]
    assert "epsilon 2.00" in said[2]


def test_the_joint_statement_adds_c_squared_times_the_record_s_budget() -> None:
    joint = sentences(24_355_970, 24_355_970, linked_records=(0, 1, 2, 3))[3]
    # c = 0, 1, 2, 3: rho 0.0244 times 1, 2, 5 and 10
    assert joint.endswith("0: epsilon 1.00; 1: epsilon 1.46; 2: epsilon 2.39; 3: epsilon 3.50.")
    assert epsilon_for_rho(5 * 24_355_970) <= 2.39 < epsilon_for_rho(5 * 24_355_970) + 0.01


def test_a_scope_that_was_not_used_is_not_mentioned() -> None:
    only_clinicians, only_records = sentences(RHO, 0), sentences(0, RHO)
    assert any("clinician's own rows" in text for text in only_clinicians)
    assert not any("shared record (" in text or "Both together" in text for text in only_clinicians)
    assert any("shared record (" in text for text in only_records)
    assert not any("own rows" in text or "Both together" in text for text in only_records)
    assert len(sentences(0, 0)) == 2


def test_what_is_not_promised_is_always_said() -> None:
    for spent in ((RHO, RHO), (RHO, 0), (0, RHO), (0, 0)):
        assert sentences(*spent)[-1].startswith("Not promised:")
        assert "two hospitals" in sentences(*spent)[-1]


def test_a_small_budget_is_never_shown_as_none() -> None:
    text = sentences(1_000, 0)[1]
    assert "epsilon 0.01 " in text
    assert "rho 0.0001," in text
