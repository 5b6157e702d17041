"""Histories: lists of operations on a whole federation. Whatever happens, the invariants hold and the rounds end."""

from __future__ import annotations

import random
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

import pytest

from coordinator.publications.build import publish
from node.config import NodeConfig
from node.release.site import SiteData
from node.shelf import publications
from protocols.operator.errors import RuleError
from protocols.refusals import Refused
from protocols.v1 import broker_pb2
from tests.federation.world import Federation
from tests.node.world import supported_site

SITES = 5
Operation = Callable[[Federation], object]
_SITE = supported_site(24)


def _load(_config: NodeConfig) -> SiteData:
    return _SITE


def _crash(step: str, number: int = 0) -> Operation:
    def operation(federation: Federation) -> None:
        federation.nodes[number].crash_at = step
        federation.turn()

    return operation


def _disorder(federation: Federation) -> None:
    """Two turns' deliveries arrive in the opposite order, the first of them late and twice."""
    nodes = [
        broker_pb2.PipeNode(node_id=n, transport_key=node.transport_key) for n, node in enumerate(federation.nodes)
    ]
    early = federation.take(nodes)
    federation.wait(minutes=20)
    federation.turn(deliver=2)
    for delivery in reversed(early):
        federation.bring(delivery, times=2)


def _pause_and_resume(federation: Federation) -> None:
    federation.nodes[1].config.pause_file.touch()
    federation.turn()
    federation.nodes[1].config.pause_file.unlink()


def _open_again(federation: Federation) -> None:
    """What an operator may do at any time; while a round of the year is open it is refused."""
    with suppress(RuleError):
        federation.open()


def _change_keys(federation: Federation) -> None:
    """A turn passes with keys that nobody has approved yet; a site that left gets no others."""
    node = federation.nodes[2]
    with suppress(Refused, RuleError):
        node.change_keys()
        federation.turn()
        federation.approve(node, new_keys=True)


def _publish(federation: Federation) -> None:
    with suppress(RuleError):  # there may be nothing to publish yet
        publish(federation.store, federation.config, federation.clock, federation.key)
    federation.turn()


OPERATIONS: dict[str, Operation] = {
    "turn": lambda f: f.turn(),
    "requests lost": lambda f: f.turn(lose_request=True),
    "answers lost": lambda f: f.turn(deliver=0),
    "answers twice": lambda f: f.turn(deliver=2),
    "late and twice": _disorder,
    "coordinator killed": lambda f: f.restart_coordinator(),
    "node killed after reserving": _crash("reserved"),
    "node killed after drawing": _crash("drawn", 1),
    "node killed after sealing": _crash("sealed", 2),
    "two sites offline": lambda f: f.turn(offline=frozenset({3, 4})),
    "paused": _pause_and_resume,
    "an hour": lambda f: f.wait(hours=1),
    "opened again": _open_again,
    "three weeks": lambda f: f.wait(days=21),
    "forty days": lambda f: f.wait(days=40),
    "other keys": _change_keys,
    "a site leaves": lambda f: f.nodes[4].leave(),
    "published": _publish,
}

NAMED = {
    "nothing goes wrong": ["turn"],
    "every answer is lost once": ["answers lost", "an hour"],
    "every request is lost once": ["requests lost", "an hour"],
    "everything arrives twice": ["answers twice", "answers twice"],
    "the coordinator is killed between asking and hearing": ["requests lost", "coordinator killed", "an hour"],
    "the coordinator is killed after hearing": ["turn", "coordinator killed"],
    "a node is killed once its answer is sealed": ["node killed after sealing", "an hour"],
    "a node is killed before its answer is sealed": ["node killed after reserving", "node killed after drawing"],
    "two sites come late": ["two sites offline", "an hour"],
    "a site pauses and resumes": ["paused", "an hour"],
    "the year is opened twice": ["turn", "opened again"],
    "a site changes its keys in the middle of a year": ["answers lost", "other keys", "an hour"],
    "approvals are renewed before they end": ["turn", "three weeks", "turn", "three weeks", "turn", "opened again"],
    "publications are sent": ["turn", "published", "answers lost", "published"],
}


def _play(folder: Path, operations: list[str]) -> Federation:
    federation = Federation(folder, SITES, _load)
    federation.open()
    for name in operations:
        OPERATIONS[name](federation)
    federation.settle()
    federation.check_invariants()
    return federation


@pytest.mark.parametrize("history", NAMED)
def test_named_history(history: str, tmp_path: Path) -> None:
    states = set(_play(tmp_path, NAMED[history]).states().values())
    if history != "a node is killed before its answer is sealed":  # what was drawn unseen is paid for, and lost
        assert states == {"complete"}


@pytest.mark.parametrize("seed", range(6))
def test_random_history(seed: int, tmp_path: Path) -> None:
    generator = random.Random(seed)  # noqa: S311 - picks operations, protects nothing
    _play(tmp_path, generator.choices(list(OPERATIONS), k=6))


def test_a_site_that_never_answers_does_not_hold_up_the_others(tmp_path: Path) -> None:
    federation = Federation(tmp_path, SITES + 1, _load)
    federation.open(deadline_s=3600)
    federation.turn(offline=frozenset({0}))
    assert set(federation.states().values()) == {"open"}
    federation.wait(hours=2)
    assert set(federation.states().values()) == {"closed_short"}
    federation.check_invariants()


def test_with_too_few_sites_at_the_deadline_the_round_fails_and_says_so(tmp_path: Path) -> None:
    federation = Federation(tmp_path, SITES, _load)
    federation.open(deadline_s=3600)
    federation.turn(offline=frozenset({0}))
    federation.wait(hours=2)
    assert set(federation.states().values()) == {"failed"}


def test_a_plan_above_the_sites_ceiling_is_refused_and_the_round_goes_on_without_it(tmp_path: Path) -> None:
    federation = Federation(tmp_path, SITES + 1, _load)
    config = federation.nodes[0].config
    frugal = config.policy.model_copy(update={"clinician_epsilon": config.policy.clinician_epsilon / 2})
    federation.nodes[0].config = config.model_copy(update={"policy": frugal})
    federation.nodes[0].start()
    federation.open()
    federation.settle()
    assert "complete" in set(federation.states().values()) | {"closed_short"}
    assert federation.nodes[0].ledger.spent(2025)["clinician"] <= frugal.budget_nano()["clinician"]
    federation.check_invariants()


def test_an_approval_that_ended_stops_every_answer_until_the_renewal_has_come(tmp_path: Path) -> None:
    federation = Federation(tmp_path, SITES, _load)
    federation.wait(days=40)
    assert not any(node.may_answer() for node in federation.nodes)
    federation.open()
    federation.settle()
    assert all(node.may_answer() for node in federation.nodes)
    assert set(federation.states().values()) == {"complete"}
    federation.check_invariants()


def test_what_a_site_released_before_it_left_stays_and_nothing_is_added(tmp_path: Path) -> None:
    federation = Federation(tmp_path, SITES + 1, _load)
    leaver = federation.nodes[4]
    federation.open()
    federation.turn(offline=frozenset({0}))
    before = leaver.ledger.head()
    leaver.leave()
    assert leaver.ledger.head().length == before.length + 1
    federation.wait(hours=1)
    federation.settle()
    assert leaver.ledger.head().length == before.length + 1
    federation.check_invariants()


def test_publications_reach_every_site(tmp_path: Path) -> None:
    federation = _play(tmp_path, ["turn", "published", "turn"])
    numbers = {publications(node.config.paths.publications) for node in federation.nodes}
    assert numbers == {(1,)}
