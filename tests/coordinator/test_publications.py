"""Publications: what they hold, that they never change, and that anybody can check them."""

from __future__ import annotations

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.publications.build import Published, _year_part, draft, publish
from coordinator.publications.files import COLUMNS, write_files
from coordinator.publications.members import admitted
from coordinator.publications.shelf import Shelf
from coordinator.publications.summary import dry_run_text, reasons
from coordinator.publications.verify import verify_file
from coordinator.rounds.conduct import advance_rounds, close_rounds
from coordinator.store.schema import Site
from protocols.keys import public_pem
from protocols.operator.errors import InputError, OperatorError, RuleError, SignatureError
from protocols.publication.rows import Status
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import YEAR, World, request_envelopes

HEAD = [
    "measure",
    "period_start",
    "period_end",
    "peer_group",
    "stratum",
    "n_sites",
    "value",
    "lower",
    "upper",
    "noise_sd",
    "unit",
    "status",
]


def publish_now(world: World) -> Published:
    return publish(world.store, world.config, world.clock, world.key)


def test_a_publication_holds_year_quarters_and_months(finished: World) -> None:
    publication = publish_now(finished).publication
    assert publication.number == 1
    assert publication.replaces is None
    assert publication.sites == 8
    shown = {(row.measure, row.grain) for row in publication.rows if row.status is Status.OK}
    assert {("C1", "year"), ("C1", "quarter"), ("C1", "month"), ("D1", "year")} <= shown
    text = " ".join(publication.guarantee)
    assert "epsilon 2.9" in text or "epsilon 3.00" in text
    assert "clinician" in text


def test_months_and_quarters_of_a_trend_fit_together_and_near_the_truth(finished: World) -> None:
    """Every site sends Poisson(40) a table, so the month table says 12 x 40 a site and the year table 40."""
    rows = publish_now(finished).publication.rows
    months = [row.value for row in rows if (row.measure, row.grain) == ("C1", "month")]
    quarters = [row.value for row in rows if (row.measure, row.grain) == ("C1", "quarter")]
    assert None not in months
    for quarter, value in enumerate(quarters):
        assert value is not None
        part = [month for month in months[3 * quarter : 3 * quarter + 3] if month is not None]
        # rates over staff-years: the quarter is the mean of its months, weighted by their (nearly equal) exposure
        assert value == pytest.approx(sum(part) / 3, rel=0.03)


def test_publishing_the_same_again_gives_the_same_number(finished: World) -> None:
    first = publish_now(finished)
    finished.clock.forward(days=1)
    again = publish_now(finished)
    assert (first.is_new, again.is_new) == (True, False)
    assert again.stored.document == first.stored.document
    assert Shelf(finished.store).numbers() == [1]


def test_other_content_gets_the_next_number_and_names_the_one_before(finished: World) -> None:
    publish_now(finished)
    other = finished.config.model_copy(update={"title": "Another title"})
    made = publish(finished.store, other, finished.clock, finished.key)
    assert (made.is_new, made.publication.number, made.publication.replaces) == (True, 2, 1)


def test_nothing_is_published_before_a_round_has_finished_well(world: World) -> None:
    world.open()
    with pytest.raises(RuleError, match="no round has finished"):
        publish_now(world)
    close_rounds(world.store)
    with pytest.raises(RuleError, match=f"every round so far has failed: {YEAR}-benchmark-1, {YEAR}-trend-1"):
        publish_now(world)


def test_a_recent_year_is_held_back_with_its_reason(finished: World) -> None:
    finished.clock.moment = datetime(YEAR + 1, 3, 30, tzinfo=UTC)
    with finished.store.reading() as reader:
        made = draft(reader, finished.config, finished.clock)
    recent = [row for row in made.publication.rows if row.status is Status.TOO_RECENT]
    assert {row.period_end for row in recent} == {datetime(YEAR, 12, 31, tzinfo=UTC).date()}
    assert all(row.value is None for row in recent)
    text = dry_run_text(made)
    assert "the period ended less than 90 days ago" in text
    assert Shelf(finished.store).numbers() == []


def test_every_status_has_a_reason(world: World) -> None:
    assert set(reasons(world.config.gate)) == set(Status) - {Status.OK}


def test_files_hold_the_same_rows(finished: World, tmp_path: Path) -> None:
    made = publish_now(finished)
    write_files(made.stored, tmp_path / "out")
    rows = list(csv.DictReader(io.StringIO((tmp_path / "out/benchmarks.csv").read_text())))
    frame = pq.read_table(tmp_path / "out/benchmarks.parquet")
    document = json.loads((tmp_path / "out/publication.json").read_bytes())
    assert list(rows[0]) == HEAD == COLUMNS.names == frame.schema.names
    assert len(rows) == frame.num_rows == len(document["rows"])
    for row, record, item in zip(rows, frame.to_pylist(), document["rows"], strict=True):
        assert row["status"] == record["status"] == item["status"]
        assert row["period_start"] == record["period_start"].isoformat() == item["period_start"]
        assert (float(row["value"]) if row["value"] else None) == record["value"] == item["value"]
        assert (row["status"] == "ok") == (row["value"] != "")


def test_the_shelf_gives_the_bytes_that_were_published(finished: World) -> None:
    made = publish_now(finished)
    shelf = Shelf(finished.store)
    assert shelf.latest() == made.publication == shelf.get(1)
    assert shelf.file(1, "publication.json") == made.stored.document
    assert shelf.file(1, "benchmarks.csv") == made.stored.csv
    assert shelf.file(1, "coordinator.db") is None
    assert shelf.file(2, "publication.json") is None
    assert shelf.get(2) is None
    assert shelf.ready()


