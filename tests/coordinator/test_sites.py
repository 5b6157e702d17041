"""Enrolment: what is refused, and that the attributes are those of the public code list."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey

from coordinator.sites import add_site, set_site_state
from coordinator.store.schema import Site, SiteState
from protocols.keys import public_pem
from protocols.operator.errors import InputError, OperatorError, RuleError, SignatureError
from protocols.profile import PEER_ATTRIBUTES, parse_profile
from tests.coordinator.conftest import World
from tests.coordinator.site import PROFILE, TinySite

EMS_PROFILE = PROFILE.replace('"acute_general"', '"ems_agency"').replace('"200-299"', '"none"')


def add(world: World, site: TinySite, profile: str = PROFILE) -> Site:
    files = site.write_files(world.folder, profile)
    keys = (files["key"], files["transport_key"])
    return add_site(world.store, world.clock, site.site_id, keys, files["profile"])


def test_a_site_is_kept_with_its_keys_and_attributes(world: World) -> None:
    site = TinySite("new-site")
    add(world, site)
    with world.store.reading() as reader:
        found = reader.site("new-site")
    assert found is not None
    assert found.attributes["bed_band"] == "200-299"
    assert found.transport_key == site.transport_pem()
    assert (found.state, found.ledger_head, found.ledger_length) == (SiteState.ENABLED, b"", 0)


def test_an_ems_agency_has_no_beds_and_nobody_else_has_none(world: World) -> None:
    assert add(world, TinySite("ems-1"), EMS_PROFILE).attributes["bed_band"] == "none"
    for profile in (EMS_PROFILE.replace("none", "6-24", 1), PROFILE.replace("200-299", "none")):
        with pytest.raises(InputError, match="bed_band"):
            add(world, TinySite("other"), profile)


def test_ids_and_keys_are_enrolled_once(world: World) -> None:
    known = world.sites[0]
    same_id = TinySite(known.site_id)
    same_key = TinySite("other-1", key=known.key)
    same_transport = TinySite("other-2", transport=known.transport)
    for site, words in ((same_id, "enrolled already"), (same_key, "signing key"), (same_transport, "transport key")):
        with pytest.raises(RuleError, match=words):
            add(world, site)


@pytest.mark.parametrize("site_id", ["", "A", "x", "-a", "a/b", "a" * 42, "site 1", "ä1"])
def test_an_id_that_is_none_is_refused(world: World, site_id: str) -> None:
    files = TinySite("files").write_files(world.folder)
    with pytest.raises(InputError, match="site id"):
        add_site(world.store, world.clock, site_id, (files["key"], files["transport_key"]), files["profile"])


def test_key_files_that_are_none_are_refused(world: World) -> None:
    files = TinySite("new").write_files(world.folder)
    wrong = files["profile"]
    for keys in ((wrong, files["transport_key"]), (files["key"], wrong), (files["transport_key"], files["key"])):
        with pytest.raises(SignatureError):
            add_site(world.store, world.clock, "new", keys, files["profile"])


def _ssh(key: Ed25519PublicKey | rsa.RSAPublicKey | ec.EllipticCurvePublicKey) -> str:
    return key.public_bytes(serialization.Encoding.OpenSSH, serialization.PublicFormat.OpenSSH).decode()


def test_the_profile_of_the_guides_is_valid(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "hospital-it.md").read_text(encoding="utf-8")
    (example,) = [text for text in re.findall(r"```toml\n(.*?)```", guide, re.DOTALL) if "bed_band" in text]
    (tmp_path / "profile.toml").write_text(example, encoding="utf-8")
    assert set(parse_profile(tmp_path / "profile.toml")) == set(PEER_ATTRIBUTES)
    for name, allowed in PEER_ATTRIBUTES.items():
        assert f"| `{name}` | {', '.join(f'`{value}`' for value in allowed)} |" in guide


@pytest.mark.parametrize(
    "text",
    [
        _ssh(Ed25519PrivateKey.generate().public_key()),
        _ssh(rsa.generate_private_key(65537, 2048).public_key()),
        _ssh(ec.generate_private_key(ec.SECP521R1()).public_key()),
        public_pem(Ed25519PrivateKey.generate().public_key()),
    ],
    ids=["ed25519", "rsa", "p521", "ed25519-pem"],
)
def test_a_transport_key_of_another_kind_is_refused(world: World, text: str) -> None:
    files = TinySite("new").write_files(world.folder)
    files["transport_key"].write_text(text)
    with pytest.raises(SignatureError, match="is no EC public key on the curve NIST P-256 or P-384"):
        add_site(world.store, world.clock, "new", (files["key"], files["transport_key"]), files["profile"])


def test_a_transport_key_may_be_of_the_smaller_curve(world: World) -> None:
    site = TinySite("new", transport=ec.generate_private_key(ec.SECP256R1()))
    assert add(world, site).transport_key == site.transport_pem()


def test_the_signing_key_is_no_transport_key(world: World) -> None:
    site = TinySite("new")
    files = site.write_files(world.folder)
    for text in (public_pem(site.key.public_key()), f"{_ssh(site.key.public_key())} a comment\n"):
        files["transport_key"].write_text(text)
        with pytest.raises(SignatureError, match="is the site's signing key, not its relay's key"):
            add_site(world.store, world.clock, "new", (files["key"], files["transport_key"]), files["profile"])


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (PROFILE + 'beds = "250"\n', "unknown key beds"),
        (PROFILE.replace('"minor"', '"some"'), "teaching in .* is 'some'"),
        (PROFILE.replace('teaching = "minor"\n', ""), "teaching in .* is missing"),
        (PROFILE.replace('"minor"', "3"), "teaching in .* is 3"),
        (PROFILE.replace('"minor"', '["minor"]'), "teaching in"),
        ("type = ", "cannot read"),
    ],
)
def test_a_profile_that_is_wrong_is_refused_naming_what_is_allowed(world: World, profile: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        add(world, TinySite("new"), profile)
    assert "cannot read" in words or "allowed are:" in caught.value.hint
    with pytest.raises(OperatorError):
        parse_profile(Path("absent.toml"))


def test_every_allowed_value_is_accepted(tmp_path: Path) -> None:
    for name, allowed in PEER_ATTRIBUTES.items():
        for value in set(allowed) - {"none", "ems_agency"}:
            lines = [line for line in PROFILE.splitlines() if not line.startswith(f"{name} ")]
            path = tmp_path / "profile.toml"
            path.write_text("\n".join([*lines, f'{name} = "{value}"']))
            assert parse_profile(path)[name] == value


def test_disabling_is_audited_once_and_can_be_undone(world: World) -> None:
    for state in (SiteState.DISABLED, SiteState.DISABLED, SiteState.ENABLED):
        assert set_site_state(world.store, "site-01", state).state is state
    with world.store.reading() as reader:
        actions = [event.action for event in reader.audit_events() if event.object == "site-01"]
    assert actions == ["site.add", "site.disabled", "site.enabled"]
    with pytest.raises(InputError, match="no site"):
        set_site_state(world.store, "nobody", SiteState.ENABLED)
