from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.console.credentials import TokenFile
from node.synthetic.write import write_network
from node.tables.quality import QualityReport
from tests.coordinator.portal.html_page import read
from tests.node.console.conftest import Browser, live_a_little, make_site
from tests.node.world import Node, Pso

PATHS = ["/", "/checks", "/quality", "/mapping", "/mapping/file", "/budget", "/rounds", "/leaves", "/leaves/preview"]
BUSY_PATHS = [*PATHS, "/leaves/receipts/1"]


def check_sound(html: str) -> str:
    """A page's words, after a look at its structure."""
    page = read(html)
    assert page.errors == []
    assert page.headings.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))
    assert all(table.caption.strip() and not table.heads_without_scope for table in page.tables)
    assert all(link.startswith(("/", "#")) for link in page.links)
    assert not any(tag in {"script", "style", "iframe"} for tag, _, _ in page.attributes)
    assert not any(name == "style" or name.startswith("on") for _, name, _ in page.attributes)
    return page.words


@pytest.fixture(scope="module")
def busy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Node, Browser]]:
    """An invented hospital's exports, a few rounds, and somebody signed in."""
    folder = tmp_path_factory.mktemp("busy")
    write_network(folder, 1, 1, 2025, 1)
    node = make_site(folder / "site", folder / "sites" / "site-01" / "exports", approve=True)
    live_a_little(node)
    browser = Browser(node.config)
    browser.sign_in()
    assert browser.send("/quality/import", {}, "/quality").status_code == 303
    assert browser.send("/leaves/preview", {}, "/leaves/preview").status_code == 303
    yield node, browser
    browser.client.close()


@pytest.mark.parametrize("path", PATHS)
def test_every_page_is_there_before_anything_has_happened(signed_in: Browser, path: str) -> None:
    answer = signed_in.get(path)
    assert answer.status_code == 200
    check_sound(answer.text)


@pytest.mark.parametrize("path", BUSY_PATHS)
def test_every_page_is_there_when_much_has_happened(busy: tuple[Node, Browser], path: str) -> None:
    answer = busy[1].get(path)
    assert answer.status_code == 200
    check_sound(answer.text)


def test_every_link_leads_somewhere(busy: tuple[Node, Browser]) -> None:
    links = {link.split("#")[0] for path in BUSY_PATHS for link in read(busy[1].get(path).text).links} - {""}
    assert {link: busy[1].get(link).status_code for link in links} == dict.fromkeys(links, 200)


def test_the_first_page_says_what_needs_attention(signed_in: Browser) -> None:
    words = check_sound(signed_in.get("/").text)
    assert "The node is not running" in words
    assert "has not approved this node yet" in words
    assert "There is no mapping yet" in words
    signed_in.send("/pause", {})
    assert "The node is not running, and is paused" in check_sound(signed_in.get("/").text)
    assert "The node is paused. Every request is refused" in check_sound(signed_in.get("/").text)


def test_the_first_page_is_there_without_a_ledger(signed_in: Browser) -> None:
    signed_in.config.paths.ledger.unlink()
    words = check_sound(signed_in.get("/").text)
    assert "the ledger cannot be used" in words
    assert "restore it from your backup" in words
    budget = signed_in.get("/budget")
    assert budget.status_code == 409
    assert "restore it from your backup" in check_sound(budget.text)


def test_the_membership_and_the_last_exchange_are_told(busy: tuple[Node, Browser]) -> None:
    words = check_sound(busy[1].get("/").text)
    assert "approved by A PSO until 2026-06-30" in words
    assert "1 June 2026, 00:00 UTC, less than a minute ago" in words
    assert "Most recently: budget exhausted" in words


def test_an_approval_that_ends_soon_is_pointed_out(node: Node) -> None:
    from node.membership import install_approval

    install_approval(node.config, node.pso.approval(node.enrolment()), node.pso.fingerprint, node.clock.now)
    browser = Browser(node.config)
    browser.sign_in()
    assert "ends soon" not in browser.get("/").text
    later = Browser(node.config, node.clock)
    later.clock.now += 20 * 86_400
    later.sign_in()
    assert "The approval ends soon and has not been renewed" in later.get("/").text
    later.clock.now += 10 * 86_400
    later.sign_in()
    assert "The approval is not in force" in later.get("/").text


def test_the_rows_that_came_in_are_shown_as_a_sum(busy: tuple[Node, Browser]) -> None:
    node, browser = busy
    report = QualityReport.from_json((node.config.paths.quality / "report.json").read_text())
    words = check_sound(browser.get("/quality").text)
    shown = re.search(r"Came in ([\d,]+) = Accepted ([\d,]+) \+ Repaired ([\d,]+) \+ Set aside ([\d,]+) \+ Passed over "
                      r"([\d,]+)", words)  # fmt: skip
    assert shown is not None
    came_in, *parts = (int(number.replace(",", "")) for number in shown.groups())
    assert came_in == sum(parts) == sum(file.read + file.added for file in report.files)
    for file in report.files:
        assert file.file in words
    for finding in (finding for file in report.files for finding in file.quarantined):
        assert ", ".join(map(str, finding.rows[:8])) in words


