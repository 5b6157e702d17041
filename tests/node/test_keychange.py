"""Other keys for a site that goes on: vouched for, kept apart, and safe to cut short at every step."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from pathlib import Path

import pytest

from node.gateway import start_gateway
from node.keychange import change_signing_key, change_transport_key
from node.ledger.files import verify_file
from node.ledger.store import Ledger
from node.membership import install_approval
from protocols.enrolment import enrolment_fingerprint
from protocols.keys import load_private_key, load_public_key
from protocols.refusals import Code, Refused
from protocols.statement import key_id
from tests.node.shell import type_in
from tests.node.world import NOW, SITE, Node, Pso, supported_site, write_profile

SITE_DATA = supported_site(3)


class Cut(BaseException):
    """The power fails here."""


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    return Node(tmp_path / "node", pso, SITE_DATA)


def _approve_again(node: Node) -> None:
    node.start()
    install_approval(node.config, node.pso.approval(node.enrolment(), serial=2), None, NOW)


def test_a_year_goes_on_under_the_new_key_and_verifies_from_the_opening_key(node: Node, pso: Pso) -> None:
    opening = node.key.public_key()
    first = node.answer(pso.request(pso.plan(), 1))
    change_signing_key(node.config, node.clock)
    _approve_again(node)
    assert node.key.public_key() != opening
    assert node.answer(pso.request(pso.plan(), 1)) == first
    assert node.release(pso.request(pso.plan(), 2)).key_id == key_id(node.key.public_key())
    checked = verify_file(node.config.paths.ledger, opening)
    assert checked.keys == (opening, node.key.public_key())
    assert node.ledger.spent(2025)["clinician"] == 30_000_000, "the year was paid for under the old key"


def test_every_retired_key_is_kept_beside_the_new_one(node: Node) -> None:
    folder = node.config.paths.signing_key.parent
    keys = [node.key]
    for _ in range(2):
        change_signing_key(node.config, node.clock)
        keys.append(load_private_key(folder / "site.key"))
    retired = [load_private_key(folder / f"site.key.retired-{number}") for number in (1, 2)]
    assert [key.public_key() for key in [*retired, keys[-1]]] == [key.public_key() for key in keys]
    assert load_public_key(folder / "site.pub") == keys[-1].public_key()
    assert load_public_key(folder / "site.pub.retired-1") == keys[0].public_key()
    assert not (folder / "site.key.new").exists()
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.glob("site.key*"))


def test_the_relay_s_key_changes_alone(node: Node) -> None:
    relay, before = node.config.paths.relay, node.enrolment()
    old = (relay / "transport").read_bytes()
    change_transport_key(node.config)
    after = node.enrolment()
    assert after.signing_key == before.signing_key
    assert after.transport_key != before.transport_key
    assert enrolment_fingerprint(after) != enrolment_fingerprint(before)
    assert (relay / "transport.retired-1").read_bytes() == old
    assert sorted(path.name for path in relay.glob("transport*")) == [
        "transport", "transport.pub", "transport.pub.retired-1", "transport.retired-1",
    ]  # fmt: skip


def _cut_before(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, nth: int) -> None:
    """Let the `nth` call of a function be the moment at which the power fails."""
    whole: Callable[..., object] = getattr(owner, name)
    calls = 0

    def cut(*args: object, **more: object) -> object:
        nonlocal calls
        calls += 1
        if calls == nth:
            raise Cut
        return whole(*args, **more)

    monkeypatch.setattr(owner, name, cut)


@pytest.mark.parametrize(
    ("owner", "name", "nth"),
    [
        (Ledger, "rekey", 1),
        ("node.keychange", "_retire", 1),
        ("node.keychange", "_retire", 2),
        ("node.keychange", "put_file", 1),
        (Path, "replace", 1),
        (Path, "replace", 2),
        ("node.keychange", "sync_folder", 1),
    ],
)
def test_cut_short_at_any_step_the_command_run_again_finishes_it(
    owner: type | str, name: str, nth: int, node: Node, pso: Pso, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = node.key.public_key()
    first = node.answer(pso.request(pso.plan(), 1))
    with monkeypatch.context() as cut:
        _cut_before(cut, import_module(owner) if isinstance(owner, str) else owner, name, nth)
        with pytest.raises(Cut):
            change_signing_key(node.config, node.clock)
    change_signing_key(node.config, node.clock)
    _approve_again(node)
    assert node.answer(pso.request(pso.plan(), 1)) == first
    assert node.kind(pso.request(pso.plan(), 2)) == "release"
    verify_file(node.config.paths.ledger, opening)
    assert load_public_key(node.config.paths.signing_key.with_suffix(".pub")) == node.key.public_key()


def test_a_site_that_left_gets_no_new_keys(node: Node) -> None:
    with node.ledger.locked():
        node.ledger.leave(NOW)
    with pytest.raises(Refused) as caught:
        change_signing_key(node.config, node.clock)
    assert caught.value.code is Code.SITE_LEFT
    node.start()


def test_as_a_hospital_types_it(tmp_path: Path, pso: Pso) -> None:
    config = tmp_path / "s" / "node.toml"
    type_in("init", "--dir", tmp_path / "s", "--site-id", SITE, "--exports", tmp_path)
    write_profile(tmp_path / "s" / "profile.toml")
    before = type_in("request", "--config", config, "--format", "json").data["fingerprint"]
    ran = type_in("rekey", "--config", config, "--format", "json")
    assert ran.data == {"changed": ["signing", "transport"]}
    assert type_in("request", "--config", config, "--format", "json").data["fingerprint"] != before
    assert type_in("rekey", "--transport", "--config", config, "--format", "json").data == {"changed": ["transport"]}
    assert type_in("rekey", "--signing", "--config", config, "--format", "json").data == {"changed": ["signing"]}
    assert type_in("ledger", "show", "--config", config).exit_code == 0


def test_no_key_is_changed_under_a_daemon_that_runs(tmp_path: Path) -> None:
    config = tmp_path / "s" / "node.toml"
    type_in("init", "--dir", tmp_path / "s", "--site-id", SITE, "--exports", tmp_path)
    before = (tmp_path / "s" / "keys" / "site.key").read_bytes()
    server = start_gateway(tmp_path / "s" / "run" / "node.sock", lambda raw: raw)
    try:
        ran = type_in("rekey", "--config", config)
    finally:
        server.stop(0).wait()
    assert ran.exit_code == 1
    assert "stop it" in ran.err
    assert (tmp_path / "s" / "keys" / "site.key").read_bytes() == before
