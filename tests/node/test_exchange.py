"""Rounds as files: the same statements, the same answers, the same bytes however often a file is carried in."""

from __future__ import annotations

import shutil
import sqlite3
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from node.enrolment import init_site
from node.outbox import Outbox
from node.parcel import MAX_ENVELOPES, MAX_PARCEL_BYTES, Answered, answer_parcel, pack_parcel, read_parcel
from node.synthetic.write import write_network
from protocols.enrolment import open_enrolment
from protocols.operator.errors import InputError
from protocols.statement import canonical_bytes, key_id, open_statement, parse_envelope, seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.node.shell import Ran, type_in
from tests.node.world import SITE, Node, Pso, supported_site, write_profile

SITE_DATA = supported_site(3)


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    return Node(tmp_path / "node", pso, SITE_DATA)


@pytest.fixture
def outbox(node: Node) -> Outbox:
    return Outbox(node.config.paths.journal)


def _parcel(path: Path, *envelopes: bytes) -> Path:
    path.write_bytes(canonical_bytes(pb.Batch(envelopes=envelopes)))
    return path


def _carry_in(node: Node, outbox: Outbox, path: Path) -> tuple[Answered, ...]:
    keys = {key_id(node.pso.key.public_key()): node.pso.key.public_key()}
    return answer_parcel(read_parcel(path, SITE, keys), node.inbox, outbox)


def _carried_out(outbox: Outbox) -> bytes:
    waiting = outbox.waiting()
    outbox.mark_exported(tuple(number for number, _ in waiting))
    return pack_parcel(tuple(answer for _, answer in waiting))


def test_a_file_is_answered_as_the_relay_s_bytes_are(node: Node, pso: Pso, outbox: Outbox, tmp_path: Path) -> None:
    requests = [pso.request(pso.plan(), quarter) for quarter in (1, 2)]
    answered = _carry_in(node, outbox, _parcel(tmp_path / "in", *requests))
    assert answered == (Answered("request", "release"), Answered("request", "release"))
    batch = pb.Batch.FromString(_carried_out(outbox))
    assert list(batch.envelopes) == [node.answer(request) for request in requests], "by relay it is the same bytes"


def test_the_same_file_again_gives_the_same_bytes_and_costs_nothing(
    node: Node, pso: Pso, outbox: Outbox, tmp_path: Path
) -> None:
    renewal = pso.approval(node.enrolment(), serial=2)
    path = _parcel(tmp_path / "in", pso.request(pso.plan(), 1), renewal, pso.request(pso.plan(year=2026), 3))
    _carry_in(node, outbox, path)
    first, spent, length = _carried_out(outbox), node.ledger.spent(2025), node.ledger.head().length
    for _ in range(3):
        node.clock.now += 3600
        _carry_in(node, outbox, path)
        assert _carried_out(outbox) == first
    assert (node.ledger.spent(2025), node.ledger.head().length) == (spent, length)
    kinds = [parse_envelope(raw).kind for raw in pb.Batch.FromString(first).envelopes]
    assert kinds == ["release", "acknowledgement", "refusal"]


def test_an_export_carries_what_is_new_and_the_last_one_can_be_written_again(
    node: Node, pso: Pso, outbox: Outbox, tmp_path: Path
) -> None:
    assert outbox.waiting() == ()
    for quarter in (1, 2):
        _carry_in(node, outbox, _parcel(tmp_path / "in", pso.request(pso.plan(), quarter)))
    first = _carried_out(outbox)
    assert len(pb.Batch.FromString(first).envelopes) == 2
    assert _carried_out(outbox) == first
    _carry_in(node, outbox, _parcel(tmp_path / "in", pso.request(pso.plan(), 3)))
    assert len(pb.Batch.FromString(_carried_out(outbox)).envelopes) == 1


def test_a_request_is_asked_anew_so_that_a_pause_holds_for_files_too(
    node: Node, pso: Pso, outbox: Outbox, tmp_path: Path
) -> None:
    path = _parcel(tmp_path / "in", pso.request(pso.plan(), 1))
    _carry_in(node, outbox, path)
    node.config.pause_file.touch()
    assert _carry_in(node, outbox, path) == (Answered("request", "paused"),)
    node.config.pause_file.unlink()
    assert _carry_in(node, outbox, path) == (Answered("request", "release"),)


def _refused(path: Path, node: Node, code: str) -> None:
    head = node.ledger.head()
    with pytest.raises(InputError) as caught:
        _carry_in(node, Outbox(node.config.paths.journal), path)
    assert caught.value.error_code == code
    assert caught.value.hint
    assert node.ledger.head() == head
    assert Outbox(node.config.paths.journal).waiting() == ()


def test_a_file_that_is_cut_short_anywhere_is_refused_whole(node: Node, pso: Pso, tmp_path: Path) -> None:
    whole = _parcel(tmp_path / "in", pso.request(pso.plan(), 1)).read_bytes()
    for length in range(0, len(whole), 17):
        (tmp_path / "cut").write_bytes(whole[:length])
        _refused(tmp_path / "cut", node, "parcel")


def test_nothing_in_a_file_is_acted_on_if_anything_in_it_is_not_the_pso_s(node: Node, pso: Pso, tmp_path: Path) -> None:
    good = pso.request(pso.plan(), 1)
    stranger = Pso()
    for bad in (
        stranger.request(stranger.plan(), 1),
        b"garbage",
        good[:-1],
        seal_statement(pb.Refusal(site_id=SITE, code="paused"), pso.key),
    ):
        _refused(_parcel(tmp_path / "in", good, bad), node, "parcel")


