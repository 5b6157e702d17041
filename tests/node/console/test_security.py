from __future__ import annotations

import re
from pathlib import Path

import pytest

from node.config import NodeConfig
from node.console.credentials import TOKEN_LIFE_S, TokenFile, set_password
from node.console.guard import HEADERS, MAX_FORM_BYTES
from node.console.sessions import ABSOLUTE_S, IDLE_S, MAX_SESSIONS, FormTokens, Sessions
from protocols.operator.errors import InputError
from tests.node.console.conftest import BASE, FROM_HERE, Browser

PAGES = ["/", "/quality", "/mapping", "/budget", "/rounds", "/leaves"]
PASSWORD = "correct horse battery"


def test_without_a_session_every_address_leads_to_the_login_page(browser: Browser) -> None:
    for path in (*PAGES, "/nothing", "/login/x", "/static"):
        answer = browser.get(path)
        assert (answer.status_code, answer.headers["location"]) == (303, "/login"), path


def test_a_form_without_a_session_does_nothing(browser: Browser, config: NodeConfig) -> None:
    assert browser.send("/pause", {}, "/login").headers["location"] == "/login"
    assert not config.pause_file.exists()


@pytest.mark.parametrize(
    "host", ["evil.example", "127.0.0.1.evil.example", "localhost.evil.example:8765", "10.0.0.1", "127.0.0.2", ""]
)
def test_another_host_name_is_misdirected(signed_in: Browser, host: str) -> None:
    answer = signed_in.get("/", Host=host)
    assert answer.status_code == 421
    assert "running" not in answer.text
    assert signed_in.get("/static/style.css", Host=host).status_code == 421


@pytest.mark.parametrize("host", ["localhost:9000", "127.0.0.1", "[::1]:8765", "LOCALHOST:8765"])
def test_the_names_of_this_machine_are_let_in(signed_in: Browser, host: str) -> None:
    assert signed_in.get("/login", Host=host).status_code in (200, 303)


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": "null"},
        {"Origin": "http://evil.example"},
        {"Origin": "https://127.0.0.1:8765"},
        {"Origin": "http://127.0.0.1:9999"},
        {"Origin": BASE, "Sec-Fetch-Site": "cross-site"},
        {"Origin": BASE, "Sec-Fetch-Site": "same-site"},
        {"Sec-Fetch-Site": "none"},
    ],
)
def test_a_form_from_elsewhere_is_refused_even_with_its_token(
    signed_in: Browser, config: NodeConfig, headers: dict[str, str]
) -> None:
    fields = {"form_token": signed_in.form_token("/")}
    assert signed_in.client.post("/pause", data=fields, headers=headers).status_code == 403
    assert not config.pause_file.exists()


@pytest.mark.parametrize("token", ["", "0" * 64, "é"])
def test_a_form_without_the_right_token_is_refused(signed_in: Browser, config: NodeConfig, token: str) -> None:
    assert signed_in.send("/pause", {"form_token": token}).status_code == 403
    assert signed_in.client.post("/logout", headers=FROM_HERE).status_code == 403
    assert not config.pause_file.exists()


def test_the_token_of_another_browser_does_not_fit(signed_in: Browser, config: NodeConfig) -> None:
    other = Browser(config)
    other.sign_in()
    assert signed_in.send("/pause", {"form_token": other.form_token("/")}).status_code == 403
    assert not FormTokens().fits("", FormTokens().of(""))


def test_the_form_of_the_page_works(signed_in: Browser, config: NodeConfig) -> None:
    assert signed_in.send("/pause", {}).status_code == 303
    assert config.pause_file.exists()
    assert signed_in.send("/resume", {}).status_code == 303
    assert not config.pause_file.exists()


def test_a_form_that_is_too_large_or_no_form_is_refused(signed_in: Browser) -> None:
    assert signed_in.send("/pause", {"more": "x" * MAX_FORM_BYTES}).status_code == 413
    assert signed_in.client.post("/pause", content=b"\xff=\xff", headers=FROM_HERE).status_code == 400
    many = "&".join(f"a{i}=" for i in range(20_001))
    assert signed_in.client.post("/pause", content=many, headers=FROM_HERE).status_code == 400


def test_a_token_opens_the_console_once(config: NodeConfig, browser: Browser) -> None:
    token = TokenFile.of(config).issue(browser.clock.now)
    assert browser.get(f"/login?token={token}").status_code == 200  # looking, as link previews do, uses nothing up
    assert browser.send("/login", {"token": token}, "/login").headers["location"] == "/"
    assert browser.get("/").status_code == 200
    assert Browser(config).send("/login", {"token": token}, "/login").status_code == 401


def test_a_token_ends_after_ten_minutes_and_with_the_next_one(config: NodeConfig, browser: Browser) -> None:
    tokens = TokenFile.of(config)
    first, second = tokens.issue(1000), tokens.issue(1000)
    assert not tokens.take(first, 1000)
    assert not tokens.take(second, 1000 + TOKEN_LIFE_S + 1)
    assert tokens.take(second, 1000 + TOKEN_LIFE_S)
    assert tokens.path.parent == config.paths.journal.parent


def test_the_disk_holds_no_token_that_could_be_used(config: NodeConfig) -> None:
    tokens = TokenFile.of(config)
    token = tokens.issue(1000)
    assert tokens.path.stat().st_mode & 0o777 == 0o600
    assert token not in tokens.path.read_text()
    tokens.path.write_text("nonsense")
    assert not tokens.take(token, 1000)


