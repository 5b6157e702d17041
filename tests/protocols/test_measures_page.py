from __future__ import annotations

from pathlib import Path

import pytest

from protocols.catalogue import current_catalogue
from protocols.catalogue.page import render
from protocols.catalogue.words import cell_words, entry_words, formula_words, unit_words

PAGE = Path(__file__).parents[2] / "docs" / "measures.md"
CATALOGUE, DIGEST = current_catalogue()


def test_the_committed_page_is_what_the_catalogue_says() -> None:
    hint = "run: make docs"
    assert PAGE.read_text(encoding="utf-8") == render(CATALOGUE, DIGEST), hint


def test_every_measure_and_tally_is_on_the_page() -> None:
    page = render(CATALOGUE, DIGEST)
    for measure in CATALOGUE.measures:
        assert f"### {measure.id} {measure.title}" in page
        assert measure.literature in page
    for tally in CATALOGUE.tallies:
        assert f"\n| `{tally.id}` | {tally.title} |" in page


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("A2", "10,000 × “Events with severe harm or death” ÷ patient-days"),
        ("B2", "100 × “Yes” ÷ all cells of “Trigger events, by whether an offer of support is documented”"),
        ("C2", "100 × “Clinicians supported at tier 2 or 3” ÷ (19 % of average headcount; band 14 % to 35 %)"),
        (
            "D1",
            "the time by which 50 % of the cases were over, from the life table of “Hours from event to first "
            "support contact”",
        ),
        (
            "F2",
            "100 × the share of cases over within 30 days, from the life table of “Days from event to "
            "self-reported recovery”",
        ),
        (
            "H2",
            "100 × (“Strong” + “Intermediate”) ÷ all cells of “Completed root cause analyses, by their strongest "
            "action”",
        ),
        ("J1", "mean over sites of average headcount"),
    ],
)
def test_formulas_are_told_in_words(measure: str, words: str) -> None:
    assert formula_words(CATALOGUE, CATALOGUE.measure(measure)) == words


@pytest.mark.parametrize(
    ("tally", "cell", "words"),
    [
        ("episode_tier", "2", "Tier 2"),
        ("activations", "eap_occupational_health", "EAP or occupational health"),
        ("contact_time", "4-12", "4 to 12 hours"),
        ("contact_time", "beyond", "Later than 720 hours, or never"),
        ("recovery", "open 7-14", "7 to 14 days (still open at the last contact)"),
    ],
)
def test_cells_are_told_in_words(tally: str, cell: str, words: str) -> None:
    assert cell_words(CATALOGUE.tally(tally), cell) == words


def test_units_and_entries_are_told_in_words() -> None:
    assert unit_words(CATALOGUE.tally("supported")) == "one clinician, counted at most once a year"
    assert unit_words(CATALOGUE.tally("actions_on_time")) == "one event, counted at most 3 times a year"
    assert entry_words(CATALOGUE.tally("trigger_offers")) == "in the month of `recorded_date`, 30 days later"
    assert "720 hours after `event_datetime` have passed" in entry_words(CATALOGUE.tally("contact_time"))
