"""Becoming a site, as a hospital types it: init, request, the PSO's approval, import-approval."""

from __future__ import annotations

import os
import subprocess
import time
import tomllib
from pathlib import Path

import pytest

from node.config import load_config
from node.enrolment import init_site
from protocols.enrolment import enrolment_fingerprint, open_enrolment, show_fingerprint
from protocols.keys import load_private_key, load_public_key
from protocols.operator.errors import InputError
from protocols.profile import PEER_ATTRIBUTES, parse_profile
from tests.node.shell import Ran, type_in
from tests.node.world import PROFILE, Pso, write_profile


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a site that `init` made."""
    assert type_in("init", "--dir", tmp_path / "s", "--site-id", "st-mary", "--exports", tmp_path / "e").exit_code == 0
    return tmp_path / "s"


def _request(folder: Path) -> Ran:
    return type_in("request", "--config", folder / "node.toml")


def _approve(folder: Path, pso: Pso, **changes: object) -> Path:
    """What the PSO does, from the file alone."""
    enrolment = open_enrolment((folder / "st-mary.enrolment").read_bytes()).message
    path = folder / "st-mary.approval"
    path.write_bytes(pso.approval(enrolment, **changes))
    return path


def test_from_nothing_to_an_approved_site_in_three_commands(folder: Path) -> None:
    pso = Pso()
    write_profile(folder / "profile.toml")
    asked = _request(folder)
    assert asked.exit_code == 0, asked.err
    digits = enrolment_fingerprint(open_enrolment((folder / "st-mary.enrolment").read_bytes()).message)
    assert show_fingerprint(digits) in asked.out
    assert digits == type_in("request", "--config", folder / "node.toml", "--format", "json").data["fingerprint"]
    file = _approve(folder, pso)
    imported = type_in(
        "import-approval", file, "--fingerprint", show_fingerprint(pso.fingerprint), "--config", folder / "node.toml"
    )
    assert imported.exit_code == 0, imported.err
    assert "approved by A PSO until" in imported.out
    assert load_public_key(folder / "keys" / "pso.pub") == pso.key.public_key()
    assert type_in("status", "--config", folder / "node.toml").exit_code == 0


def test_the_request_holds_two_public_keys_the_profile_and_the_ledger_s_head_and_no_secret(folder: Path) -> None:
    write_profile(folder / "profile.toml")
    _request(folder)
    raw = (folder / "st-mary.enrolment").read_bytes()
    message = open_enrolment(raw).message
    key = load_private_key(folder / "keys" / "site.key")
    assert message.signing_key == key.public_key().public_bytes_raw()
    assert {attribute.name: attribute.value for attribute in message.profile} == PROFILE
    assert message.ledger_length == 1
    assert key.private_bytes_raw() not in raw
    assert (folder / "keys" / "person.key").read_bytes() not in raw


def test_a_profile_that_is_not_filled_in_names_every_attribute_with_its_allowed_values(folder: Path) -> None:
    asked = _request(folder)
    assert asked.exit_code == 4
    for name, allowed in PEER_ATTRIBUTES.items():
        assert name in asked.err.split("What to do")[0]
        assert f"{name}: {', '.join(allowed)}" in asked.err
    assert not (folder / "st-mary.enrolment").exists()


def test_filling_in_the_template_line_by_line_is_all_it_takes(folder: Path) -> None:
    path = folder / "profile.toml"
    for name, value in PROFILE.items():
        assert f"# allowed: {', '.join(PEER_ATTRIBUTES[name])}\n{name} = " in path.read_text()
        path.write_text(path.read_text().replace(f'\n{name} = ""', f'\n{name} = "{value}"'))
    assert parse_profile(path) == PROFILE


def test_the_template_names_every_setting_with_its_default(folder: Path) -> None:
    text = (folder / "node.toml").read_text()
    config = load_config(folder / "node.toml")
    written = tomllib.loads(text)
    for section in type(config).model_fields:
        for name in type(getattr(config, section)).model_fields:
            assert f"\n{name} = " in text or f"\n# {name} = " in text, f"{section}.{name}"
    assert config == _bare_config(folder, written), "what the template writes out is what leaving it out would mean"


def _bare_config(folder: Path, written: dict[str, dict[str, str]]) -> object:
    path = folder / "bare.toml"
    exports, mapping = written["paths"]["exports"], written["paths"]["mapping"]
    path.write_text(f'[site]\nid = "st-mary"\n[paths]\nexports = "{exports}"\nmapping = "{mapping}"\n')
    return load_config(path)


def test_only_what_is_public_can_be_read_by_others_whatever_the_umask(tmp_path: Path) -> None:
    umask = os.umask(0)
    try:
        init_site(tmp_path / "s", "st-mary", tmp_path / "e")
    finally:
        os.umask(umask)
    modes = {str(path.relative_to(tmp_path / "s")): path.stat().st_mode & 0o777 for path in (tmp_path / "s").rglob("*")}
    assert (tmp_path / "s").stat().st_mode & 0o777 == 0o750
    assert modes.pop("relay") == 0o750
    assert modes.pop("keys") == 0o700
    public = {name for name, mode in modes.items() if mode & 0o077}
    assert public == {"keys/site.pub", "relay/transport.pub"}
    assert all(modes[name] == 0o644 for name in public)
    assert all(modes[name] == 0o600 for name in modes.keys() - public)


def test_init_overwrites_nothing_and_keeps_a_profile_that_is_there(folder: Path, tmp_path: Path) -> None:
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    again = type_in("init", "--dir", folder, "--site-id", "st-mary", "--exports", tmp_path / "e")
    assert again.exit_code == 4
    (folder / "node.toml").rename(tmp_path / "node.toml")
    assert type_in("init", "--dir", folder, "--site-id", "st-mary", "--exports", tmp_path / "e").exit_code == 4
    (tmp_path / "node.toml").rename(folder / "node.toml")
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before
    (tmp_path / "other").mkdir()
    write_profile(tmp_path / "other" / "profile.toml")
    assert type_in("init", "--dir", tmp_path / "other", "--site-id", "b2", "--exports", tmp_path / "e").exit_code == 0
    assert parse_profile(tmp_path / "other" / "profile.toml") == PROFILE


@pytest.mark.parametrize("site_id", ["St-Mary", "a", "../x", "x" * 42, "st-mary\n", ""])
def test_a_name_that_is_no_site_id_makes_nothing(site_id: str, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no site id"):
        init_site(tmp_path / "s", site_id, tmp_path)
    assert not (tmp_path / "s").exists()


def test_exports_in_a_folder_with_an_odd_name_are_found(tmp_path: Path) -> None:
    odd = tmp_path / 'Ex"ports \\ für 救助 𝄞'
    made = init_site(tmp_path / "s", "st-mary", odd)
    assert load_config(made.config).paths.exports == odd


def test_the_first_approval_needs_the_pso_s_fingerprint_as_it_was_read_out(folder: Path) -> None:
    pso, config = Pso(), folder / "node.toml"
    write_profile(folder / "profile.toml")
    _request(folder)
    file = _approve(folder, pso)
    assert type_in("import-approval", file, "--config", config).exit_code == 2
    wrong = type_in("import-approval", file, "--fingerprint", Pso().fingerprint, "--config", config)
    assert wrong.exit_code == 2
    assert "not what was typed" in wrong.err
    part = type_in("import-approval", file, "--fingerprint", pso.fingerprint[:16], "--config", config)
    assert part.exit_code == 2
    assert not (folder / "keys" / "pso.pub").exists()
    assert not (folder / "keys" / "approval").exists()


@pytest.mark.parametrize("content", [b"", b"garbage", b"\x0a\x08approval", b"x" * 5_000_000])
def test_a_file_that_is_no_approval_is_refused_in_words(content: bytes, folder: Path) -> None:
    (folder / "x").write_bytes(content)
    ran = type_in("import-approval", folder / "x", "--fingerprint", "0" * 64, "--config", folder / "node.toml")
    assert ran.exit_code in (1, 4)
    assert "What to do" in ran.err
    assert "internal" not in ran.err
    assert type_in("import-approval", folder / "none", "--config", folder / "node.toml").exit_code == 4


def test_the_relay_s_settings_are_read_by_a_shell_exactly_as_they_are_meant(tmp_path: Path) -> None:
    odd = tmp_path / 'a "folder" $HOME `id` \\ x'
    made = init_site(odd, "st-mary", tmp_path / "e")
    toml = made.config.read_text().replace('proxy = ""', 'proxy = "http://u:p$x@proxy.example:3128"')
    made.config.write_text(toml)
    write_profile(odd / "profile.toml")
    _request(odd)
    pso = Pso()
    words = ("--fingerprint", pso.fingerprint, "--config", made.config)
    assert type_in("import-approval", _approve(odd, pso), *words).exit_code == 0
    command = (
        'set -a; . "$0"; printf "%s\\n" "$SUPERLINK" "$ROOT_CERTIFICATES" "$HTTPS_PROXY" "$NODE_SOCKET" "$FLWR_HOME"'
    )
    script = ["/bin/sh", "-c", command, str(odd / "relay" / "relay.env")]
    found = subprocess.run(script, capture_output=True, text=True, check=True).stdout.splitlines()
    relay = odd.resolve() / "relay"
    assert found == [
        "pso.example.org:9092",
        str(relay / "ca.crt"),
        "http://u:p$x@proxy.example:3128",
        str(odd.resolve() / "run" / "node.sock"),
        str(relay / "flower"),
    ]
    assert (relay / "relay.env").stat().st_mode & 0o777 == 0o640, "a proxy's address may hold a password"
    assert 'NO_PROXY="localhost,127.0.0.1"' in (relay / "relay.env").read_text()
    assert 'FLWR_TELEMETRY_ENABLED="0"' in (relay / "relay.env").read_text()


def test_a_request_can_be_made_again_and_names_the_moment(folder: Path) -> None:
    write_profile(folder / "profile.toml")
    for _ in range(2):
        assert _request(folder).exit_code == 0
    message = open_enrolment((folder / "st-mary.enrolment").read_bytes()).message
    assert abs(message.made_at_s - time.time()) < 60
