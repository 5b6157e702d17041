from __future__ import annotations

import ast
from pathlib import Path

import pytest

from protocols.refusals import EXPLANATIONS, Code, Refused

ROOT = Path(__file__).parents[2]
LIST = ROOT / "protocols" / "refusals.py"
# A remedy begins with what somebody does, or says that nothing is to be done.
ACTIONS = {
    *("Ask", "Check", "Compare", "Correct", "Give", "Install", "Leave", "Nothing", "Raise", "Upgrade"),
    *("The site's operator", "The PSO sends", "The first answer stands"),
}


def codes_in_use() -> dict[str, set[str]]:
    """Names of `Code.<NAME>` in the tree outside the list itself, with the top folders that use them."""
    used: dict[str, set[str]] = {}
    for package in ("node", "coordinator", "protocols"):
        for path in (ROOT / package).rglob("*.py"):
            tree = ast.parse(path.read_text(encoding="utf-8"))
            for node in ast.walk(tree) if path != LIST else ():
                if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "Code":
                    used.setdefault(node.attr, set()).add(package)
    return used


@pytest.mark.parametrize("code", Code)
def test_every_code_says_why_and_what_to_do(code: Code) -> None:
    explanation = EXPLANATIONS[code]
    assert explanation.why.endswith(".")
    assert explanation.remedy.endswith(".")
    assert explanation.remedy != explanation.why
    assert explanation.remedy.startswith(tuple(ACTIONS)), explanation.remedy


def test_the_list_explains_nothing_else_and_nothing_twice() -> None:
    assert set(EXPLANATIONS) == set(Code)
    assert len({explanation.why for explanation in EXPLANATIONS.values()}) == len(Code)
    assert all(code.value == code.name.lower() for code in Code)


def test_every_code_that_is_used_is_on_the_list() -> None:
    assert set(codes_in_use()) <= {code.name for code in Code}


def test_every_code_on_the_list_is_used() -> None:
    assert {code.name for code in Code} - set(codes_in_use()) == set()


def test_asking_again_helps_only_where_time_or_the_site_can_mend_it() -> None:
    retryable = {code for code, explanation in EXPLANATIONS.items() if explanation.retryable}
    by_time = {Code.PERIOD_OPEN, Code.PAUSED, Code.MEMBERSHIP_ENDED}
    assert retryable == by_time | {Code.UNKNOWN_CATALOGUE, Code.DATA_NOT_READY, Code.INTERNAL}


def test_a_refusal_carries_its_code_and_its_case() -> None:
    plain, detailed = Refused(Code.PAUSED), Refused(Code.BAD_PLAN, "a tally appears twice")
    assert str(plain) == f"paused: {EXPLANATIONS[Code.PAUSED].why}"
    assert str(detailed) == "bad_plan: a tally appears twice"
    assert (detailed.code, detailed.detail) == (Code.BAD_PLAN, "a tally appears twice")
    assert detailed.explanation is EXPLANATIONS[Code.BAD_PLAN]
