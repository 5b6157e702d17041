"""Single values: dates, clock times, numbers, codes and identifiers as people write them."""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.tables.clocks import parse_clock, split_stamp
from node.tables.codes import CLASS_MARK, FALLBACKS, code_lookup, harm_lookup, synonyms
from node.tables.dates import EXCEL_EPOCH, parse_day, parse_month
from node.tables.keys import KeyHasher, is_damaged, key_namespace, normalise_identifier
from node.tables.numbers import parse_number, uses_decimal_comma
from node.tables.row_rules import exchange_day_and_month
from node.tables.schema import TABLES
from node.tables.stamps import Evidence, find_evidence, read_stamps

MARCH_12 = date(2024, 3, 12)


@pytest.mark.parametrize(
    "text",
    [
        "2024-03-12",
        "2024/3/12",
        "20240312",
        "12/03/2024",
        "12.3.2024",
        "12. 03. 2024",
        "12-03-24",
        "12 Mar 2024",
        "12-Mar-24",
        "12MAR2024",
        "March 12, 2024",
        "Tuesday, March 12th 2024",
        "Tue 12 Mar 2024",
        "the 12th of March 2024",
        "12 mars 2024",
        "12. März 2024",
        "45363",
        "45363.0",
    ],
)
def test_one_day_in_many_forms(text: str) -> None:
    day = parse_day(text, "day_first")
    assert day is not None
    assert day.value == MARCH_12


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "31/02/2024",
        "2024-13-05",
        "12/03",
        "12/03/024",
        "1.2.3.4",
        "45363 days",
        "99999",
        "12345",
        "3/2/1/2024",
        "1875-03-12",
        "12 Foo 2024",
        "Mar Apr 2024",
        "12/03/2024 or later",
        "2024-03-" + "9" * 30,
        "2024-" + "9" * 11 + "-01",
        "２",
    ],
)
def test_what_is_no_day(text: str) -> None:
    assert parse_day(text, "day_first") is None


def test_order_decides_and_the_impossible_order_is_exchanged() -> None:
    assert parse_day("03/12/2024", "month_first").value == MARCH_12  # type: ignore[union-attr]
    exchanged = parse_day("03/13/2024", "day_first")
    assert exchanged is not None
    assert (exchanged.value, exchanged.swapped) == (date(2024, 3, 13), True)
    assert parse_day("12.03.2024", "month_first").value == MARCH_12  # type: ignore[union-attr]
    assert parse_day("24-03-12", "year_first").value == MARCH_12  # type: ignore[union-attr]


@given(st.dates(date(1990, 1, 1), date(2068, 12, 31)), st.sampled_from(["/", "-", " "]))
def test_every_day_is_read_back_in_every_form(day: date, mark: str) -> None:
    forms = [
        (day.isoformat(), "day_first"),
        (f"{day:%d}{mark}{day:%m}{mark}{day:%Y}", "day_first"),
        (f"{day:%m}{mark}{day:%d}{mark}{day:%Y}", "month_first"),
        (f"{day:%d}{mark}{day:%m}{mark}{day:%y}", "day_first"),
        (f"{day:%d}{mark}{day:%b}{mark}{day:%Y}", "month_first"),
        (str((day - EXCEL_EPOCH).days), "day_first"),
    ]
    for text, order in forms:
        read = parse_day(text, order)  # type: ignore[arg-type]
        assert read is not None, text
        assert read.value == day, text


@pytest.mark.parametrize(
    "text", ["2024-03", "03/2024", "3-2024", "202403", "Mar 2024", "Mar-24", "mars 2024", "2024-03-31"]
)
def test_months(text: str) -> None:
    month = parse_month(text, "day_first")
    assert month is not None
    assert month.value == date(2024, 3, 1)


@pytest.mark.parametrize(
    ("text", "day", "clock"),
    [
        ("2024-03-12T14:30:05Z", "2024-03-12", "14:30:05"),
        ("2024-03-12 14:30:05.123+01:00", "2024-03-12", "14:30:05.123"),
        ("12/03/2024 2:30 PM", "12/03/2024", "2:30 PM"),
        ("12.03.24, 14.30", "12.03.24", "14.30"),
        ("12 Mar 2024 at 2pm", "12 Mar 2024", "2pm"),
        ("12OCT2024:14:30:00", "12OCT2024", "14:30:00"),
        ("202403121430", "20240312", "1430"),
        ("20240312T143000Z", "20240312", "1430"),
        ("2024-03-12 07:03:00.000000-0500", "2024-03-12", "07:03:00.000000"),
        ("03/12/2024 2:30 PM EST", "03/12/2024", "2:30 PM"),
        ("12-OCT-2024", "12-OCT-2024", ""),
        ("45363.5", "45363", ".5"),
        ("12. 03. 2024", "12. 03. 2024", ""),
        ("2024-03-12", "2024-03-12", ""),
        ("12.03.24", "12.03.24", ""),
    ],
)
def test_clock_times_behind_dates(text: str, day: str, clock: str) -> None:
    assert split_stamp(text) == (day, clock)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("14:30", 52_200),
        ("14:30:05", 52_205),
        ("2:30 pm", 52_200),
        ("2.30 p.m.", 52_200),
        ("12:05 am", 300),
        ("14h30", 52_200),
        ("2 pm", 50_400),
        ("1430", 52_200),
        ("930", 34_200),
        ("0.5", 43_200),
        ("24:00", 0),
        ("1899-12-30 14:30", 52_200),
        ("25:00", None),
        ("14:61", None),
        ("13:00 pm", None),
        ("noon", None),
    ],
)
def test_clocks(text: str, seconds: int | None) -> None:
    assert parse_clock(text) == seconds


