"""Every rule by which the import drops, quarantines, repairs or flags something: the one public list.

Nothing happens to a row except by one of these, and the quality report names them.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Effect = Literal["dropped", "quarantined", "repaired", "flagged"]


@dataclass(frozen=True)
class Rule:
    """What a rule does to a row (or, when flagged, tells about a file), and the sentence that says so."""

    effect: Effect
    sentence: str


RULES: dict[str, Rule] = {
    # Rows that are no data of this table.
    "blank_row": Rule("dropped", "A row without a filled cell is passed over."),
    "repeated_header": Rule("dropped", "A row that repeats the header (page breaks, joined files) is passed over."),
    "totals_row": Rule(
        "dropped",
        "Rows that begin with total, sum or count are no data: the last ones, and any without the needed columns.",
    ),
    "trailing_note": Rule(
        "dropped", "Rows at the end that hold one phrase alone, such as who printed it, are no data."
    ),
    "filtered": Rule("dropped", "The row holds none of the values that `where` in the mapping asks for."),
    "nothing_listed": Rule("dropped", "The multi-select column that is to be split lists nothing in this row."),
    "other_resource": Rule("dropped", "A FHIR resource of another type than AdverseEvent is passed over."),
    "leaflet_only": Rule("dropped", "A leaflet, brochure or e-mail alone is no support contact."),
    "older_version": Rule(
        "dropped",
        "Rows with the same identity are versions of one: the one modified last is kept, else the last in file order.",
    ),
    # Rows that cannot be used.
    "ragged_row": Rule("quarantined", "The row has more or fewer cells than the header (broken quotes or lines)."),
    "broken_line": Rule("quarantined", "The line of an NDJSON file is no FHIR resource."),
    "parts_do_not_match": Rule("quarantined", "Parallel multi-select columns list different numbers of parts."),
    "required_missing": Rule("quarantined", "A required value is missing."),
    "unreadable": Rule("quarantined", "A required value is no date, time or number that can be read."),
    "future_date": Rule("quarantined", "A required date lies after the day of import."),
    "damaged_key": Rule("quarantined", "A required identifier is in scientific notation; its digits are lost."),
    "code_unknown": Rule("quarantined", "A required code is not recognised, and the code list has no 'other'."),
    "text_too_long": Rule(
        "quarantined", "A text longer than its column allows (24 characters, or as its table says) is no public code."
    ),
    "not_a_code": Rule("quarantined", "A text with an e-mail address is no public code."),
    "event_after_report": Rule(
        "quarantined", "The event is dated after its report, and exchanging day and month does not explain it."
    ),
    # Values that are mended.
    "formula_without_value": Rule("repaired", "A formula whose result the workbook does not hold is an empty cell."),
    "sentinel_date": Rule("repaired", "A stand-in date (1899-12-30, 1900-01-01, 1970-01-01, 9999-12-31) is missing."),
    "excel_serial": Rule("repaired", "A number from 32874 to 73050 in a date column is a spreadsheet's day number."),
    "two_digit_year": Rule("repaired", "Years 00-68 are 2000-2068, years 69-99 are 1969-1999."),
    "other_date_order": Rule(
        "repaired", "A date that only makes sense in the other order than its column's is read in that order."
    ),
    "event_day_month_swapped": Rule(
        "repaired",
        "An event dated after its report has day and month exchanged, if it then lies at most 31 days before it.",
    ),
    "unreadable_optional": Rule(
        "repaired", "An optional value that cannot be read, or has a fraction where it must be whole, is missing."
    ),
    "future_optional": Rule("repaired", "An optional date after the day of import (except a due date) is missing."),
    "damaged_key_optional": Rule("repaired", "An optional identifier in scientific notation is missing."),
    "midnight": Rule(
        "repaired",
        "A clock time of exactly 00:00 is taken as not recorded; the date stays. A column in which all are 00:00 holds "
        "no clock times.",
    ),
    "code_fallback": Rule("repaired", "A required code that is blank or not recognised becomes 'unknown' or 'other'."),
    "code_missing": Rule("repaired", "An optional code that is not recognised is missing."),
    "negative": Rule("repaired", "A negative number is missing."),
    "too_many_digits": Rule(
        "repaired", "A number with more digits than its upper limit (a clock time typed as minutes) is missing."
    ),
    "clipped": Rule("repaired", "A number above its limit is set to the limit."),
    "harm_is_class": Rule(
        "repaired",
        "Harm given as NCC MERP A or 'unsafe condition', B or 'near miss' is no harm, and sets the event's class.",
    ),
    "tier_from_resource": Rule("repaired", "A missing tier is that of the support resource."),
    "professional_is_tier_3": Rule(
        "repaired",
        "Professional help (EAP, psychologist, chaplain, social work, occupational medicine, psychiatry) is tier 3.",
    ),
    "recovered_before_event": Rule("repaired", "A recovery dated before the event is missing."),
    "carried_value": Rule("repaired", "A missing staffing figure is that of the month before, for at most 3 months."),
    "summed": Rule(
        "repaired", "Job titles of one role group in the same month and unit are added up to one row of the role group."
    ),
    # What the reader of the report should know.
    "column_absent": Rule("flagged", "The file lacks an optional column that the mapping names."),
    "damaged_characters": Rule(
        "flagged", "Some characters could not be read in the file's encoding; export it as UTF-8."
    ),
    "where_matches_none": Rule(
        "flagged", "No row of the file holds what `where` in the mapping asks for; check its columns and values."
    ),
    "date_order_guessed": Rule(
        "flagged", "No date of the file shows whether day or month comes first; day first is assumed: set `date_order`."
    ),
    "date_orders_mixed": Rule("flagged", "One column holds dates in both orders; dates that fit both may be wrong."),
    "harm_scales_mixed": Rule(
        "flagged", "One harm column holds letters, numbers or words of more than one scale; map them one by one."
    ),
    "names_as_keys": Rule("flagged", "The person column looks like names or initials; two people may be taken as one."),
    "midnight_share": Rule(
        "flagged",
        "More than 2 % of the clock times are exactly 00:00; by chance it would be 0.07 %: times are not recorded.",
    ),
    "fractional_headcount": Rule(
        "flagged", "A headcount has a fraction; if thousands were taken for decimals, set `decimal` in the mapping."
    ),
    "mostly_fallback": Rule("flagged", "More than 20 % of a required code are blank or not recognised; map its codes."),
    "many_on_one_date": Rule("flagged", "More than 20 % and at least 8 rows have one date: entered afterwards."),
    "conflicting_versions": Rule(
        "flagged",
        "Rows of one identity hold different figures; map the column that tells them apart.",
    ),
    "carried_month": Rule("flagged", "Months without a staffing row were filled from the month before."),
    "without_involvement": Rule("flagged", "More than 20 % of the events name nobody who was involved."),
    "group_by_person": Rule(
        "flagged", "Group contacts are listed once for each person; the number present then counts once for each row."
    ),
    "unit_changed": Rule(
        "flagged",
        "A unit's staffing begins after or ends before that of the others: it opened, closed or changed its name.",
    ),
    "unlinked": Rule("flagged", "Rows refer to an identifier that the table it belongs to does not hold."),
}
