"""What a slice costs: the year at the first reservation, the slice once more after a loss, in every scope."""

from __future__ import annotations

import pytest

from node.policy import charges, check_budget
from protocols.catalogue import current_catalogue
from protocols.refusals import Code, Refused
from tests.node.world import Pso

CATALOGUE = current_catalogue()[0]
TABLE = 10_000_000
PLAN = Pso().plan(("supported", "activations"), rho_nano=TABLE)


@pytest.mark.parametrize(
    ("quarter", "paid", "lost", "tables"),
    [(1, False, False, 3), (1, True, False, 0), (1, True, True, 2), (4, True, True, 3), (4, False, False, 3)],
)
def test_both_scopes_pay_alike(quarter: int, paid: bool, lost: bool, tables: int) -> None:
    """Month, quarter and year tables; the year's closes with the fourth quarter alone."""
    assert charges(PLAN, quarter, CATALOGUE, paid, lost) == {"clinician": tables * TABLE, "record": tables * TABLE}


def test_the_ceiling_may_be_reached_and_not_passed() -> None:
    spent, budget = {"clinician": 60, "record": 0}, {"clinician": 100, "record": 100}
    check_budget(2025, {"clinician": 40, "record": 100}, spent, budget)
    for wanted in ({"clinician": 41, "record": 0}, {"clinician": 0, "record": 101}):
        with pytest.raises(Refused) as refused:
            check_budget(2025, wanted, spent, budget)
        assert refused.value.code is Code.BUDGET_EXHAUSTED
