"""Approvals: whose, for which keys, since when and until when, and that an older one never comes back."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from node.keychange import change_signing_key, change_transport_key
from node.membership import CLOCK_SKEW_S, MembershipState, install_approval, load_membership
from node.standing import check_standing
from protocols.keys import canonical_transport_key, create_transport_key
from protocols.operator.errors import InputError, SignatureError
from protocols.refusals import Code, Refused
from protocols.v1 import leadline_pb2 as pb
from tests.node.world import DAY_S, NOW, Node, Pso, SettableClock, supported_site

SITE_DATA = supported_site(3)


@pytest.fixture
def pso() -> Pso:
    return Pso()


@pytest.fixture
def node(tmp_path: Path, pso: Pso) -> Node:
    return Node(tmp_path / "node", pso, SITE_DATA)


def _renew(node: Node, **changes: object) -> bytes:
    return node.pso.approval(node.enrolment(), **({"serial": 2} | changes))


def _kept(node: Node) -> pb.Approval:
    membership = load_membership(node.config)
    assert membership is not None
    return membership.approval


def _code(node: Node, raw: bytes) -> Code:
    with pytest.raises(Refused) as caught:
        install_approval(node.config, raw, None, node.clock.now)
    return caught.value.code


def test_a_renewal_takes_the_place_of_the_approval_before(node: Node) -> None:
    raw = _renew(node, valid_until_s=NOW + 90 * DAY_S)
    install_approval(node.config, raw, None, NOW)
    assert node.config.paths.approval.read_bytes() == raw
    assert (_kept(node).serial, _kept(node).valid_until_s) == (2, NOW + 90 * DAY_S)
    install_approval(node.config, raw, None, NOW)
    assert node.config.paths.approval.read_bytes() == raw


def test_an_older_approval_never_comes_back_and_none_has_a_twin(node: Node) -> None:
    first = node.config.paths.approval.read_bytes()
    install_approval(node.config, _renew(node), None, NOW)
    assert _code(node, first) is Code.MEMBERSHIP_ENDED
    assert _code(node, _renew(node, valid_until_s=NOW + 90 * DAY_S)) is Code.MEMBERSHIP_ENDED
    assert _kept(node).serial == 2


def test_an_approval_of_another_pso_changes_nothing(node: Node) -> None:
    stranger = Pso()
    places = (node.config.paths.approval, node.config.paths.pso_key)
    before = [place.read_bytes() for place in places]
    raw = stranger.approval(node.enrolment(), serial=9)
    assert _code(node, raw) is Code.UNKNOWN_KEY
    with pytest.raises(SignatureError, match="not what was typed"):
        install_approval(node.config, raw, stranger.fingerprint, NOW)
    assert [place.read_bytes() for place in places] == before


def test_an_approval_for_another_site_or_for_other_keys_is_refused(node: Node, tmp_path: Path) -> None:
    other = canonical_transport_key(create_transport_key(tmp_path / "t").read_text())
    for changes in (
        {"site_id": "site-b"},
        {"transport_key": other},
        {"signing_key": Ed25519PrivateKey.generate().public_key().public_bytes_raw()},
    ):
        assert _code(node, _renew(node, **changes)) is Code.WRONG_SITE
    assert _kept(node).serial == 1


@pytest.mark.parametrize(
    ("since", "until", "state"),
    [
        (-1, 1, MembershipState.VALID),
        (0, 1, MembershipState.VALID),
        (CLOCK_SKEW_S, CLOCK_SKEW_S + 1, MembershipState.VALID),
        (CLOCK_SKEW_S + 1, CLOCK_SKEW_S + 2, MembershipState.NOT_YET),
        (-2, 0, MembershipState.ENDED),
        (-2, -1, MembershipState.ENDED),
    ],
)
def test_an_approval_holds_from_a_day_before_its_first_moment_until_its_last(
    since: int, until: int, state: MembershipState, node: Node
) -> None:
    raw = _renew(node, valid_from_s=NOW + since, valid_until_s=NOW + until)
    if state is MembershipState.VALID:
        assert install_approval(node.config, raw, None, NOW).state(NOW) is state
        return
    assert _code(node, raw) is Code.MEMBERSHIP_ENDED
    membership = load_membership(node.config)
    assert membership is not None
    changed = pb.Approval()
    changed.CopyFrom(membership.approval)
    changed.valid_from_s, changed.valid_until_s = NOW + since, NOW + until
    assert dataclasses.replace(membership, approval=changed).state(NOW) is state


def test_nothing_is_answered_after_the_approval_ended_and_a_renewal_opens_the_way_again(node: Node, pso: Pso) -> None:
    first = node.release(pso.request(pso.plan(), 1))
    node.clock.now = NOW + 30 * DAY_S
    for quarter in (1, 2):
        assert node.refusal(pso.request(pso.plan(), quarter)).code == Code.MEMBERSHIP_ENDED
    spent = node.ledger.spent(2025)
    assert node.kind(_renew(node)) == "acknowledgement"
    assert node.release(pso.request(pso.plan(), 1)).body == first.body
    assert node.ledger.spent(2025) == spent


def test_without_an_approval_nothing_is_answered_charged_or_read(tmp_path: Path, pso: Pso) -> None:
    node = Node(tmp_path / "node", pso, SITE_DATA, approve=False)
    assert load_membership(node.config) is None
    refusal = node.refusal(pso.request(pso.plan(), 1))
    assert refusal.code == Code.MEMBERSHIP_ENDED
    assert node.ledger.head().length == 1


@pytest.mark.parametrize("change", ["signing", "transport"])
def test_other_keys_end_the_membership_until_they_are_approved(change: str, node: Node, pso: Pso) -> None:
    first = node.release(pso.request(pso.plan(), 1))
    if change == "signing":
        change_signing_key(node.config, node.clock)
    else:
        change_transport_key(node.config)
    old = node.key.public_key().public_bytes_raw()
    with pytest.raises(Refused) as caught:
        check_standing(node.config, node.ledger, old, NOW)
    assert caught.value.code is Code.MEMBERSHIP_ENDED
    node.start()
    assert node.refusal(pso.request(pso.plan(), 1)).code == Code.MEMBERSHIP_ENDED
    install_approval(node.config, _renew(node), None, NOW)
    again = node.answer(pso.request(pso.plan(), 1))
    assert pb.Envelope.FromString(again).body == first.body, "sealed bytes stay, under the key that sealed them"


def test_a_daemon_that_runs_on_with_the_old_key_answers_nothing_even_once_the_new_one_is_approved(
    node: Node, pso: Pso
) -> None:
    change_signing_key(node.config, node.clock)
    install_approval(node.config, _renew(node), None, NOW)
    length = node.ledger.head().length
    assert node.kind(pso.request(pso.plan(), 1)) == "refusal"
    assert node.ledger.head().length == length


def test_an_approval_that_was_altered_on_the_disk_is_found_and_can_be_replaced(node: Node, pso: Pso) -> None:
    raw = bytearray(node.config.paths.approval.read_bytes())
    raw[len(raw) // 2] ^= 1
    node.config.paths.approval.write_bytes(bytes(raw))
    with pytest.raises(SignatureError, match="cannot be relied on"):
        load_membership(node.config)
    assert node.refusal(pso.request(pso.plan(), 1)).code == Code.INTERNAL
    install_approval(node.config, _renew(node), None, NOW)
    assert node.kind(pso.request(pso.plan(), 1)) == "release"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(data=st.data())
def test_no_flipped_bit_of_a_renewal_is_let_in(data: st.DataObject, node: Node) -> None:
    raw = bytearray(_renew(node))
    position = data.draw(st.integers(0, len(raw) * 8 - 1))
    raw[position // 8] ^= 1 << position % 8
    with pytest.raises(Refused):
        install_approval(node.config, bytes(raw), None, NOW)
    assert _kept(node).serial == 1


def test_a_relay_s_folder_that_cannot_be_written_does_not_end_the_membership(node: Node) -> None:
    (node.config.paths.relay / "relay.env").unlink()
    (node.config.paths.relay / "relay.env").mkdir()
    with pytest.raises(InputError, match=r"relay\.env cannot be written"):
        install_approval(node.config, _renew(node), None, NOW)
    assert _kept(node).serial == 2


def test_settings_that_say_the_same_are_not_written_again(node: Node) -> None:
    files = [node.config.paths.relay / name for name in ("ca.crt", "relay.env")]
    before = [file.stat().st_ino for file in files]
    install_approval(node.config, _renew(node), None, NOW)
    assert [file.stat().st_ino for file in files] == before
    install_approval(node.config, _renew(node, serial=3, superlink="new.example.org:443"), None, NOW)
    assert 'SUPERLINK="new.example.org:443"' in files[1].read_text()


def test_the_hospital_s_own_authorities_are_added_and_nothing_but_certificates_is_copied(
    tmp_path: Path, pso: Pso, certificate: bytes
) -> None:
    node = Node(tmp_path / "node", pso, SITE_DATA, approve=False, clock=SettableClock())
    extra = tmp_path / "proxy.pem"
    extra.write_bytes(b"-----BEGIN PRIVATE KEY-----\nsecret\n-----END PRIVATE KEY-----\n" + certificate)
    network = node.config.network.model_copy(update={"extra_ca": extra})
    config = node.config.model_copy(update={"network": network})
    raw = pso.approval(node.enrolment(), root_certificates=certificate)
    install_approval(config, raw, pso.fingerprint, NOW)
    written = (config.paths.relay / "ca.crt").read_bytes()
    assert written.count(b"BEGIN CERTIFICATE") == 2
    assert b"secret" not in written
    extra.write_bytes(b"no certificate")
    with pytest.raises(InputError, match="cannot be read"):
        install_approval(config, raw, pso.fingerprint, NOW)