def test_another_site_s_file_is_refused_by_name(node: Node, pso: Pso, tmp_path: Path) -> None:
    foreign = _parcel(tmp_path / "in", pso.request(pso.plan(), 1), pso.request(pso.plan(), 1, site_id="site-b"))
    _refused(foreign, node, "foreign_parcel")
    with pytest.raises(InputError, match="is for site-b, and this is site-a"):
        _carry_in(node, Outbox(node.config.paths.journal), foreign)


def test_files_beyond_every_bound_are_refused_before_they_are_read(node: Node, pso: Pso, tmp_path: Path) -> None:
    huge = tmp_path / "huge"
    with huge.open("wb") as file:
        file.truncate(100 * 1024 * 1024)
    _refused(huge, node, "too_large")
    many = [pso.request(pso.plan(), 1, request_id=f"r{number}") for number in range(MAX_ENVELOPES + 1)]
    _refused(_parcel(tmp_path / "many", *many), node, "parcel")
    _refused(_parcel(tmp_path / "none"), node, "parcel")
    _refused(tmp_path, node, "file")
    _refused(tmp_path / "absent", node, "file")
    assert huge.stat().st_size > MAX_PARCEL_BYTES


class Hospital:
    """A site as its command line makes it, over exports of an invented network."""

    def __init__(self, folder: Path, pso: Pso, exports: Path) -> None:
        self.folder, self.config = folder, folder / "node.toml"
        init_site(folder, SITE, exports)
        write_profile(folder / "profile.toml")
        self.run("request")
        self.enrolment = open_enrolment((folder / f"{SITE}.enrolment").read_bytes()).message
        (folder / "approval").write_bytes(pso.approval(self.enrolment))
        self.run("import-approval", folder / "approval", "--fingerprint", pso.fingerprint)

    def run(self, *words: str | Path) -> Ran:
        ran = type_in(*words, "--config", self.config)
        assert ran.exit_code == 0, ran.err
        return ran

    def refused(self, *words: str | Path) -> str:
        ran = type_in(*words, "--config", self.config)
        assert ran.exit_code in (1, 4)
        assert "What to do" in ran.err
        return ran.err


@pytest.fixture(scope="module")
def exports(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One invented site's exports of 2025."""
    folder = tmp_path_factory.mktemp("world")
    write_network(folder, 1, 1, 2025, 1)
    return folder / "sites" / "site-01" / "exports"


def test_a_round_by_hand_as_a_hospital_types_it(tmp_path: Path, pso: Pso, exports: Path) -> None:
    hospital = Hospital(tmp_path / "s", pso, exports)
    parcel = _parcel(tmp_path / "in", pso.request(pso.plan(), 1), pso.approval(hospital.enrolment, serial=2))
    assert "no answer waits" in hospital.refused("export", "--out", tmp_path / "out")
    for out in ("out", "again"):
        said = hospital.run("import", parcel).out
        assert "1 x request: release" in said
        assert "1 x approval: acknowledgement" in said
        exported = hospital.run("export", "--out", tmp_path / out).out
        assert "1 release, 1 receipt, 0 refusals. " in exported
        assert "noise on it" in exported
    assert (tmp_path / "out").read_bytes() == (tmp_path / "again").read_bytes()
    assert "exists" in hospital.refused("export", "--out", tmp_path / "out")
    envelopes = pb.Batch.FromString((tmp_path / "out").read_bytes()).envelopes
    public = Ed25519PublicKey.from_public_bytes(hospital.enrolment.signing_key)
    release = open_statement(envelopes[0], pb.Release, {key_id(public): public}).message
    assert release.site_id == SITE
    assert len(release.tables[0].values) > 0


def test_what_waits_stays_inside_while_the_site_has_paused_or_left(tmp_path: Path, pso: Pso, exports: Path) -> None:
    hospital = Hospital(tmp_path / "s", pso, exports)
    hospital.run("import", _parcel(tmp_path / "in", pso.request(pso.plan(), 1)))
    hospital.run("pause")
    assert "paused" in hospital.refused("export", "--out", tmp_path / "out")
    hospital.run("resume")
    assert "--yes" in hospital.refused("leave")
    assert "Left" in hospital.run("leave", "--yes").out
    for words in (("leave", "--yes"), ("rekey",), ("request",)):
        assert "site_left" in hospital.refused(*words)
    assert "site_left" in hospital.refused("export", "--out", tmp_path / "out")
    assert not (tmp_path / "out").exists()
    assert "1 x request: site_left" in hospital.run("import", tmp_path / "in").out
    exported = hospital.run("export", "--out", tmp_path / "out").out
    assert "0 releases, 0 receipts, 1 refusal (site_left 1)." in exported
    assert "noise" not in exported


def test_an_old_ledger_and_an_old_file_draw_nothing_a_second_time(tmp_path: Path, pso: Pso, exports: Path) -> None:
    """The journal stays, as when somebody puts back the one file that is called the ledger."""
    hospital = Hospital(tmp_path / "s", pso, exports)
    parcel, ledger = _parcel(tmp_path / "in", pso.request(pso.plan(), 1)), tmp_path / "s" / "ledger.sqlite"
    with sqlite3.connect(ledger) as own, sqlite3.connect(tmp_path / "backup") as copy:
        own.backup(copy)
    own.close()
    copy.close()
    hospital.run("import", parcel)
    hospital.run("export", "--out", tmp_path / "first")
    for part in ledger.parent.glob("ledger.sqlite*"):
        part.unlink()
    shutil.copy(tmp_path / "backup", ledger)
    assert "1 x request: ledger_behind" in hospital.run("import", parcel).out
    assert "0 releases, 0 receipts, 1 refusal (ledger_behind 1)" in hospital.run("export", "--out", tmp_path / "2").out
    found = type_in("preflight", "--offline", "--config", hospital.config)
    assert "was seen before, and this ledger does not hold it" in found.out