def test_the_cookie_is_out_of_reach_of_scripts_and_other_sites_and_changes_at_sign_in(browser: Browser) -> None:
    before = browser.get("/login").headers["set-cookie"]
    after = browser.sign_in().headers["set-cookie"]
    for cookie in (before, after):
        assert re.fullmatch(r"leadline-8765=[\w-]{43}; HttpOnly; Path=/; SameSite=strict", cookie)
    assert before != after


def test_a_cookie_that_was_given_before_sign_in_opens_nothing(config: NodeConfig) -> None:
    browser = Browser(config)
    browser.client.cookies.set("leadline-8765", "planted")
    browser.sign_in()
    planted = Browser(config)
    planted.client.cookies.set("leadline-8765", "planted")
    assert planted.get("/").status_code == 303


@pytest.mark.parametrize(("step_s", "steps"), [(IDLE_S + 1, 1), (IDLE_S, ABSOLUTE_S // IDLE_S + 1)])
def test_a_session_ends_when_idle_and_after_a_working_day(signed_in: Browser, step_s: int, steps: int) -> None:
    for _ in range(steps - 1):
        signed_in.clock.now += step_s
        assert signed_in.get("/").status_code == 200
    signed_in.clock.now += step_s
    assert signed_in.get("/").status_code == 303


def test_signing_out_ends_the_session_on_the_server(signed_in: Browser) -> None:
    cookie = signed_in.client.cookies["leadline-8765"]
    signed_in.send("/logout", {})
    signed_in.client.cookies.set("leadline-8765", cookie)
    assert signed_in.get("/").status_code == 303


def test_sessions_are_few() -> None:
    sessions = Sessions()
    ids = [sessions.begin(1000 + i) for i in range(MAX_SESSIONS + 1)]
    assert not sessions.lasts(ids[0], 1100)
    assert all(sessions.lasts(session_id, 1100) for session_id in ids[1:])


def test_a_password_opens_the_console_and_its_file_tells_it_to_nobody(config: NodeConfig, browser: Browser) -> None:
    file = config.console.password_file
    assert file is not None
    assert browser.send("/login", {"password": PASSWORD}, "/login").status_code == 401
    set_password(file, PASSWORD)
    assert file.stat().st_mode & 0o777 == 0o600
    assert PASSWORD not in file.read_text()
    assert browser.send("/login", {"password": PASSWORD + "x"}, "/login").status_code == 401
    file.chmod(0o644)
    assert browser.send("/login", {"password": PASSWORD}, "/login").status_code == 401
    file.chmod(0o600)
    assert browser.send("/login", {"password": PASSWORD}, "/login").status_code == 303


@pytest.mark.parametrize("password", ["", "eleven char", "x" * 257])
def test_a_poor_password_is_not_set(tmp_path: Path, password: str) -> None:
    with pytest.raises(InputError):
        set_password(tmp_path / "p", password)


def test_guesses_are_limited_and_shut_out_nobody_who_holds_a_token(config: NodeConfig, browser: Browser) -> None:
    file = config.console.password_file
    assert file is not None
    set_password(file, PASSWORD)
    for _ in range(5):
        assert browser.send("/login", {"token": "guess"}, "/login").status_code == 401
    answer = browser.send("/login", {"password": PASSWORD}, "/login")
    assert answer.status_code == 429
    assert answer.headers["retry-after"] == "900"
    assert browser.sign_in().status_code == 303
    browser.clock.now += 900
    assert Browser(config, browser.clock).send("/login", {"password": PASSWORD}, "/login").status_code == 303


def test_every_answer_carries_the_security_headers(signed_in: Browser) -> None:
    answers = [signed_in.get(path) for path in ("/", "/login", "/nothing", "/static/style.css", "/static/nothing")]
    answers += [signed_in.get("/", Host="evil.example"), signed_in.client.post("/pause"), signed_in.client.put("/")]
    assert {answer.status_code for answer in answers} == {200, 303, 404, 421, 403, 405}
    for answer in answers:
        assert all(answer.headers[name] == value for name, value in HEADERS.items()), answer.url
        assert "server" not in answer.headers
    policy = HEADERS["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert HEADERS["Cache-Control"] == "no-store"


def test_a_fault_shows_and_logs_its_kind_alone(
    signed_in: Browser, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> bool:
        raise RuntimeError("patient 4711")

    monkeypatch.setattr("node.console.home.is_held", broken)
    answer = signed_in.get("/?secret=1")
    assert answer.status_code == 500
    assert answer.headers["Cache-Control"] == "no-store"
    assert "4711" not in answer.text + caplog.text
    assert "RuntimeError" in caplog.text
    assert "secret" not in caplog.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../app.py",
        "/static/%2e%2e/app.py",
        "/static/console/..%2fapp.py",
        "/static//etc/passwd",
        "/static/%00",
    ],
)
def test_the_static_folder_ends_at_its_edge(signed_in: Browser, path: str) -> None:
    answer = signed_in.get(path)
    assert answer.status_code in (303, 404)
    assert "import" not in answer.text


def test_the_console_describes_itself_to_nobody(signed_in: Browser) -> None:
    assert {signed_in.get(path).status_code for path in ("/docs", "/redoc", "/openapi.json")} == {404}
