"""The life of a site on both sides: renewal, other keys, a restored backup, files instead of the pipe, and leaving."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from coordinator.files import export_due, import_answers
from coordinator.publications.build import publish
from coordinator.sites.reconciliation import reconcile_site
from coordinator.sites.register import dismiss_site, known_site, site_status
from coordinator.store.schema import NoticeKind, Site
from node.config import NodeConfig
from node.identity import load_identity
from node.keychange import change_signing_key, change_transport_key
from node.membership import load_membership
from node.release.site import SiteData
from node.shelf import newest_publication
from protocols.statement import open_statement
from protocols.v1 import leadline_pb2 as pb
from tests.federation.world import YEAR, Federation
from tests.node.world import supported_site

SITES = 5
_SITE = supported_site(24)


def _load(_config: NodeConfig) -> SiteData:
    return _SITE


@pytest.fixture
def federation(tmp_path: Path) -> Federation:
    made = Federation(tmp_path, SITES, _load)
    made.turn()  # every site acknowledges its approval
    return made


def site_of(federation: Federation, number: int = 1) -> Site:
    with federation.store.reading() as reader:
        return known_site(reader, f"site-{number:02d}")


def serial_at_node(federation: Federation, number: int = 0) -> int:
    membership = load_membership(federation.nodes[number].config)
    assert membership is not None
    return membership.approval.serial


def test_approvals_renew_themselves_for_years_and_a_site_that_was_away_catches_up(federation: Federation) -> None:
    for _ in range(4):
        federation.wait(days=21)
        federation.turn(offline=frozenset({1}))
    assert (serial_at_node(federation, 0), serial_at_node(federation, 1)) == (5, 1)
    federation.open()
    federation.settle()
    assert set(federation.states().values()) == {"complete"}
    assert serial_at_node(federation, 1) == 2
    with federation.store.reading() as reader:
        status = site_status(reader, known_site(reader, "site-01"), federation.clock.now())
    assert (status.acknowledged_serial, status.is_approved) == (5, True)
    federation.check_invariants()


def test_a_site_exchanges_both_keys_between_sealing_and_arriving(federation: Federation) -> None:
    federation.open()
    federation.turn(deliver=0)  # sealed everywhere, and every answer is lost
    node = federation.nodes[0]
    node.ledger.close()
    change_signing_key(node.config, federation.clock)
    change_transport_key(node.config)
    node.start()
    federation.wait(minutes=20)
    federation.turn()
    assert set(federation.states().values()) == {"open"}, "the new relay is nobody's before it is approved"
    assert "old ones are retired" in federation.approve(node, new_keys=True).act
    node.start()
    federation.settle()
    assert set(federation.states().values()) == {"complete"}
    with federation.store.reading() as reader:
        assert len(reader.releases_of_site("site-01")) == 8
    assert all(len(answers) == 1 for answers in node.released.values())
    federation.wait(days=25)
    federation.turn()
    assert serial_at_node(federation) == 3, "renewed for the new keys"


def test_a_restored_backup_is_told_what_it_lost_and_goes_on_next_year(federation: Federation) -> None:
    node = federation.nodes[0]
    paths = node.config.paths
    node.ledger.close()
    backup = shutil.copy(paths.ledger, paths.ledger.with_name("backup"))
    node.start()
    federation.open()
    federation.settle()
    spent, known = node.ledger.spent(YEAR), site_of(federation).ledger_length
    node.ledger.close()
    shutil.copy(backup, paths.ledger)
    node.start()
    federation.open(YEAR - 1)
    federation.wait(minutes=1)
    federation.settle()
    with federation.store.reading() as reader:
        refused = {r.refusal_code for r in reader.requests(f"{YEAR - 1}-benchmark-1", "site-01")}
    assert refused == {"ledger_behind"}
    length = node.ledger.head().length
    told = reconcile_site(federation.store, federation.clock, federation.key, "site-01", length)
    statement = open_statement(told.envelope, pb.Reconciliation, load_identity(node.config).pso_keys).message
    with node.ledger.locked():
        node.ledger.reconcile(statement, node.config.policy.budget_nano(), federation.clock.now_s())
    assert node.ledger.spent(YEAR) == spent, "what was spent stays spent"
    federation.open(YEAR - 2)
    federation.settle()
    with federation.store.reading() as reader:
        assert len(reader.releases_of_plan(f"{YEAR - 2}-benchmark")) == 4 * SITES
    assert site_of(federation).ledger_length > known


def test_a_publication_reaches_every_site_and_is_acknowledged(federation: Federation) -> None:
    federation.open()
    federation.settle()
    federation.wait(days=300)
    made = publish(federation.store, federation.config, federation.clock, federation.key)
    federation.turn()
    for node in federation.nodes:
        assert newest_publication(node.config.paths.publications, federation.key.public_key()) == made.publication
    with federation.store.reading() as reader:
        numbers = {reader.acknowledged(site.site_id, NoticeKind.PUBLICATION) for site in reader.sites()}
    assert numbers == {1}
    federation.wait(hours=1)
    assert federation.turn() == 0, "nothing is sent twice"


def test_a_round_by_file_costs_what_a_round_by_pipe_costs(federation: Federation, tmp_path: Path) -> None:
    federation.open()
    node, due, back = federation.nodes[0], tmp_path / "due", tmp_path / "back"
    for _ in range(2):
        export_due(federation.store, federation.clock, federation.config, federation.key, "site-01", due)
        answer = node.exchange(due.read_bytes())
        assert answer is not None
        back.write_bytes(answer)
    for _ in range(2):
        taken = import_answers(federation.store, federation.clock, federation.config, "site-01", back)
        assert (taken.outcomes, taken.refused) == ({"release": 8}, {})
    federation.settle()
    assert set(federation.states().values()) == {"complete"}
    federation.check_invariants()
    assert node.ledger.spent(YEAR) == federation.nodes[1].ledger.spent(YEAR)


def test_a_site_leaves_and_the_others_go_on(federation: Federation) -> None:
    node = federation.nodes[0]
    federation.open()
    with node.ledger.locked():
        node.ledger.leave(federation.clock.now_s())
    federation.settle()
    with federation.store.reading() as reader:
        codes = {r.refusal_code for r in reader.requests(f"{YEAR}-benchmark-1", "site-01")}
        assert len(reader.releases_of_plan(f"{YEAR}-benchmark")) == 4 * (SITES - 1)
    assert codes == {"site_left"}
    dismiss_site(federation.store, "site-01")
    federation.wait(days=100)
    federation.turn()
    assert serial_at_node(federation) == 1, "an approval is not renewed after leaving"
    assert {serial_at_node(federation, number) for number in range(1, SITES)} == {2}
