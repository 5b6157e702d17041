from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path

import pytest

from node.proposals import Change, ChangeError, Proposal, accepted, apply, look_at, propose, to_toml
from node.tables.importer import import_exports
from node.tables.keys import KeyHasher
from node.tables.mapping import Mapping

EXAMPLES = Path(__file__).parent / "examples"
HASHER = KeyHasher(b"a secret of this test, 32 bytes or more")


@pytest.fixture(scope="module")
def rl6() -> Proposal:
    return propose(look_at(EXAMPLES / "rl6"))


@pytest.fixture(scope="module")
def tracker() -> Proposal:
    return propose(look_at(EXAMPLES / "excel_deutsch"))


def test_a_proposal_goes_through_json_unchanged(rl6: Proposal) -> None:
    assert Proposal.model_validate_json(rl6.model_dump_json()) == rl6


def test_free_text_names_and_patients_are_left_out_and_said_so(rl6: Proposal) -> None:
    left = {item.column for item in rl6.left_out}
    assert {
        "Brief Factual Description",
        "Immediate Actions Taken",
        "Person Affected MRN",
        "Person Affected DOB",
    } <= left
    used = {column for s in rl6.sources for c in s.choices for column in c.origin.source_columns}
    assert not used & left


def test_no_identifier_date_or_free_text_is_shown(rl6: Proposal) -> None:
    text = rl6.model_dump_json() + to_toml(rl6)
    for secret in ("104500", "wrong pump setting", "40123"):
        assert secret not in text
    shown = [column for look in rl6.files for column in look.columns if column.codes]
    assert all(len(column.codes) <= 30 for column in shown)
    assert "Severity Level" in {column.name for column in shown}
    assert "File ID" not in {column.name for column in shown}


def test_the_order_of_dates_and_the_scale_of_harm_are_found(rl6: Proposal) -> None:
    events = next(source for source in rl6.sources if source.table == "safety_event")
    assert events.date_order == "month_first"
    scale = next(choice for choice in events.choices if choice.column == "harm_source_scale")
    assert scale.origin.constant == "ncc_merp"


def test_words_of_other_languages_become_codes(tracker: Proposal) -> None:
    source = next(source for source in tracker.sources if source.table == "support_activation")
    codes = {choice.column: choice.origin.codes for choice in source.choices}
    assert codes["role_group"]["Assistenzarzt"] == "resident_trainee"
    assert codes["event_reason"]["Unerwarteter Tod"] == "patient_death_unexpected"
    assert codes["referral_source"]["Stationsleitung"] == "manager"


def test_initials_are_asked_about(tracker: Proposal) -> None:
    source = next(source for source in tracker.sources if source.table == "support_encounter")
    person = next(choice for choice in source.choices if choice.column == "person_key")
    assert not person.is_sure
    assert "initials" in person.question


def test_a_mapping_is_written_that_the_import_takes(tracker: Proposal) -> None:
    settled = apply(tracker, [Change(table=source.table) for source in tracker.sources])
    settled = apply(
        settled,
        [Change(table=s.table, column=c.column, sheet=s.sheet) for s in settled.sources for c in s.choices],
    )
    ready = accepted(settled)
    assert {source.table for source in ready.sources} == {"support_activation", "support_encounter"}
    mapping = Mapping.model_validate(tomllib.loads(to_toml(ready)))
    report = import_exports(EXAMPLES / "excel_deutsch", mapping, HASHER, date(2025, 1, 1)).quality
    for file in report.files:
        assert file.rows_quarantined <= 0.02 * file.read, file


def test_what_is_unsure_is_no_part_of_what_is_accepted(tracker: Proposal) -> None:
    ready = accepted(tracker)
    assert {source.table for source in ready.sources} == {"support_activation"}
    assert all(choice.is_sure for source in ready.sources for choice in source.choices)


def test_a_column_chosen_by_hand_brings_its_codes(rl6: Proposal) -> None:
    change = Change(table="safety_event", column="event_class", act="use", value="Preventability")
    changed = apply(rl6, [change])
    choice = next(
        c for s in changed.sources if s.table == "safety_event" for c in s.choices if c.column == "event_class"
    )
    assert choice.origin.column == "Preventability"
    assert choice.settled
    assert "Preventable" in choice.unread


def test_leaving_a_required_column_out_takes_the_source_out_of_use(rl6: Proposal) -> None:
    changed = apply(rl6, [Change(table="safety_event", column="harm", act="leave_out")])
    events = next(source for source in changed.sources if source.table == "safety_event")
    assert not events.is_complete
    text = to_toml(changed)
    assert '# table = "safety_event"' in text
    tables = {source["table"] for source in tomllib.loads(text)["source"]}
    assert tables == {"event_involvement"}


@pytest.mark.parametrize(
    ("change", "says"),
    [
        (Change(table="debrief"), "no proposed source fills debrief"),
        (Change(table="debrief", column="debrief_date", act="use", value="Colour"), "no export has a column 'Colour'"),
        (Change(table="safety_event", column="harm", codes={"A": "bad"}), "has no code 'bad'"),
        (Change(table="safety_event", column="harm", act="constant", value="bad"), "has no code 'bad'"),
        (Change(table="safety_event", column="colour"), "has no column 'colour'"),
        (Change(table="safety_event", column="harm", act="use", value="Colour"), "no file proposed"),
        (Change(table="safety_event", column="shift"), "nothing is proposed"),
        (Change(table="safety_event", column="harm", act="use", value="Person Affected MRN"), "no file proposed"),
    ],
)
def test_a_change_that_does_not_fit_says_what_there_is(rl6: Proposal, change: Change, says: str) -> None:
    with pytest.raises(ChangeError, match=says):
        apply(rl6, [change])


