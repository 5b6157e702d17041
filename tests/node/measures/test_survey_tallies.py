from __future__ import annotations

import pytest

from node.measures.surveys import DIMENSIONS
from node.measures.views import build_views
from node.tables.schema import SURVEY_ITEMS
from tests.node.measures.canonical import Row, tables
from tests.node.measures.counted import CATALOGUE, counted, split


def respondents(wave: str, *answers: Row) -> list[Row]:
    return [{"wave_key": wave, "respondent_key": f"{wave}-{n}"} | answer for n, answer in enumerate(answers)]


KNOWS, KNOWS_NOT, SILENT = {"aware": True}, {"aware": False}, {"aware": None}


def test_answers_enter_in_december_of_the_year_in_which_their_wave_closed() -> None:
    site = {"survey_wave": [{"wave_key": "w"}], "survey_response": respondents("w", KNOWS, KNOWS, KNOWS_NOT, SILENT)}
    assert counted("awareness", **site) == {(12, "yes"): 2, (12, "no"): 1}
    assert counted("awareness", 2023, **site) == counted("awareness", 2025, **site) == {}


def test_only_the_first_wave_of_a_year_counts() -> None:
    waves = [
        {"wave_key": "spring", "closed": "2024-03-31"},
        {"wave_key": "autumn", "closed": "2024-10-31"},
        {"wave_key": "next", "closed": "2025-03-31"},
    ]
    answers = [*respondents("spring", KNOWS), *respondents("autumn", KNOWS, KNOWS), *respondents("next", KNOWS_NOT)]
    for order in (waves, waves[::-1]):
        assert counted("awareness", survey_wave=order, survey_response=answers) == {(12, "yes"): 1}
    assert counted("awareness", 2025, survey_wave=waves, survey_response=answers) == {(12, "no"): 1}


def test_a_wave_counts_as_first_among_those_that_ask_the_question() -> None:
    waves = [
        {"wave_key": "culture", "closed": "2024-02-01", "instrument": "sops_2"},
        {"wave_key": "own", "closed": "2024-04-01", "instrument": "site"},
        {"wave_key": "svest", "closed": "2024-09-01", "instrument": "svest_r"},
    ]
    agree = dict.fromkeys(SURVEY_ITEMS, "5") | {"sv_12m": True}
    answers = [
        *respondents("culture", agree),
        *respondents("own", {"sv_12m": True}, {"sv_12m": False}),
        *respondents("svest", agree, agree, agree),
    ]
    site = {"survey_wave": waves, "survey_response": answers}
    # SOPS asks neither question; the site's own survey closed before the SVEST-R, which alone has the 35 items.
    assert counted("second_victims", **site) == {(12, "yes"): 1, (12, "no"): 1}
    assert counted("svest_resilience", **site) == {(12, "yes"): 3}


def test_whose_answers_are_in_a_wave_does_not_decide_which_wave_counts() -> None:
    """Else one person's answer would decide over the answers of everybody else, and no cap would bound that."""
    waves = [{"wave_key": "w1", "closed": "2024-03-01"}, {"wave_key": "w2", "closed": "2024-06-01"}]
    later = respondents("w2", KNOWS, KNOWS)
    assert counted("awareness", survey_wave=waves, survey_response=later) == {}
    assert counted("awareness", survey_wave=waves, survey_response=[*respondents("w1", SILENT), *later]) == {}


def test_all_answers_of_a_year_are_in_one_slice_even_when_waves_are_edited() -> None:
    """A wave that is taken out of the export after a quarter was answered leaves no second chance for the next one."""
    answers = [*respondents("w1", KNOWS), *respondents("w2", KNOWS)]
    for closed in ("2024-03-01", "2024-06-30", "2024-12-31"):
        site = {"survey_wave": [{"wave_key": "w2", "closed": closed}], "survey_response": answers}
        assert {month for month, _ in counted("awareness", **site)} == {12}


def test_the_key_deals_out_all_35_items_once() -> None:
    items = [item for dimension in DIMENSIONS.values() for item in dimension]
    assert sorted(items) == list(range(1, 36))
    assert {f"svest_{name}" for name in DIMENSIONS} == {t.id for t in CATALOGUE.tallies if t.id.startswith("svest_")}


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        (("4", "4", "4"), {(12, "yes"): 1}),
        (("5", "5", "2"), {(12, "yes"): 1}),  # a mean of 4
        (("5", "4", "2"), {(12, "no"): 1}),
        (("5", "4", None), {(12, "yes"): 1}),  # the mean of what was answered
        (("1", None, "5"), {(12, "no"): 1}),
        (("5", None, None), {}),  # fewer than half were answered
        ((None, None, None), {}),
    ],
)
def test_agreement_is_a_mean_of_at_least_four(
    scores: tuple[str | None, ...], expected: dict[tuple[int, str], int]
) -> None:
    names = [SURVEY_ITEMS[item - 1] for item in DIMENSIONS["colleague_support"]]
    assert len(names) == len(scores)
    answers = respondents("w", dict(zip(names, scores, strict=True)))
    site = {"survey_wave": [{"wave_key": "w"}], "survey_response": answers}
    assert counted("svest_colleague_support", **site) == expected
    assert counted("svest_absenteeism", **site) == {}


def test_answers_are_split_by_role_and_those_of_no_wave_are_lost() -> None:
    answers = respondents("w", KNOWS | {"role_group": "physician"}, KNOWS, KNOWS | {"wave_key": "no such wave"})
    site = {"survey_wave": [{"wave_key": "w"}], "survey_response": answers}
    assert split("awareness", "role_group", **site) == {"physician": 1, "unknown": 1}


def test_respondents_of_two_waves_with_one_number_are_two_rows() -> None:
    waves = [{"wave_key": "w1"}, {"wave_key": "w2", "closed": "2025-03-01"}]
    answers = [{"wave_key": key, "respondent_key": "1"} | KNOWS for key in ("w1", "w2")]
    view = build_views(tables(survey_wave=waves, survey_response=answers))["answers"]
    assert view["row_key"].tolist() == ["w1|1", "w2|1"]