def test_the_order_of_a_column_is_found_from_days_above_12() -> None:
    assert find_evidence(
        pd.Series(["13/01/2024", "02/01/2024 10:00", "14/01/2024", "01/15/2024", None], dtype="str")
    ) == Evidence(2, 1, 1)
    assert Evidence(2, 1, 1).order == "day_first"
    assert Evidence(0, 0, 4).order is None
    assert find_evidence(pd.Series(["13.01.2024", "2024-01-13", "05/05/2024"], dtype="str")) == Evidence(0, 0, 0)


def test_stamps_keep_missing_rows_missing() -> None:
    stamps = read_stamps(pd.Series([None, "2024-03-12 10:00", "x", "1900-01-01"], dtype="str"), "day_first")
    assert [str(day) for day in stamps.days] == ["NaT", "2024-03-12", "NaT", "NaT"]
    assert stamps.clock_s.tolist() == [-1, 36_000, -1, -1]
    assert stamps.unreadable.tolist() == [False, False, True, False]
    assert stamps.sentinel.tolist() == [False, False, False, True]


@pytest.mark.parametrize(
    ("text", "comma", "value"),
    [
        ("45", False, 45),
        ("1,234", False, 1234),
        ("1 234.5", False, 1234.5),
        ("1.234,5", True, 1234.5),
        ("12,5", True, 12.5),
        ("-3", False, -3),
        ("~ 45 min", False, 45),
        ("1.5 h", False, 90),
        ("1h30", False, 90),
        ("2 hrs 5 min", False, 125),
        (".5", False, 0.5),
        ("45-60", False, None),
        ("a lot", False, None),
        ("3 people", False, None),
        ("1.2.3", False, None),
        ("1.020", True, 1020),
        ("1.5", True, None),
        ("0.125", True, None),
        ("1,5", False, None),
        ("1,23,456", False, 123456),
        ("1.234,567.8", True, None),
    ],
)
def test_numbers(text: str, comma: bool, value: float | None) -> None:
    assert parse_number(text, comma) == value


@pytest.mark.parametrize(
    ("values", "delimiter", "comma"),
    [
        (["1,234", "1,5"], ",", True),
        (["1.234,567"], ",", True),
        (["0,125"], ",", True),
        (["1,234", "12,345,678", "1.5"], ";", False),
        (["1,23,456"], ";", False),
        (["1.020", "96"], ";", True),
        (["1.020", "96"], ",", False),
        (["1.020", "96.5"], ";", False),
        (["0.125"], ";", False),
        (["96"], ";", False),
    ],
)
def test_a_decimal_comma_is_told_by_all_numbers_of_a_file(values: list[str], delimiter: str, comma: bool) -> None:
    assert uses_decimal_comma(values, delimiter) is comma


ROLE = TABLES["event_involvement"].column("role_group")


@pytest.mark.parametrize(
    ("title", "role"),
    [
        ("RN", "nurse_midwife"),
        ("Staff nurse II", "nurse_midwife"),
        ("SN", "nurse_midwife"),
        ("Registered Midwife", "nurse_midwife"),
        ("Infirmière", "nurse_midwife"),
        ("Nurse Practitioner", "advanced_practice"),
        ("CRNA", "advanced_practice"),
        ("Physician Assistant", "advanced_practice"),
        ("MD", "physician"),
        ("M.D.", "physician"),
        ("Consultant", "physician"),
        ("Attending physician", "physician"),
        ("Resident physician PGY-2", "resident_trainee"),
        ("Student nurse", "resident_trainee"),
        ("SHO", "resident_trainee"),
        ("HCA", "support_admin_other"),
        ("Nursing assistant", "support_admin_other"),
        ("Unit clerk", "support_admin_other"),
        ("Pharmacist", "allied_health_pharmacy"),
        ("Physical therapist", "allied_health_pharmacy"),
        ("Radiographer", "allied_health_pharmacy"),
        ("nurse_midwife", "nurse_midwife"),
        ("Zauberer", None),
    ],
)
def test_job_titles(title: str, role: str | None) -> None:
    assert code_lookup("event_involvement", ROLE, {})(title) == role


