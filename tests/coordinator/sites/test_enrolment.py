"""Enrolment: what a forged, damaged or borrowed file meets, and what an approval says."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.config import Config
from coordinator.sites.enrolment import Terms, approve, read_enrolment
from coordinator.sites.register import disable_site, dismiss_site
from coordinator.store.schema import Site, SiteState
from protocols.enrolment import enrolment_fingerprint, open_approval, open_first_approval, show_fingerprint
from protocols.operator.errors import InputError, OperatorError, RuleError, SignatureError
from protocols.statement import key_id, seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.coordinator.conftest import World
from tests.coordinator.site import TinySite
from tests.coordinator.store.test_audit import dump


def new_site(world: World, site_id: str = "new-site", **fields: object) -> TinySite:
    return TinySite(site_id, now_s=lambda: world.clock.now().timestamp(), **fields)  # type: ignore[arg-type]


def stored(world: World, site_id: str = "new-site") -> Site:
    with world.store.reading() as reader:
        site = reader.site(site_id)
    assert site is not None
    return site


def decide(world: World, file: Path, terms: Terms, config: Config | None = None) -> None:
    approve(world.store, world.clock, config or world.config, world.key, read_enrolment(file), terms)


def test_a_site_is_kept_with_its_keys_attributes_and_ledger(world: World) -> None:
    site = new_site(world)
    assert world.approve(site).act == "enrolled"
    found = stored(world)
    assert found.attributes == site.profile
    assert (found.transport_key, found.key_id) == (site.transport_pem(), key_id(site.key.public_key()))
    assert (found.state, found.ledger_head, found.ledger_length) == (SiteState.ENABLED, site.head(1), 1)
    assert found.last_seen_at is None


def test_the_approval_says_what_the_hospital_needs_and_is_signed_by_us(world: World) -> None:
    roots = world.folder / "ca.crt"
    world.config = world.config.model_copy(update={"title": "A PSO"})
    site = new_site(world)
    world.approve(site)
    opened = open_approval(stored(world).approval, {key_id(world.pso): world.pso}).message
    assert opened.signing_key == site.key.public_key().public_bytes_raw()
    assert (opened.transport_key, opened.site_id, opened.serial) == (site.transport_pem(), "new-site", 1)
    assert (opened.pso_title, opened.superlink, opened.root_certificates) == ("A PSO", "pso.example.org:443", b"")
    assert opened.pso_key == world.pso.public_bytes_raw()
    assert (opened.known_head, opened.known_length) == (site.head(1), 1)
    now_s = world.clock.now().timestamp()
    assert opened.valid_from_s == now_s - 300
    assert opened.valid_until_s == now_s + 30 * 24 * 3600 == stored(world).approval_until.timestamp()
    assert (stored(world).renew_at - world.clock.now()).days == 20
    assert not roots.exists()


@pytest.mark.parametrize(
    ("sites", "words"),
    [
        ({"superlink": ""}, "sites.superlink does not say"),
        ({"superlink": "pso.example.org:99999"}, "hospitals would refuse"),
        ({"root_certificates": Path("absent.crt")}, "cannot be read"),
        ({"root_certificates": Path(__file__)}, "hospitals would refuse"),
    ],
)
def test_nobody_is_enrolled_while_the_configuration_would_make_a_useless_approval(
    world: World, sites: dict[str, object], words: str
) -> None:
    config = world.config.model_copy(update={"sites": world.config.sites.model_copy(update=sites)})
    file, read_out = new_site(world).write_enrolment(world.folder)
    before = dump(world)
    with pytest.raises(InputError, match=words):
        decide(world, file, Terms(read_out), config)
    assert dump(world) == before


def one_digit_off(read_out: str) -> str:
    position = random.randrange(64)  # noqa: S311
    return read_out[:position] + ("0" if read_out[position] != "0" else "1") + read_out[position + 1 :]


TYPED: dict[str, Callable[[str], str]] = {
    "one digit differs": one_digit_off,
    "only the beginning": lambda read_out: read_out[:16],
    "all but the last digit": lambda read_out: read_out[:63],
    "one digit more": lambda read_out: f"{read_out}0",
    "nothing": lambda _: "",
    "another site's": lambda _: enrolment_fingerprint(TinySite("other").enrolment()),
    "of the signing key alone": lambda _: "0" * 64,
}


@pytest.mark.parametrize("name", TYPED)
def test_a_fingerprint_that_differs_or_is_not_whole_enrols_nobody(world: World, name: str) -> None:
    file, read_out = new_site(world).write_enrolment(world.folder)
    before = dump(world)
    with pytest.raises(SignatureError) as caught:
        decide(world, file, Terms(TYPED[name](read_out)))
    assert caught.value.error_code == "other_fingerprint"
    assert dump(world) == before


def test_a_fingerprint_may_be_typed_in_groups_and_capitals(world: World) -> None:
    file, read_out = new_site(world).write_enrolment(world.folder)
    decide(world, file, Terms(f" {show_fingerprint(read_out).upper()}\n"))
    assert stored(world).state is SiteState.ENABLED


def spoilt(site: TinySite, **changes: object) -> bytes:
    message = site.enrolment()
    for name, value in changes.items():
        setattr(message, name, value)
    return seal_statement(message, site.key)


def with_profile(site: TinySite, **profile: str) -> bytes:
    site.profile.update(profile)
    return seal_statement(site.enrolment(), site.key)


FILES: dict[str, Callable[[TinySite], bytes]] = {
    "empty": lambda _: b"",
    "text": lambda _: b"-----BEGIN PUBLIC KEY-----\n",
    "five megabytes": lambda site: seal_statement(site.enrolment(), site.key) + bytes(5 * 1024 * 1024),
    "another's signature": lambda site: seal_statement(site.enrolment(), Ed25519PrivateKey.generate()),
    "one bit flipped": lambda site: (
        bytes([*(sealed := bytearray(seal_statement(site.enrolment(), site.key)))][:-1]) + bytes([sealed[-1] ^ 1])
    ),
    "an approval": lambda site: seal_statement(pb.Approval(site_id=site.site_id), site.key),
    "an id that climbs": lambda site: spoilt(site, site_id="../pso"),
    "an id in capitals": lambda site: spoilt(site, site_id="New-Site"),
    "no transport key": lambda site: spoilt(site, transport_key=""),
    "a transport key in another spelling": lambda site: spoilt(site, transport_key=site.transport_openssh()),
    "a short signing key": lambda site: spoilt(site, signing_key=b"x" * 31),
    "an unknown attribute": lambda site: with_profile(site, beds="250"),
    "an unknown value": lambda site: with_profile(site, teaching="some"),
    "a terminal's escape in a value": lambda site: with_profile(site, teaching="\x1b[2Jminor"),
    "a hospital without beds": lambda site: with_profile(site, bed_band="none"),
    "an attribute twice": lambda site: spoilt_profile(site, lambda p: p.append(p[-1])),
    "attributes in another order": lambda site: spoilt_profile(site, lambda p: p.reverse()),
    "an attribute missing": lambda site: spoilt_profile(site, lambda p: p.pop()),
    "a ledger head without a length": lambda site: spoilt(site, ledger_length=0),
}


def spoilt_profile(site: TinySite, change: Callable[[list[pb.Attribute]], object]) -> bytes:
    message = site.enrolment()
    profile = list(message.profile)
    change(profile)
    del message.profile[:]
    message.profile.extend(profile)
    return seal_statement(message, site.key)


@pytest.mark.parametrize("name", FILES)
def test_a_file_that_is_no_sound_enrolment_is_refused_with_words(world: World, name: str) -> None:
    file = world.folder / "x.enrolment"
    file.write_bytes(FILES[name](new_site(world)))
    with pytest.raises(OperatorError) as caught:
        read_enrolment(file)
    assert caught.value.error_code == "enrolment"
    assert caught.value.hint
    assert caught.value.message.isprintable()


def test_a_file_that_cannot_be_read_or_comes_from_the_future_is_refused(world: World) -> None:
    with pytest.raises(InputError, match="cannot be read"):
        read_enrolment(world.folder / "absent")
    with pytest.raises(InputError, match="cannot be read"):
        read_enrolment(world.folder)
    early = new_site(world)
    early.now_s = lambda: world.clock.now().timestamp() + 2 * 24 * 3600
    with pytest.raises(InputError, match="in the future"):
        world.approve(early)


def test_a_key_belongs_to_one_site_for_ever(world: World) -> None:
    known = world.sites[0]
    before = dump(world)
    for site, words in (
        (new_site(world, key=known.key), "signing key belongs to site site-01"),
        (new_site(world, transport=known.transport), "transport key belongs to site site-01"),
    ):
        with pytest.raises(RuleError, match=words):
            world.approve(site)
    assert dump(world) == before


def test_a_known_site_is_approved_afresh_with_its_profile_of_now(world: World) -> None:
    site = world.sites[0]
    site.profile["bed_band"] = "300-399"
    assert world.approve(site).act == "approved afresh"
    found = stored(world, "site-01")
    assert (found.approval_serial, found.attributes["bed_band"]) == (2, "300-399")
    with world.store.reading() as reader:
        actions = [event.action for event in reader.audit_events() if event.object == "site-01"]
    assert [action for action in actions if action.startswith("site.")] == [
        "site.enrol",
        "site.approve",
        "site.attributes",
        "site.approve",
    ]


def test_other_keys_need_a_word_and_the_old_ones_are_never_used_again(world: World) -> None:
    site = world.sites[0]
    old = (site.key, site.transport)
    fresh = new_site(world)
    site.key, site.transport = fresh.key, fresh.transport
    before = dump(world)
    with pytest.raises(RuleError, match="enrolled with other keys"):
        world.approve(site)
    assert dump(world) == before
    assert "old ones are retired" in world.approve(site, new_keys=True).act
    assert open_first_approval(stored(world, "site-01").approval).message.serial == 2
    after = dump(world)
    for borrowed in (new_site(world, key=old[0]), new_site(world, transport=old[1])):
        with pytest.raises(RuleError, match="was retired by site site-01"):
            world.approve(borrowed)
    for back in ({"key": old[0]}, {"transport": old[1]}):
        again = new_site(world, "site-01", **{"key": site.key, "transport": site.transport, **back})
        with pytest.raises(RuleError, match="was retired by site site-01"):
            world.approve(again, new_keys=True)
    assert dump(world) == after


def test_one_key_may_change_and_the_other_stays(world: World) -> None:
    site = world.sites[0]
    site.transport = new_site(world).transport
    world.approve(site, new_keys=True)
    with world.store.reading() as reader:
        assert reader.retired_signing_key(key_id(site.key.public_key())) is None
    assert stored(world, "site-01").transport_key == site.transport_pem()
    site.key = new_site(world).key
    world.approve(site, new_keys=True)
    assert world.pump(site) == 1


def test_a_disabled_site_or_one_that_left_is_not_approved(world: World) -> None:
    disable_site(world.store, "site-01")
    with pytest.raises(RuleError, match="is disabled"):
        world.approve(world.sites[0])
    dismiss_site(world.store, "site-02")
    with pytest.raises(RuleError, match="left the network for good"):
        world.approve(world.sites[1])
    fresh = new_site(world)
    world.sites[1].key, world.sites[1].transport = fresh.key, fresh.transport
    with pytest.raises(RuleError, match="left the network for good"):
        world.approve(world.sites[1], new_keys=True)


def test_a_ledger_that_went_back_is_named_and_changes_no_head(world: World) -> None:
    world.open()
    world.pump()
    world.clock.forward(days=1)
    site, head = world.sites[0], stored(world, "site-01").ledger_length
    site.entries = 3
    warning = world.approve(site).ledger_warning
    assert "sites ledger --after 3" in warning
    assert stored(world, "site-01").ledger_length == head
    site.entries = head + 5
    assert world.approve(site).ledger_warning == ""
    assert stored(world, "site-01").ledger_head == site.head(head + 5)
