"""The words that synthetic sites use for canonical codes: job titles, harm scales, form labels, REDCap's numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from node.tables.schema import TABLES, Column

Words: TypeAlias = Mapping[str, Sequence[str]]
"""Canonical code -> the words that a site uses for it."""

JOB_TITLES: Words = {
    "nurse_midwife": ("RN", "Registered nurse", "Staff Nurse II", "SN", "Midwife", "Charge nurse"),
    "physician": ("MD", "Physician", "Attending", "Consultant", "Hospitalist"),
    "resident_trainee": ("Resident", "PGY-2", "Fellow", "Intern"),
    "advanced_practice": ("NP", "PA-C", "CRNA", "Nurse practitioner"),
    "allied_health_pharmacy": ("Pharmacist", "Resp. therapist", "Paramedic", "Physiotherapist", "Radiographer"),
    "support_admin_other": ("Unit clerk", "Porter", "Housekeeping", "Admin", "Security"),
    "group": ("Team", "Group"),
}
HARM_WORDS: dict[str, Words] = {
    "nrls": {
        "no_harm": ("No harm",),
        "mild_harm": ("Low",),
        "moderate_harm": ("Moderate",),
        "severe_harm": ("Severe",),
        "death": ("Death",),
    },
    # MERP A (hazard) and B (near miss) say no harm of another class of event; the class has its own column.
    "ncc_merp": {
        "no_harm": ("C", "D"),
        "mild_harm": ("E",),
        "moderate_harm": ("F",),
        "severe_harm": ("G", "H"),
        "death": ("I",),
    },
    "local": {
        "no_harm": ("0 - keine Folge", "0 - none"),
        "mild_harm": ("1 - slight",),
        "moderate_harm": ("2 - notable",),
        "severe_harm": ("3 - grave",),
        "death": ("4 - exitus",),
    },
}
_WORDED_KINDS = ("code", "flag")


class Vocabulary:
    """The words of one site for every coded column of the canonical tables."""

    def __init__(self, harm_scale: str, style: str) -> None:
        """`style` is "codes" (canonical ones), "labels" (as on a form) or "numbers" (a raw REDCap export)."""
        self._harm = HARM_WORDS[harm_scale]
        self._style = style

    def words(self, column: Column) -> Words:
        """The words for each code of a column; a code that is missing here stands for itself."""
        if column.kind == "flag":
            return (
                {"yes": ("1",), "no": ("0",)} if self._style == "numbers" else {"yes": ("Yes", "Y"), "no": ("No", "N")}
            )
        if self._style == "numbers" and column.name not in {"tier", "harm", "harm_source_scale"}:
            return {code: (str(number),) for number, code in enumerate(column.codes, start=1)}
        if column.name == "harm":
            return self._harm
        if column.name == "role_group":
            return {code: JOB_TITLES[code] for code in column.codes}
        if self._style == "labels" and column.name not in {"tier", "harm_source_scale", "status"}:
            return {code: (code.replace("_", " ").capitalize(),) for code in column.codes}
        return {}

    def codes(self, table: str, column_name: str) -> dict[str, str]:
        """Word -> code, as a mapping file lists them; empty for columns without words of their own."""
        column = TABLES[table].column(column_name)
        if column.kind not in _WORDED_KINDS:
            return {}
        return {word: code for code, words in self.words(column).items() for word in words}
