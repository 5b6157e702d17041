from __future__ import annotations

from pathlib import Path

import pytest

from protocols.catalogue import current_catalogue
from protocols.catalogue.page import render
from protocols.catalogue.words import cell_words, entry_words, formula_words, publish_words, unit_words

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
        (
            "A6",
            "1,000 × (15.5 × “1 to 30 days” + 60.5 × “31 to 90 days” + 135.5 × “91 to 180 days” + 273.5 × “181 to 366 "
            "days”) of “Clinicians inside an open episode, by how many days of the year” ÷ (average headcount × days "
            "of the period)",
        ),
        (
            "C3",
            "“Clinicians supported at tier 2 or 3” ÷ headcount of each role group, over the same of all role groups "
            "together",
        ),
        (
            "E1",
            "100 × each group of cells ÷ all groups of “Support episodes, by their path through the tiers”: “Tier 1” "
            "is “Local”; “Tier 2” is “Peer”; “Tier 3” is “Peer, then professional” + “Professional only” + “EAP only”",
        ),
        (
            "F3",
            "100 × the share of cases not over within 365 days, from the life table of “Days from event to "
            "self-reported recovery”",
        ),
        (
            "H6",
            "1,000 × “Yes” ÷ all cells of “Shifts, by whether there were more patients than the nurses could safely "
            "care for”",
        ),
        (
            "I1",
            "for each of “Psychological distress”, “Physical distress”, “Colleague support”, “Supervisor support”, "
            "“Institutional support”, “Professional self-efficacy”, “Resilience”, “Turnover intentions”, "
            "“Absenteeism”: 100 × “Yes” ÷ all cells of its tally",
        ),
    ],
)
def test_formulas_are_told_in_words(measure: str, words: str) -> None:
    assert formula_words(CATALOGUE, CATALOGUE.measure(measure)) == words


@pytest.mark.parametrize(
    ("tally", "cell", "words"),
    [
        ("episode_path", "peer_then_professional", "Peer, then professional"),
        ("open_days", "31-90", "31 to 90 days"),
        ("activations", "eap_occupational_health", "EAP or occupational health"),
        ("contact_time", "4-12", "4 to 12 hours"),
        ("contact_time", "beyond", "Later than 720 hours, or never"),
        ("recovery", "open 7-14", "7 to 14 days (still open at the last contact)"),
    ],
)
def test_cells_are_told_in_words(tally: str, cell: str, words: str) -> None:
    assert cell_words(CATALOGUE.tally(tally), cell) == words


@pytest.mark.parametrize(
    ("measure", "words"),
    [
        ("C1", "site or pooled; may be split by role group"),
        ("A2", "site or pooled; never split"),
        ("E5", "pooled only, from 10 sites; never split"),
        ("F3", "site or pooled, over 3 years; never split"),
        ("F4", "pooled only; may be split by role group"),
        ("G3", "site or pooled, from 10 sites; never split"),
        ("H6", "site or pooled; may be split by type of unit, shift"),
    ],
)
def test_how_figures_may_be_published_is_told_in_words(measure: str, words: str) -> None:
    assert publish_words(CATALOGUE.measure(measure).publish) == words
    page = render(CATALOGUE, DIGEST)
    of_measure = page.partition(f"### {measure} ")[2].partition("###")[0]
    on_request = "" if CATALOGUE.measure(measure).core else "; asked for on request"
    assert f"- **Published:** {words}{on_request}\n" in of_measure


def test_units_and_entries_are_told_in_words() -> None:
    assert unit_words(CATALOGUE.tally("supported")) == "one clinician, counted at most once a year"
    assert unit_words(CATALOGUE.tally("actions_on_time")) == "one event, counted at most 3 times a year"
    assert entry_words(CATALOGUE.tally("trigger_offers")) == "in the month of `recorded_date`, 30 days later"
    assert "720 hours after `event_datetime` have passed" in entry_words(CATALOGUE.tally("contact_time"))