def test_groups_are_roles_of_activations_alone() -> None:
    role = TABLES["support_activation"].column("role_group")
    assert code_lookup("support_activation", role, {})("Whole team") == "group"
    assert code_lookup("event_involvement", ROLE, {})("Whole team") is None


HARM = TABLES["safety_event"].column("harm")


@pytest.mark.parametrize(
    ("word", "published", "local"),
    [
        ("E", "mild_harm", None),
        ("Category I", "death", None),
        ("F - temporary harm", "moderate_harm", None),
        ("2", "severe_harm", None),
        ("2.0", "severe_harm", None),
        ("3 - Moderate", "moderate_harm", "moderate_harm"),
        ("Low", "mild_harm", "mild_harm"),
        ("No harm", "no_harm", "no_harm"),
        ("severe_harm", "severe_harm", "severe_harm"),
        ("A", CLASS_MARK + "unsafe_condition", None),
        ("Near miss", CLASS_MARK + "near_miss", CLASS_MARK + "near_miss"),
        ("very bad", None, None),
    ],
)
def test_harm_scales(word: str, published: str | None, local: str | None) -> None:
    assert harm_lookup(HARM, {}, read_marks=True)(word) == published
    assert harm_lookup(HARM, {}, read_marks=False)(word) == local


def test_a_sites_own_codes_come_first() -> None:
    look = harm_lookup(HARM, {"Low": "no_harm", "++": "severe_harm"}, read_marks=True)
    assert (look(" low. "), look("++")) == ("no_harm", "severe_harm")


def test_the_same_word_means_different_things_in_two_tables() -> None:
    review, activation = TABLES["jc_review"], TABLES["support_activation"]
    assert code_lookup("jc_review", review.column("response"), {})("no response") == "none"
    assert code_lookup("support_activation", activation.column("response"), {})("no response") == "no_reply"


def testsynonyms_and_fallbacks_name_canonical_codes() -> None:
    columns = {c.name: c for t in TABLES.values() for c in t.columns if c.kind == "code"}
    every = {**columns, **{f"{t.name}.{c.name}": c for t in TABLES.values() for c in t.columns if c.kind == "code"}}
    for section, codes in synonyms().items():
        if section in every:
            assert set(codes) <= set(every[section].codes), section
    assert {entry["code"] for entry in synonyms()["role"]} == {*ROLE.codes, "group"}
    assert set(synonyms()["harm_marks"]) <= set(HARM.codes)
    for name, pair in FALLBACKS.items():
        assert set(pair) <= set(columns[name].codes), name


@pytest.mark.parametrize("text", ["00123", "123", " 123 ", "123.0", "１２３", "1 23"])
def test_one_identifier_in_many_forms(text: str) -> None:
    assert normalise_identifier(text) == "123"


def test_keys_differ_by_namespace_and_secret_and_supporters_are_people() -> None:
    hasher = KeyHasher(b"x" * 32)
    assert hasher.key("person_key", "a1") == hasher.key("person_key", "A1 ")
    assert (
        len({hasher.key("person_key", "1"), hasher.key("unit_key", "1"), KeyHasher(b"y" * 32).key("person_key", "1")})
        == 3
    )
    assert key_namespace("supporter_key") == "person_key"
    assert len(hasher.key("person_key", "1")) == 32
    assert (normalise_identifier("000"), normalise_identifier("A007")) == ("0", "a007")
    assert "x" * 32 not in repr(hasher)
    with pytest.raises(ValueError, match="at least 32 bytes"):
        KeyHasher(b"short")


def test_the_keyed_hash_is_stable() -> None:
    assert KeyHasher(bytes(32)).key("person_key", "00123") == "72f08fb6fb852ba8bfd15a78f0bcc41a"


@pytest.mark.parametrize(("text", "damaged"), [("1.23457E+11", True), ("1E+11", True), ("1E5", False), ("E12", False)])
def test_scientific_notation(text: str, damaged: bool) -> None:
    assert is_damaged(text) is damaged


@given(st.dates(date(1990, 1, 1), date(2090, 1, 1)))
def test_exchanging_day_and_month_twice_changes_nothing(day: date) -> None:
    dates = pd.Series([pd.Timestamp(day)]).astype("datetime64[us]")
    once = exchange_day_and_month(dates)
    assert once.isna()[0] == (day.day > 12)
    if day.day <= 12:
        assert exchange_day_and_month(once)[0] == dates[0]
        assert once[0] - dates[0] < timedelta(days=366)
