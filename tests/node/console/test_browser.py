"""A real browser, by keyboard alone, with axe on every page. Without chromium these tests say so and are skipped."""

from __future__ import annotations

import shutil
import socket
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from node.clock import SystemClock
from node.config import NodeConfig
from node.console.app import create_console
from node.console.credentials import TokenFile
from node.console.quality import import_problem
from node.synthetic.write import write_network
from tests.node.console.conftest import live_a_little, make_site, receive_benchmarks

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--disable-background-networking"]
RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]
PATHS = ["/", "/quality", "/mapping", "/mapping/file", "/budget", "/rounds", "/leaves", "/leaves/receipts/1",
         "/leaves/preview", "/checks", "/leaders", "/leaders/report", "/leaders/C1", "/leaders/B3", "/leaders/D1",
         "/support"]  # fmt: skip

pytestmark = pytest.mark.skipif(CHROMIUM is None, reason="chromium is not installed (apt-get install chromium)")


@dataclass(frozen=True)
class Place:
    """A console that is being served."""

    address: str
    config: NodeConfig

    def login_link(self) -> str:
        return f"{self.address}/login?token={TokenFile.of(self.config).issue(SystemClock().now_s())}"


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """The console of an invented hospital, on a port of this machine."""
    folder = tmp_path_factory.mktemp("served")
    write_network(folder, 1, 1, 2025, 1)
    node = make_site(folder / "site", folder / "sites" / "site-01" / "exports", approve=True)
    live_a_little(node)
    receive_benchmarks(node)
    assert import_problem(node.config.paths, SystemClock()) == ""
    listener = socket.create_server(("127.0.0.1", 0))
    app = create_console(node.config, SystemClock())
    server = uvicorn.Server(uvicorn.Config(app, log_level="warning", access_log=False, ws="none", lifespan="off"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
    thread.start()
    deadline = time.monotonic() + 20
    while not server.started and time.monotonic() < deadline:
        time.sleep(0.05)
    yield Place(f"http://127.0.0.1:{listener.getsockname()[1]}", node.config)
    server.should_exit = True
    thread.join(timeout=10)


@pytest.fixture(scope="module")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


def open_page(chromium: Browser, width: int, scheme: str, scripts: bool = True) -> tuple[Page, list[str]]:
    """A page, and what the browser complains about on it (a blocked style or script, a failed request)."""
    viewport = {"width": width, "height": 900}
    context = chromium.new_context(viewport=viewport, color_scheme=scheme, java_script_enabled=scripts)  # type: ignore[arg-type]
    page = context.new_page()
    complaints: list[str] = []
    page.on("console", lambda message: complaints.append(message.text))
    return page, complaints


def check(page: Page) -> None:
    """No finding of axe, and nothing that has to be scrolled sideways."""
    found = Axe().run(page, options={"runOnly": RULES}).response["violations"]
    assert [(item["id"], [node["html"] for node in item["nodes"]]) for item in found] == [], page.url
    root = "document.documentElement"
    assert page.evaluate(f"{root}.scrollWidth - {root}.clientWidth") == 0, page.url


@pytest.mark.parametrize(("width", "scheme"), [(1280, "light"), (375, "dark")])
def test_axe_finds_nothing_on_any_page(chromium: Browser, place: Place, width: int, scheme: str) -> None:
    page, complaints = open_page(chromium, width, scheme)
    page.goto(place.login_link())
    check(page)
    page.get_by_role("button", name="Sign in").first.click()
    for path in PATHS:
        page.goto(place.address + path)
        check(page)
    page.goto(place.address + "/leaders/report")
    assert "publication 1, 24 sites" in page.inner_text("main")
    page.goto(place.address + "/mapping")
    page.get_by_role("button", name="Propose a mapping").click()
    page.evaluate("document.querySelectorAll('details').forEach(each => { each.open = true })")
    check(page)
    page.get_by_role("button", name="See the file").first.click()
    check(page)
    page.goto(place.address + "/no-such-page")
    check(page)
    assert [text for text in complaints if "404" not in text] == []


_NAMES = "[document.activeElement.id, document.activeElement.innerText.trim()]"


def press_until(page: Page, key: str, name: str) -> None:
    """Go on with the keyboard until the element with this name has the focus, which must be visible."""
    for _ in range(300):
        page.keyboard.press(key)
        if page.evaluate(_NAMES).count(name):
            assert page.evaluate("getComputedStyle(document.activeElement).outlineStyle") != "none"
            return
    raise AssertionError(f"no key leads to {name}")


def test_everything_can_be_done_with_the_keyboard(chromium: Browser, place: Place, tmp_path: Path) -> None:
    mapping = place.config.paths.mapping
    before = mapping.read_text()
    page, _ = open_page(chromium, 1280, "light")
    page.goto(place.login_link())
    press_until(page, "Tab", "Sign in")
    page.keyboard.press("Enter")
    page.wait_for_url(place.address + "/")
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "content"  # the skip link
    press_until(page, "Shift+Tab", "Mapping")
    page.keyboard.press("Enter")
    page.wait_for_url(place.address + "/mapping")
    press_until(page, "Tab", "Propose a mapping from the files")
    page.keyboard.press("Enter")
    page.wait_for_url("**/mapping/drafts/*")
    press_until(page, "Tab", page.locator("details summary").first.inner_text())
    page.keyboard.press("Enter")
    press_until(page, "Tab", page.locator("details[open] select").first.evaluate("each => each.id"))
    page.keyboard.press("y")
    press_until(page, "Tab", "See the file")
    page.keyboard.press("Enter")
    page.wait_for_url("**/file")
    press_until(page, "Tab", "Write the file and import")
    with page.expect_navigation():
        page.keyboard.press("Enter")
    assert page.url == place.address + "/quality"
    assert mapping.read_text() != before
    mapping.write_text(before)


def test_after_a_pause_the_focus_is_on_the_state(chromium: Browser, place: Place) -> None:
    page, _ = open_page(chromium, 1280, "light")
    page.goto(place.login_link())
    page.get_by_role("button", name="Sign in").first.click()
    for button, title in (("Pause", "The node is not running, and is paused"), ("Resume", "The node is not running")):
        page.get_by_role("button", name=f"{button} the node").click()
        page.wait_for_function("document.activeElement.id === 'state'")
        assert page.get_by_role("heading", level=1).inner_text() == title
        check(page)


def test_narrow_pages_read_well(chromium: Browser, place: Place) -> None:
    page, _ = open_page(chromium, 320, "light")
    page.goto(place.login_link())
    page.get_by_role("button", name="Sign in").first.click()
    for path in ("/quality", "/leaves/receipts/1"):
        page.goto(place.address + path)
        check(page)
        captions = page.locator("caption:not(.quiet)")
        assert captions.count() > 0
        assert all(captions.nth(n).bounding_box()["width"] > 200 for n in range(captions.count()))  # type: ignore[index]


def test_nothing_needs_a_script(chromium: Browser, place: Place) -> None:
    page, complaints = open_page(chromium, 1280, "light", scripts=False)
    page.goto(place.login_link())
    page.get_by_role("button", name="Sign in").first.click()
    page.get_by_role("link", name="Quality", exact=True).click()
    page.get_by_role("button", name="Import again").click()
    assert page.get_by_role("heading", level=1).inner_text() == "How good are the exports?"
    page.get_by_role("button", name="Sign out").click()
    assert page.url.endswith("/login")
    assert complaints == []


def test_no_request_leaves_for_another_host(chromium: Browser, place: Place) -> None:
    page, _ = open_page(chromium, 1280, "light")
    hosts: set[str] = set()
    page.on("request", lambda request: hosts.add(request.url.split("/")[2]))
    page.goto(place.login_link())
    page.get_by_role("button", name="Sign in").first.click()
    for path in PATHS[:4]:
        page.goto(place.address + path)
    assert hosts == {place.address.removeprefix("http://")}
