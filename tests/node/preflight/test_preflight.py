"""Preflight over a site as its commands made it: all in order, then one thing broken at a time."""

from __future__ import annotations

import os
import shutil
import socket
import sqlite3
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path

import pytest

from node.clock import SystemClock
from node.exports import ExportReader
from node.identity import load_signing_key, open_ledger
from node.journal import Journal
from node.pauses import Pause, pause
from node.preflight import run_preflight
from node.preflight.checks import CHECKS
from node.preflight.finding import Finding, State
from node.release.site import DataNotReady
from node.service.run import require_approval, tell_relay
from node.skew import kept_skew
from protocols.operator.errors import ExitCode
from tests.node.installed import Installed, approve, install
from tests.node.preflight.network import Authority, listening, superlink
from tests.node.world import DAY_S

HEALTHY = {State.OK, State.SKIPPED}
EXPECTED_WARNINGS = {"mapping"}  # the site maps one table


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Installed:
    """A site that was made once; tests change copies of it."""
    site = install(tmp_path_factory.mktemp("made"))
    (site.config.paths.exports).chmod(0o750)
    return site


@pytest.fixture
def site(made: Installed, tmp_path: Path) -> Installed:
    shutil.copytree(made.config_file.parent.parent, tmp_path / "s", symlinks=True)
    copy = Installed(tmp_path / "s" / "n" / "node.toml", made.pso)
    copy.set(str(made.config_file.parent.parent), str(tmp_path / "s"))
    tell_relay(copy.config, require_approval(copy.config))
    return copy


def _look(site: Installed, offline: bool = True) -> dict[str, Finding]:
    return {finding.check: finding for finding in run_preflight(site.config, SystemClock(), offline)}


def _with_network(site: Installed, **changes: object) -> dict[str, Finding]:
    network = site.config.network.model_copy(update=changes)
    config = site.config.model_copy(update={"network": network})
    return {finding.check: finding for finding in run_preflight(config, SystemClock(), offline=True)}


def _only(found: dict[str, Finding], check: str, state: State, words: str) -> None:
    """This check came out so and says so, and no other one failed or warns that did not before."""
    assert found[check].state is state, found[check]
    assert words in found[check].words
    assert found[check].remedy
    others = {name for name, finding in found.items() if finding.state not in HEALTHY} - EXPECTED_WARNINGS
    assert others == {check}, [found[name] for name in others]


def test_a_site_in_order_passes_every_check(site: Installed, tmp_path: Path) -> None:
    authority = Authority(tmp_path, "PSO authority")
    with listening(superlink(authority.issue())) as address:
        approve(site, serial=2, superlink=address, root_certificates=authority.certificate.read_bytes())
        found = _look(site, offline=False)
    assert list(found) == [check.name for check in CHECKS]
    assert {name for name, finding in found.items() if finding.state not in HEALTHY} == EXPECTED_WARNINGS
    assert not [name for name, finding in found.items() if finding.state is State.SKIPPED]
    kept = kept_skew(site.config)
    assert kept is not None
    assert abs(kept.skew_s) < 2


Break = Callable[[Installed], object]


def _mapping(site: Installed) -> Path:
    return site.config.paths.mapping


@pytest.mark.parametrize(
    ("check", "words", "break_it"),
    [
        ("files", "keys", lambda s: s.config.paths.signing_key.parent.chmod(0o755)),
        ("files", "socket", lambda s: s.set('"run/node.sock"', f'"{"x" * 100}/node.sock"')),
        ("profile", "bed_band", lambda s: s.config.paths.profile.write_text('type = "acute_general"\n')),
        ("keys", "chmod 600", lambda s: s.config.paths.person_key.chmod(0o640)),
        ("keys", "is the signing key", lambda s: shutil.copy(s.config.paths.signing_key, s.config.paths.person_key)),
        ("transport_key", "other users", lambda s: (s.config.paths.relay / "transport").chmod(0o644)),
        ("relay_files", "ca.crt", lambda s: (s.config.paths.relay / "ca.crt").unlink()),
        ("relay_files", "stray", lambda s: shutil.copy(s.config.paths.signing_key, s.config.paths.relay / "stray")),
        ("sources", "encounters.csv", lambda s: (s.config.paths.exports / "encounters.csv").write_text("no;such\n")),
        ("sources", "encounters.csv", lambda s: (s.config.paths.exports / "encounters.csv").unlink()),
    ],
)
def test_one_broken_thing_is_found_and_hides_no_other(check: str, words: str, break_it: Break, site: Installed) -> None:
    break_it(site)
    if words == "socket":
        tell_relay(site.config, require_approval(site.config))
    _only(_look(site), check, State.FAILED, words)


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"valid_from_s": -40 * DAY_S, "valid_until_s": 6 * DAY_S}, "should have been renewed"),
        ({"valid_from_s": -20 * DAY_S, "valid_until_s": 12 * DAY_S}, ""),
    ],
)
def test_an_approval_that_was_not_renewed_in_time_is_pointed_out(
    changes: dict[str, int], words: str, site: Installed
) -> None:
    now_s = SystemClock().now_s()
    approve(site, serial=2, **{name: now_s + span for name, span in changes.items()})
    found = _look(site)["approval"]
    assert found.state is (State.WARNING if words else State.OK)
    assert words in found.words


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_a_site_of_another_user_is_named_with_the_command_to_use(site: Installed) -> None:
    os.chown(site.config.paths.ledger, 65534, 65534)
    found = _look(site)["files"]
    assert found.state is State.FAILED
    assert "sudo -u nobody" in found.remedy