def test_no_cell_and_no_key_of_the_exports_is_on_a_page(busy: tuple[Node, Browser]) -> None:
    node, browser = busy
    lines = (node.config.paths.exports / "incidents.csv").read_text(encoding="utf-8", errors="replace").splitlines()
    keys = set(re.findall(r"\bIR-\d{4}-\d{5}\b", "\n".join(lines[5:400])))
    assert len(keys) > 20
    for path in BUSY_PATHS:
        text = browser.get(path).text
        assert not {key for key in keys if key in text}, path


def test_an_import_that_fails_says_why_and_keeps_the_old_report(node: Node) -> None:
    browser = Browser(node.config)
    browser.sign_in()
    answer = browser.send("/quality/import", {}, "/quality")
    assert answer.status_code == 409
    assert "mapping.toml" in check_sound(answer.text)


def test_the_budget_is_told_in_words(busy: tuple[Node, Browser]) -> None:
    words = check_sound(busy[1].get("/budget").text)
    spent = busy[0].ledger.spent(2025)["clinician"] / busy[0].config.policy.budget_nano()["clinician"]
    assert f"{100 * spent:.0f} % is spent, {100 - 100 * spent:.0f} % is left" in words
    assert "All that was reserved was also sealed" in words
    assert "renews on 1 January 2027" in words
    assert "The newest plan of the PSO is plan-1 , for ledger year 2025" in words


def test_what_was_reserved_and_never_sealed_is_named(tmp_path: Path) -> None:
    from node.ledger.store import Reservation

    (tmp_path / "exports").mkdir()
    node = make_site(tmp_path / "site", tmp_path / "exports")
    with node.ledger.locked():
        node.ledger.reserve(Reservation("p", bytes(32), 2026, 1, 1, ("supported",), {"clinician": 10**7}), 1)
    browser = Browser(node.config)
    browser.sign_in()
    assert "was reserved and never sealed" in check_sound(browser.get("/budget").text)


def test_each_refusal_comes_with_what_to_do(busy: tuple[Node, Browser]) -> None:
    words = check_sound(busy[1].get("/rounds").text)
    assert "Answered with noisy figures" in words
    assert "asked 2 times" in words
    assert "Refused: budget exhausted The plan would take the site above its privacy budget" in words
    assert "What to do: Ask for less" in words
    assert "signed with a key that is not enrolled here" in words


def test_a_receipt_shows_what_left_and_its_digest(busy: tuple[Node, Browser]) -> None:
    import hashlib

    node, browser = busy
    digests = {hashlib.sha256(envelope).hexdigest() for _, envelope in node.ledger.answers()}
    words = check_sound(browser.get("/leaves/receipts/1").text)
    assert sum(digest in words for digest in digests) == 1
    assert "one clinician, counted at most once a year" in words
    assert browser.get("/leaves/receipts/99").status_code == 404
    assert browser.get("/leaves/receipts/x").status_code == 404


def test_the_preview_that_is_shown_is_the_one_that_is_downloaded_and_spends_nothing(busy: tuple[Node, Browser]) -> None:
    node, browser = busy
    before = len(node.ledger.entries())
    answer = browser.get("/leaves/preview/bytes")
    assert answer.headers["content-disposition"] == 'attachment; filename="preview-site-a.bin"'
    page = read(browser.get("/leaves/preview").text).words
    assert f"{len(answer.content):,} bytes" in page
    assert answer.content[:16].hex(" ") in page
    assert len(node.ledger.entries()) == before
    assert b"kind" not in answer.content[:4]


def test_the_checks_are_those_of_preflight(busy: tuple[Node, Browser]) -> None:
    answer = busy[1].send("/checks", {}, "/checks")
    assert answer.status_code == 200
    words = check_sound(answer.text)
    assert "What to do:" in words
    assert "not looked at here: the console has no network; run leadline-node preflight" in words
    assert "--offline" not in words


def test_a_foreign_plan_is_explained_as_unknown(node: Node) -> None:
    browser = Browser(node.config)
    browser.sign_in()
    node.inbox.take(Pso().request(node.pso.plan(), 1))
    assert "Not signed by anybody you trust" in check_sound(browser.get("/rounds").text)


def test_the_token_file_holds_no_word_of_the_pages(busy: tuple[Node, Browser]) -> None:
    assert not TokenFile.of(busy[0].config).path.exists()
