from __future__ import annotations

import re
from html import unescape
from pathlib import Path

import pytest

from node.console.mapping_form import changes_of, form_of, ready
from node.proposals import Proposal, apply, look_at, propose
from node.tables.mapping import load_mapping
from tests.coordinator.portal.html_page import read
from tests.node.console.conftest import Browser

UNITS = "Unit No;Unit Type;Beds\n" + "".join(f"U{i};{'ICU' if i % 2 else 'Blue room'};{10 + i}\n" for i in range(30))
NOTES = "Patient name;Comment\n" + "".join(
    f"Ann {i};Some long story about what happened on day {i}\n" for i in range(9)
)


@pytest.fixture
def exports(signed_in: Browser) -> Path:
    """An export whose codes nobody knows, and one that must never be read."""
    folder = signed_in.config.paths.exports
    (folder / "units.csv").write_text(UNITS)
    (folder / "notes.csv").write_text(NOTES)
    return folder


@pytest.fixture
def draft(signed_in: Browser, exports: Path) -> str:
    """The address of a proposal."""
    return str(signed_in.send("/mapping/propose", {}, "/mapping").headers["location"])


def proposal_of(exports: Path) -> Proposal:
    return propose(look_at(exports))


def filled_in(html: str) -> dict[str, str]:
    """The form as a browser sends it untouched."""
    names = re.findall(r'<select id="[^"]+" name="([^"]+)">(.*?)</select>', html, re.DOTALL)
    return {unescape(name): unescape(_chosen(options)) for name, options in names}


def _chosen(options: str) -> str:
    found = re.search(r'<option value="([^"]*)" selected>', options) or re.search(r'<option value="([^"]*)"', options)
    assert found is not None
    return found.group(1)


def test_the_form_asks_for_the_words_that_nobody_knows_and_shows_no_other_value(signed_in: Browser, draft: str) -> None:
    page = read(signed_in.get(draft).text)
    assert page.errors == []
    assert "“Blue room” means" in page.words
    assert "U17" not in page.words
    assert "Ann" not in page.words
    assert "story" not in page.words
    labelled = {value for tag, name, value in page.attributes if tag == "label" and name == "for"}
    selects = {value for tag, name, value in page.attributes if tag == "select" and name == "id"}
    assert selects <= labelled


def test_an_untouched_form_changes_nothing(signed_in: Browser, exports: Path, draft: str) -> None:
    proposal = proposal_of(exports)
    untouched = {k: v for k, v in filled_in(signed_in.get(draft).text).items() if not k.startswith("use-")}
    assert untouched
    assert changes_of(proposal, untouched) == ()


def test_a_persons_decisions_become_the_file_which_is_seen_before_it_is_written(
    signed_in: Browser, exports: Path, draft: str
) -> None:
    fields = filled_in(signed_in.get(draft).text)
    form = next(form for form in form_of(proposal_of(exports)) if form.source.table == "unit")
    by_column = {field.column: field for field in form.fields}
    for column in ("unit_key", "unit_type"):
        fields[by_column[column].name] = "keep"
    words = {word.word.casefold(): word for word in (*by_column["unit_type"].unread, *by_column["unit_type"].read)}
    fields |= {words["blue room"].name: "emergency", form.name: "yes", "then": "see"}
    seen = signed_in.send(draft, fields, draft).headers["location"]
    assert seen.endswith("/file")
    text = unescape(re.search(r"<textarea[^>]*>\n(.*)</textarea>", signed_in.get(seen).text, re.DOTALL)[1])  # type: ignore[index]
    assert '= "emergency"' in text
    assert not (exports / "mapping.toml").exists()
    written = signed_in.send("/mapping/write", {"text": text.replace("\n", "\r\n")}, seen)
    assert written.headers["location"] == "/quality"
    mapping = load_mapping(exports / "mapping.toml")
    assert {s.table: s.columns["unit_type"].codes for s in mapping.sources if s.table == "unit"}
    assert "30 rows" in read(signed_in.get("/quality").text).words
    assert "Blue room" not in signed_in.get("/quality").text