def test_hostile_headers_stay_inside_their_strings_and_comments(tmp_path: Path) -> None:
    header = '"Event\n[[source]]\ntable = ""unit""","Event Date","Severity","Event Type","Status"\n'
    rows = "".join(f"A{i},2024-03-{i:02d},low,fall,closed\n" for i in range(1, 25))
    (tmp_path / 'x"] = 1 #.csv').write_text(header + rows)
    parsed = tomllib.loads(to_toml(propose(look_at(tmp_path))))
    assert {source["table"] for source in parsed.get("source", [])} <= {"safety_event"}


@pytest.mark.parametrize(
    "content", [b"", b"\0\1\2", b"PK\x03\x04nonsense", b"PAR1nonsense", b'{"resourceType": 3}', b"1,2\n3,4\n"]
)
def test_a_file_that_cannot_be_read_is_named_and_the_rest_goes_on(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.csv").write_bytes(content)
    (tmp_path / "RL6.csv").write_bytes((EXAMPLES / "rl6" / "RL6_EventExtract_20241231.csv").read_bytes())
    proposal = propose(look_at(tmp_path))
    assert [item.file for item in proposal.left_out if not item.column] == ["broken.csv"]
    assert {source.table for source in proposal.sources} >= {"safety_event"}


def test_an_empty_folder_gives_an_empty_proposal_that_says_what_is_missing(tmp_path: Path) -> None:
    proposal = propose(look_at(tmp_path))
    assert not proposal.sources
    assert {gap.column for gap in proposal.tables_missing} >= {"safety_event", "support_activation"}


SENTENCE = "Frau Muster nach Reanimation auf 3B sehr belastet"


@pytest.mark.parametrize("header", ["Bemerkungen", "Verlauf", "Befinden"])
def test_free_text_that_repeats_is_never_written_down(tmp_path: Path, header: str) -> None:
    rows = [f"{i};{i % 28 + 1:02d}.03.2024;A-{i:03d};{70000 + i};Telefon;2;Peer;20;{SENTENCE};ja" for i in range(40)]
    # Totals without a remark: the remark alone would tell the rows apart.
    totals = ["Zwischenstand;;;;;;;;;ja" for _ in range(3)]
    head = "Lfd. Nr.;Datum;Aktivierung;Personalnr.;Art des Kontakts;Stufe;Unterstützt durch;Minuten"
    head += f";{header};Bedarf gedeckt"
    (tmp_path / "Peer-Support Kontakte.csv").write_text("\n".join([head, *rows[:20], *totals, *rows[20:]]) + "\n")
    proposal = propose(look_at(tmp_path))
    assert proposal.sources
    shown = proposal.model_dump_json() + to_toml(proposal)
    assert "Muster" not in shown
    assert all(header not in source.where for source in proposal.sources)


def test_every_refused_column_is_named_as_left_out(tmp_path: Path) -> None:
    head = "Ref No,Incident date,Severity,Type,Notes,Notes,Patient name"
    rows = "".join(f"W{i},2024-03-{i:02d},low,fall,,,\n" for i in range(1, 25))
    (tmp_path / "incidents.csv").write_text(head + "\n" + rows)
    left = propose(look_at(tmp_path)).left_out
    assert [(item.column, item.reason) for item in left] == [
        ("Notes", "free text"),
        ("Patient name", "a patient's identity"),
    ]


def test_notes_about_formats_in_brackets_do_not_hide_a_column(tmp_path: Path) -> None:
    head = "Record ID,Incident date (dd/MM/yyyy),Date reported [UK],Type,Category,Severity,File state"
    rows = "".join(f"W{i},{i:02d}/05/2024,{i:02d}/06/2024,Incident,Medication,Low,Closed\n" for i in range(1, 29))
    (tmp_path / "datix_extract.csv").write_text(head + "\n" + rows)
    events = next(s for s in propose(look_at(tmp_path)).sources if s.table == "safety_event")
    found = {choice.column: choice.origin.column for choice in events.choices if choice.is_sure}
    assert found["event_date"] == "Incident date (dd/MM/yyyy)"
    assert found["reported_date"] == "Date reported [UK]"


@pytest.mark.parametrize("header", ["Staff number", "Staff no", "Personalnummer", "Staff no."])
def test_a_number_of_a_person_is_no_number_of_persons(tmp_path: Path, header: str) -> None:
    rows = "".join(f"{i},2024-03-{i:02d},{5000 + 7 * i},In person,2,30\n" for i in range(1, 25))
    (tmp_path / "encounters.csv").write_text(f"Session ID,Session date,{header},Mode,Tier,Minutes\n{rows}")
    source = next(s for s in propose(look_at(tmp_path)).sources if s.table == "support_encounter")
    found = {choice.column: choice.origin.column for choice in source.choices}
    assert "persons_in_group" not in found
    assert found["person_key"] == header


def test_sentences_in_the_place_of_instruments_are_never_written_down(tmp_path: Path) -> None:
    head = "record_id,redcap_event_name,redcap_repeat_instrument,referral_complete,ref_dt,ref_role"
    sentence = f"{SENTENCE} und auf der Station danach noch einmal angesprochen"
    rows = "".join(f"{n},{sentence},,2,2024-03-{n:02d},Nurse\n" for n in range(1, 29))
    (tmp_path / "peer_support.csv").write_text(f"{head}\n{rows}")
    proposal = propose(look_at(tmp_path))
    assert "Muster" not in proposal.model_dump_json() + to_toml(proposal)
