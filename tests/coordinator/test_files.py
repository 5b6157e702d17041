"""Rounds by file: the same statements, the same bookkeeping, safe to repeat, and wrong files are named."""

from __future__ import annotations

from pathlib import Path

import pytest

from coordinator.files import Taken, export_due, import_answers
from coordinator.outbox import MAX_ENVELOPES
from coordinator.rounds.states import RequestState
from coordinator.sites.register import disable_site, dismiss_site
from protocols.operator.errors import InputError, OperatorError, RuleError
from protocols.refusals import Code
from protocols.statement import parse_envelope
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import YEAR, World


def exported(world: World, site_id: str = "site-01") -> Path:
    file = world.folder / f"{site_id}.due"
    export_due(world.store, world.clock, world.config, world.key, site_id, file)
    return file


def answered(world: World, file: Path, number: int = 0) -> Path:
    answers = file.with_suffix(".answers")
    answers.write_bytes(world.sites[number].exchange(file.read_bytes(), world.pso))
    return answers


def taken(world: World, file: Path, site_id: str = "site-01") -> Taken:
    return import_answers(world.store, world.clock, world.config, site_id, file)


def states(world: World) -> set[RequestState]:
    with world.store.reading() as reader:
        return {request.state for request in reader.requests(f"{YEAR}-benchmark-1", "site-01")}


def test_a_round_by_file_is_a_round(world: World) -> None:
    world.open()
    file = exported(world)
    assert {parse_envelope(raw).kind for raw in pb.Batch.FromString(file.read_bytes()).envelopes} == {"request"}
    assert world.take(world.sites[0]) == [], "it counts as sent"
    assert taken(world, answered(world, file)) == Taken({"release": 8}, {})
    assert states(world) == {RequestState.ANSWERED}
    with pytest.raises(RuleError, match="nothing is due"):
        exported(world)


def test_everything_may_be_repeated(world: World) -> None:
    world.open()
    first = exported(world).read_bytes()
    again = exported(world)
    assert again.read_bytes() == first, "a file that was lost is made again, at once"
    answers = answered(world, again)
    assert [taken(world, answers).taken for _ in range(3)] == [8] * 3
    with world.store.reading() as reader:
        assert len(reader.releases_of_site("site-01")) == 8
    assert len(world.sites[0].sealed) == 8


def test_files_and_the_pipe_can_be_mixed(world: World) -> None:
    world.open()
    answers = answered(world, exported(world))
    world.clock.forward(minutes=2)
    assert world.pump(world.sites[0]) == 1
    assert taken(world, answers) == Taken({"release": 8}, {})
    assert len(world.sites[0].sealed) == 8


def test_an_approval_that_is_due_is_in_the_file(world: World) -> None:
    world.clock.forward(days=25)
    kinds = [parse_envelope(raw).kind for raw in pb.Batch.FromString(exported(world).read_bytes()).envelopes]
    assert kinds == ["approval"]
    assert taken(world, answered(world, exported(world))) == Taken({"acknowledgement": 1}, {})


def test_another_sites_file_is_refused_and_settles_nothing(world: World) -> None:
    world.open()
    exported(world)
    theirs = answered(world, exported(world, "site-02"), 1)
    with pytest.raises(RuleError, match="holds no answer that can be taken from site site-01") as caught:
        taken(world, theirs)
    assert caught.value.error_code == Code.WRONG_SITE.value
    assert "at this very site" in caught.value.hint
    assert states(world) == {RequestState.WAITING}


def test_what_was_exported_is_no_answer(world: World) -> None:
    world.open()
    with pytest.raises(RuleError, match="wrong_kind"):
        taken(world, exported(world))


def test_a_file_with_some_strange_answers_brings_the_others(world: World) -> None:
    world.open()
    file = answered(world, exported(world))
    theirs = answered(world, exported(world, "site-02"), 1)
    batch = pb.Batch.FromString(file.read_bytes())
    batch.envelopes.extend([*pb.Batch.FromString(theirs.read_bytes()).envelopes[:2], b"junk"])
    file.write_bytes(batch.SerializeToString())
    assert taken(world, file) == Taken({"release": 8}, {Code.WRONG_SITE: 2, Code.MALFORMED: 1})


FOREIGN = {
    "empty": b"",
    "text": b"site_id,count\n",
    "not whole": b"\x0a\xff\x01",
    "too many": pb.Batch(envelopes=[b"x"] * (MAX_ENVELOPES + 1)).SerializeToString(),
    "too large": pb.Batch(envelopes=[bytes(9 * 1024 * 1024)]).SerializeToString(),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_a_foreign_file_is_named_and_changes_nothing(world: World, name: str) -> None:
    world.open()
    file = world.folder / "foreign"
    file.write_bytes(FOREIGN[name])
    with pytest.raises(InputError, match="is no file of answers"):
        taken(world, file)


def test_files_and_sites_that_are_not_there_are_named(world: World) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        taken(world, world.folder / "absent")
    world.open()
    with pytest.raises(InputError, match="cannot be written"):
        export_due(world.store, world.clock, world.config, world.key, "site-01", world.folder / "absent" / "file")
    file = answered(world, exported(world))
    disable_site(world.store, "site-01")
    dismiss_site(world.store, "site-02")
    for site_id, words in (("nobody", "no site"), ("site-01", "disabled"), ("site-02", "left")):
        for act in (lambda s: exported(world, s), lambda s: taken(world, file, s)):
            with pytest.raises(OperatorError, match=words):
                act(site_id)


def test_a_file_does_not_wait_for_the_time_at_which_the_pipe_would_ask_again(world: World) -> None:
    """The site mends its exports and asks for another file: it gets one at once."""
    world.open()
    world.sites[0].refusing = Code.DATA_NOT_READY
    assert taken(world, answered(world, exported(world))) == Taken({"data_not_ready": 8}, {})
    assert states(world) == {RequestState.WAITING}
    world.sites[0].refusing = None
    assert world.take(world.sites[0]) == [], "over the pipe it is not due yet"
    assert taken(world, answered(world, exported(world))) == Taken({"release": 8}, {})
    assert states(world) == {RequestState.ANSWERED}