BOTH = 'version = 1\n[[source]]\ntable = "unit"\nfile = "units.csv"\n[source.columns]\nunit_key = "Unit No"\n' \
       'unit_type = { column = "Unit Type", codes = { "Blue room" = "emergency", ICU = "icu" } }\nbeds = "Beds"\n' \
       '[[source]]\ntable = "debrief"\ndatabase = { url_env = "URL", view = "v_debrief" }\n[source.columns]\n' \
       'debrief_key = "Id"\ndebrief_date = "Day"\nparticipants = "People"\n'  # fmt: skip


def shown_file(browser: Browser, path: str) -> str:
    """What the page holds as the file to be written."""
    shown = re.search(r"<textarea[^>]*>\n(.*)</textarea>", browser.get(path).text, re.DOTALL)
    assert shown is not None
    return unescape(shown.group(1))


@pytest.fixture
def mapped(exports: Path) -> Path:
    """A mapping that settled the units by hand, and names a view that no proposal sees."""
    mapping = exports / "mapping.toml"
    mapping.write_text(BOTH)
    load_mapping(mapping)
    return mapping


def test_a_proposal_loses_nothing_that_is_mapped_today(signed_in: Browser, mapped: Path) -> None:
    before = load_mapping(mapped)
    draft = str(signed_in.send("/mapping/propose", {}, "/mapping").headers["location"])
    assert "Kept as mapped today" in read(signed_in.get(draft).text).words
    text = shown_file(signed_in, f"{draft}/file")
    assert "leave_out" not in signed_in.get(f"{draft}/file").text
    signed_in.send("/mapping/write", {"text": text}, f"{draft}/file")
    after = load_mapping(mapped)
    for old in before.sources:
        new = next(source for source in after.sources if source.table == old.table)
        assert new.columns.items() >= old.columns.items()
        assert (new.file, new.database) == (old.file, old.database)


def test_what_would_be_lost_is_named_and_written_only_by_consent(signed_in: Browser, mapped: Path) -> None:
    fields = {"text": BOTH.partition('[[source]]\ntable = "debrief"')[0].replace('beds = "Beds"\n', "")}
    answer = signed_in.send("/mapping/write", fields, "/mapping/file")
    words = read(answer.text).words
    assert answer.status_code == 409
    assert "Nothing was written. This file leaves out what is mapped today" in words
    assert "the table debrief from v debrief ; 1 column: unit, beds" in words.replace("debrief;", "debrief ;")
    assert "No longer answered:" in words
    assert mapped.read_text() == BOTH
    consent = re.search(r'name="leave_out" value="([^"]+)"', answer.text)
    assert consent is not None
    other = fields | {"leave_out": "unit"}
    assert signed_in.send("/mapping/write", other, "/mapping/file").status_code == 409
    assert mapped.read_text() == BOTH
    signed_in.send("/mapping/write", fields | {"leave_out": unescape(consent.group(1))}, "/mapping/file")
    assert mapped.read_text() == fields["text"]


def test_a_table_that_was_declined_is_lost_and_says_so(signed_in: Browser, mapped: Path) -> None:
    draft = str(signed_in.send("/mapping/propose", {}, "/mapping").headers["location"])
    place = next(form.name for form in form_of(proposal_of(mapped.parent)) if form.source.table == "unit")
    declined = signed_in.send(draft, {place: "no", "then": "save"}, draft).headers["location"]
    assert "Mapped today, and lost with this file: the table unit" in read(signed_in.get(declined).text).words
    assert "Leave these tables out" in read(signed_in.get(f"{declined}/file").text).words


def test_numbered_columns_of_one_kind_are_folded(signed_in: Browser, exports: Path) -> None:
    items = [f"item_{n:02d}" for n in range(1, 36)]
    heads = ";".join(["wave_id", "respondent_key", *items])
    rows = "".join(f"w1;R{i};{';'.join(str(1 + (i * n) % 5) for n in range(35))}\n" for i in range(40))
    (exports / "survey_response.csv").write_text(f"{heads}\n{rows}")
    form = next(form for form in form_of(proposal_of(exports)) if form.source.table == "survey_response")
    assert [[field.column for field in series.fields] for series in form.series] == [items]
    assert {*form.single, *form.series[0].fields} == {*form.fields}
    draft = str(signed_in.send("/mapping/propose", {}, "/mapping").headers["location"])
    assert "Item 01 to item 35 : 35 columns of one kind" in read(signed_in.get(draft).text).words