def test_a_changed_network_section_is_noticed_until_the_daemon_has_written_it(site: Installed, tmp_path: Path) -> None:
    _only(_with_network(site, proxy="http://proxy.example.org:3128"), "relay_files", State.FAILED, "relay.env in")
    extra = tmp_path / "extra.crt"
    extra.write_bytes(Authority(tmp_path, "a hospital").certificate.read_bytes())
    _only(_with_network(site, extra_ca=extra), "relay_files", State.FAILED, "ca.crt in")
    config = site.config.model_copy(update={"network": site.config.network.model_copy(update={"extra_ca": extra})})
    tell_relay(config, require_approval(config))
    assert _with_network(site, extra_ca=extra)["relay_files"].state is State.OK


@pytest.mark.parametrize("content", [None, b"", b"-----BEGIN CERTIFICATE-----\nnone\n-----END CERTIFICATE-----\n"])
def test_an_extra_authority_that_cannot_be_read_fails_without_a_network(
    content: bytes | None, site: Installed, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    extra = tmp_path / "extra.crt"
    if content is not None:
        extra.write_bytes(content)
    _only(_with_network(site, extra_ca=extra), "relay_files", State.FAILED, "extra.crt")
    config = site.config.model_copy(update={"network": site.config.network.model_copy(update={"extra_ca": extra})})
    tell_relay(config, require_approval(config))
    assert "cannot be brought up to date" in caplog.text


def test_a_person_key_that_became_another_one_is_noticed(site: Installed) -> None:
    assert _look(site)["sources"].state is State.OK
    site.config.paths.person_key.write_bytes(bytes(range(32)))
    _only(_look(site), "keys", State.FAILED, "another key than the one")
    with pytest.raises(DataNotReady, match="another key"):
        ExportReader(site.config.paths).read(date(2026, 1, 1))


def test_keys_that_others_can_read_need_a_mode_and_no_backup(site: Installed) -> None:
    site.config.paths.signing_key.chmod(0o644)
    assert _look(site)["keys"].remedy == f"chmod 600 {site.config.paths.signing_key}"


def test_where_there_is_no_mapping_yet_the_command_that_makes_one_is_named(site: Installed) -> None:
    site.config.paths.mapping.unlink()
    assert "leadline-node map" in _look(site)["files"].remedy


def test_no_approval_is_a_failure_that_names_the_commands(site: Installed) -> None:
    site.config.paths.approval.unlink()
    found = _look(site)["approval"]
    assert found.state is State.FAILED
    assert "leadline-node request" in found.remedy


def test_a_ledger_that_the_coordinator_has_seen_further_on_is_behind(site: Installed) -> None:
    Journal(site.config.paths.journal).name_head(7, bytes(32))
    _only(_look(site), "in_step", State.FAILED, "entry 7")


def test_a_ledger_that_was_changed_fails_whatever_looks_at_it(site: Installed) -> None:
    db = sqlite3.connect(site.config.paths.ledger)
    for (name,) in db.execute("select name from sqlite_master where type = 'trigger'").fetchall():
        db.execute(f"drop trigger {name}")
    db.execute("update entry set body = replace(cast(body as text), 'site-a', 'site-b')")
    db.commit()
    db.close()
    found = _look(site)
    assert found["ledger"].state is State.FAILED
    assert found["approval"].state is State.OK
    assert found["sources"].state is State.OK


def test_a_pause_is_pointed_out(site: Installed) -> None:
    pause(site.config, Pause.OPERATOR)
    _only(_look(site), "pause", State.WARNING, "paused")


def test_a_clock_behind_the_ledger_fails(site: Installed) -> None:
    class Behind:
        def now_s(self) -> int:
            return SystemClock().now_s() - 3600

    found = {finding.check: finding for finding in run_preflight(site.config, Behind(), offline=True)}
    assert found["local_clock"].state is State.FAILED


@pytest.fixture
def taken() -> Iterator[int]:
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


def test_a_taken_monitor_port_fails(site: Installed, taken: int) -> None:
    site.set("port = 0", f"port = {taken}")
    _only(_look(site), "monitor_port", State.FAILED, str(taken))


@pytest.mark.parametrize(
    ("ahead_s", "state"),
    [(0, State.OK), (-3.2, State.WARNING), (-9, State.FAILED), (100, State.WARNING), (400, State.FAILED)],
)
def test_the_clock_is_held_against_what_flower_accepts(
    ahead_s: float, state: State, site: Installed, tmp_path: Path
) -> None:
    authority = Authority(tmp_path, "PSO authority")
    with listening(superlink(authority.issue(), timedelta(seconds=ahead_s))) as address:
        approve(site, serial=2, superlink=address, root_certificates=authority.certificate.read_bytes())
        assert _look(site, offline=False)["clock"].state is state


def test_the_command_prints_every_check_and_its_exit_code_tells_rules_from_connections(site: Installed) -> None:
    site.set('proxy = ""', 'proxy = "http://nowhere.invalid:3128"')
    tell_relay(site.config, require_approval(site.config))
    answer = site.json("preflight")
    assert answer["exit_code"] == ExitCode.CONNECTION
    assert answer["status"] == "error"
    states = {finding["check"]: finding["state"] for finding in answer["data"]["findings"]}
    assert (states["proxy"], states["superlink"], states["ledger"]) == ("failed", "skipped", "ok")
    offline = site.run("preflight", "--offline")
    assert offline.returncode == 0, offline.stdout
    assert "Nothing failed" in offline.stdout
    (site.config.paths.exports / "encounters.csv").unlink()
    broken = site.run("preflight", "--offline")
    assert broken.returncode == 1
    assert "What to do: " in broken.stdout


def test_the_ledger_stays_as_it_was(site: Installed) -> None:
    ledger = open_ledger(site.config, load_signing_key(site.config), SystemClock())
    before = ledger.head()
    _look(site)
    assert ledger.head() == before
    ledger.close()