def verify_in(folder: Path, world: World) -> int:
    return verify_file(folder / "publication.json", world.config.paths.public_key).number


def test_a_publication_verifies_until_a_byte_is_changed(finished: World, tmp_path: Path) -> None:
    write_files(publish_now(finished).stored, tmp_path)
    assert verify_in(tmp_path, finished) == 1
    document = (tmp_path / "publication.json").read_bytes()
    for position in range(0, len(document), len(document) // 50):
        changed = bytearray(document)
        changed[position] ^= 1
        (tmp_path / "publication.json").write_bytes(changed)
        with pytest.raises(SignatureError):
            verify_in(tmp_path, finished)


def test_a_publication_of_another_key_or_without_signature_is_refused(finished: World, tmp_path: Path) -> None:
    write_files(publish_now(finished).stored, tmp_path)
    other = tmp_path / "other.pub"
    other.write_text(public_pem(Ed25519PrivateKey.generate().public_key()))
    with pytest.raises(SignatureError, match="is signed with key"):
        verify_file(tmp_path / "publication.json", other)
    for damaged in ("", "nothing here", "zz yy\n"):
        (tmp_path / "publication.sig").write_text(damaged)
        with pytest.raises(OperatorError):
            verify_in(tmp_path, finished)
    (tmp_path / "publication.sig").unlink()
    with pytest.raises(InputError):
        verify_in(tmp_path, finished)


def a_site(name: str, band: str = "200-299") -> Site:
    return Site(site_id=name, attributes={"type": "acute_general", "bed_band": band})


def test_late_sites_join_by_size_group_and_three_at_a_time() -> None:
    before = ["a", "b", "c", "d", "e"]
    sites = [a_site(name) for name in before]
    late = [a_site("x"), a_site("y"), a_site("z", "500+")]
    assert admitted(sites, [], 3) == set(before)
    assert admitted([*sites, *late], before, 3) == set(before), "three in all, but not of one group"
    assert admitted([*sites, *late, a_site("w")], before, 3) == {*before, "x", "y", "w"}
    assert admitted([*sites, *late], before, 1) == {*before, "x", "y", "z"}


def test_a_late_site_waits_so_that_two_publications_do_not_show_it(finished: World) -> None:
    first = publish_now(finished)
    finished.enrol("site-09")
    finished.open()
    finished.pump()
    advance_rounds(finished.store, finished.clock)
    with finished.store.reading() as reader:
        text = dry_run_text(draft(reader, finished.config, finished.clock))
    assert "waiting: site-09" in text
    assert not publish_now(finished).is_new
    for name in ("site-10", "site-11"):
        finished.enrol(name)
    finished.open()
    finished.pump()
    advance_rounds(finished.store, finished.clock)
    second = publish_now(finished).publication
    assert (first.publication.sites, second.sites) == (8, 11)


def test_a_publication_that_shows_nothing_does_not_forget_who_was_shown(finished: World) -> None:
    """The members of a year are those of the newest publication that showed it, and all of them stay downloadable."""
    publish_now(finished)
    moment = finished.clock.moment
    finished.clock.moment = moment.replace(year=YEAR, month=2, day=1)  # a clock set back: all is within the embargo
    assert not any(row.status is Status.OK for row in publish_now(finished).publication.rows)
    finished.clock.moment = moment
    finished.enrol("site-09")
    finished.open()
    finished.pump()
    advance_rounds(finished.store, finished.clock)
    assert publish_now(finished).publication.sites == 8


def test_all_figures_of_a_year_use_the_same_sites(finished: World) -> None:
    """A site that answered the trends and refused the benchmark is in neither."""
    half = finished.enrol("site-09")
    finished.open()
    delivery = finished.take(half)[0]
    batch = request_envelopes(delivery)
    trend_only = pb.Batch(envelopes=[half.answer(raw, finished.pso) for raw in batch[4:]])
    finished.deliver(delivery.delivery_id, trend_only.SerializeToString())
    close_rounds(finished.store)
    with finished.store.reading() as reader:
        assert len(reader.releases_of_site("site-09")) == 4
        made = draft(reader, finished.config, finished.clock)
    assert made.publication.sites == 8
    assert {row.n_sites for row in made.publication.rows if row.peer_group == "all"} == {8}


def test_a_plan_that_lacks_a_published_site_is_left_out(finished: World) -> None:
    """The benchmark alone was published, with nine sites; the trend that finished later has eight of them."""
    ninth = finished.enrol("site-09")
    finished.open()
    delivery = finished.take(ninth)[0]
    batch = request_envelopes(delivery)
    benchmark_only = pb.Batch(envelopes=[ninth.answer(raw, finished.pso) for raw in batch[:4]])
    finished.deliver(delivery.delivery_id, benchmark_only.SerializeToString())
    close_rounds(finished.store)
    with finished.store.reading() as reader:
        plans = reader.plans()
        before = [f"site-{number:02d}" for number in range(1, 10)]
        part = _year_part(reader, plans, before, finished.config.gate, finished.clock.now().date())
    assert part.left_out == (f"{YEAR}-trend",)
    assert {row.n_sites for row in part.rows if row.peer_group == "all"} == {9}


def test_a_number_beyond_any_database_has_no_publication(finished: World) -> None:
    publish_now(finished)
    shelf = Shelf(finished.store)
    assert shelf.get(1) is not None
    for number in (2, 2**63, 10**30):
        assert shelf.get(number) is None
        assert shelf.file(number, "publication.json") is None