def test_writing_keeps_the_old_file_and_its_rights(signed_in: Browser, exports: Path) -> None:
    mapping = exports / "mapping.toml"
    new = 'version = 1\n[[source]]\ntable = "unit"\nfile = "units.csv"\n[source.columns]\nunit_key = "Unit No"\n' \
          'unit_type = { column = "Unit Type", codes = { "Blue room" = "emergency" } }\n'  # fmt: skip
    mapping.write_text("the old one")
    mapping.chmod(0o600)
    assert signed_in.send("/mapping/write", {"text": new}, "/mapping/file").status_code == 303
    assert mapping.read_text() == new
    kept = list(exports.glob("mapping.*.toml"))
    assert [path.read_text() for path in kept] == ["the old one"]
    assert {path.stat().st_mode & 0o777 for path in (mapping, *kept)} == {0o600}


@pytest.mark.parametrize(
    "text", ["", "version = 2", 'version = 1\n[[source]]\ntable = "patients"\nfile = "../x.csv"\n']
)
def test_what_is_no_mapping_is_not_written(signed_in: Browser, exports: Path, text: str) -> None:
    answer = signed_in.send("/mapping/write", {"text": text}, "/mapping/file")
    assert answer.status_code == 409
    assert "Nothing was written" in answer.text
    assert not (exports / "mapping.toml").exists()


def test_a_file_comes_back_from_the_page_as_it_was(signed_in: Browser, exports: Path) -> None:
    text = 'version = 1 # 5 % of "rows" & <more>\n[[source]]\ntable = "unit"\nfile = "units.csv"\n'
    (exports / "mapping.toml").write_text(text)
    page = signed_in.get("/mapping/file").text
    shown = re.search(r"<textarea[^>]*>\n(.*)</textarea>", page, re.DOTALL)
    assert shown is not None
    assert unescape(shown.group(1)) == text


def test_a_draft_never_changes_and_one_that_is_gone_says_so(signed_in: Browser, draft: str) -> None:
    before = re.sub(r"form_token.*", "", signed_in.get(draft).text)
    signed_in.send(draft, {"then": "save", "use-0": "no"}, draft)
    assert re.sub(r"form_token.*", "", signed_in.get(draft).text) == before
    assert signed_in.get("/mapping/drafts/none").status_code == 404


def test_a_choice_that_is_not_there_is_explained(signed_in: Browser, exports: Path, draft: str) -> None:
    form = form_of(proposal_of(exports))[0]
    answer = signed_in.send(draft, {form.fields[0].name: "column:No such"}, draft)
    assert answer.status_code == 409
    assert "No such" in answer.text


def test_leaving_out_and_constants_are_decisions_too(exports: Path) -> None:
    proposal = proposal_of(exports)
    place, form = next((i, form) for i, form in enumerate(form_of(proposal)) if form.source.table == "unit")
    by_column = {field.column: field for field in form.fields}
    fields = {by_column["beds"].name: "out", by_column["unit_type"].name: "constant:emergency"}
    fields |= {by_column["unit_key"].name: "keep", form.name: "yes"}
    kept, _ = ready(apply(proposal, changes_of(proposal, fields)))
    columns = {c.column: c.origin for s in kept.sources if s.table == "unit" for c in s.choices}
    assert "beds" not in columns
    assert columns["unit_type"].constant == "emergency"
    assert proposal.sources[place].table == "unit"


def test_a_source_in_doubt_is_not_in_the_file_until_somebody_decides(exports: Path) -> None:
    proposal = proposal_of(exports)
    kept, waiting = ready(proposal)
    doubtful = {form.source.table for form in form_of(proposal) if form.n_open}
    assert not doubtful & {source.table for source in kept.sources if not source.is_sure}
    assert all(not source.is_sure or not source.is_complete for source in waiting)
