"""The view over survey answers, and the key of the SVEST-R.

Respondents have a new random key in every wave, so that nobody can follow a person from wave to wave; a cap per key
alone would count a clinician once in every wave. Two rules make it once in a year. Of each question, only the wave
counts that closed first in a calendar year among the waves of an instrument that asks it: instruments and dates are
the site's doing and not the respondents', so that nobody's answers decide over those of others. And all answers of a
year enter on its 31 December, so that one slice holds them all: waves that are edited between slices cannot count
in two of them.
"""

from __future__ import annotations

from collections.abc import Mapping

from node.measures.joins import Column, Frame, Tables, answer, row_key, year_end, yes_no
from node.tables.schema import SURVEY_ITEMS

ASKS_ABOUT_SUPPORT = ("svest", "svest_r", "site")
ASKS_SVEST_R = ("svest_r",)
AGREEMENT = 4

DIMENSIONS: Mapping[str, range] = {
    "psychological_distress": range(1, 7),
    "physical_distress": range(7, 11),
    "colleague_support": range(11, 14),
    "supervisor_support": range(14, 17),
    "institutional_support": range(17, 20),
    "professional_self_efficacy": range(20, 25),
    "resilience": range(25, 29),
    "turnover_intentions": range(29, 33),
    "absenteeism": range(33, 36),
}
"""Items (1 to 35) of the nine dimensions of the SVEST-R (Winning et al., J Patient Saf 2021).

The dimensions are the published ones. How the items are dealt out to them is an assumption of this catalogue, to be
checked against the instrument's manual before figures of I1 are used. Reverse-scored items come in already turned.
"""


def answers_view(tables: Tables, _events: Frame) -> Frame:
    """Survey answers: awareness, second victims, and agreement by dimension; None where they do not count."""
    waves = tables["survey_wave"][["wave_key", "instrument", "closed"]]
    rows = tables["survey_response"].merge(waves, on="wave_key")
    about_support = rows["wave_key"].isin(_first_waves(waves, ASKS_ABOUT_SUPPORT))
    svest_r = rows["wave_key"].isin(_first_waves(waves, ASKS_SVEST_R))
    rows["knows_programme"] = answer(rows["aware"]).where(about_support, None)
    rows["second_victim"] = answer(rows["sv_12m"]).where(about_support, None)
    scores = rows[list(SURVEY_ITEMS)].astype("float64")
    for dimension, items in DIMENSIONS.items():
        rows[f"agrees_{dimension}"] = _agrees(scores[[SURVEY_ITEMS[item - 1] for item in items]]).where(svest_r, None)
    rows["recorded_date"] = rows["closed"]
    rows["year_end"] = year_end(rows["closed"])
    rows["row_key"] = row_key(rows, "wave_key", "respondent_key")
    return rows


def _first_waves(waves: Frame, instruments: tuple[str, ...]) -> Column:
    """The wave that closed first in each calendar year, of those of some instruments."""
    asking = waves[waves["instrument"].isin(instruments) & waves["closed"].notna()]
    asking = asking.sort_values(["closed", "wave_key"])
    first: Column = asking.loc[~asking["closed"].dt.year.duplicated(), "wave_key"]
    return first


def _agrees(scores: Frame) -> Column:
    """Whether the mean of the items is at least 4; None where fewer than half of them were answered."""
    known = scores.notna().sum(axis=1) * 2 >= scores.shape[1]
    return yes_no(scores.mean(axis=1) >= AGREEMENT).where(known, None)
