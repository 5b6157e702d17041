"""The way to the SuperLink: every way in which it is broken is told from every other, over real sockets and TLS."""

from __future__ import annotations

import socket
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from node.preflight.reach import Route, Trouble, reach
from tests.node.preflight.network import DAY, Authority, listening, proxy, superlink

LOGIN = "Basic dXNlcjpwYXNzOndvcmQ="  # user:pass:word


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path, "PSO authority")


def test_a_superlink_that_is_in_order_is_reached_and_tells_the_time(authority: Authority) -> None:
    with listening(superlink(authority.issue())) as address:
        found = reach(Route(address, authority.certificate, ""))
    assert found.trouble is None
    assert found.skew_s is not None
    assert abs(found.skew_s) < 2


@pytest.mark.parametrize(("ahead_s", "skew_s"), [(-8, 8), (400, -400)])
def test_clocks_are_compared_with_their_sign(ahead_s: int, skew_s: int, authority: Authority) -> None:
    with listening(superlink(authority.issue(), timedelta(seconds=ahead_s))) as address:
        found = reach(Route(address, authority.certificate, ""))
    assert found.skew_s == pytest.approx(skew_s, abs=1.5)


def test_a_server_that_names_no_time_is_reached_all_the_same(authority: Authority) -> None:
    with listening(superlink(authority.issue(), None)) as address:
        found = reach(Route(address, authority.certificate, ""))
    assert (found.trouble, found.skew_s) == (None, None)


@pytest.mark.parametrize(
    ("certificate", "trouble"),
    [
        ({"ends": -DAY / 2}, Trouble.EXPIRED),
        ({"begins": DAY / 2}, Trouble.NOT_YET_VALID),
        ({"host": "elsewhere.example"}, Trouble.WRONG_NAME),
    ],
)
def test_a_certificate_that_does_not_fit_is_named_by_its_fault(
    certificate: dict[str, object], trouble: Trouble, authority: Authority
) -> None:
    with listening(superlink(authority.issue(**certificate))) as address:  # type: ignore[arg-type]
        assert reach(Route(address, authority.certificate, "")).trouble is trouble


def test_a_proxy_that_opens_tls_is_named_by_its_authority(authority: Authority, tmp_path: Path) -> None:
    inspector = Authority(tmp_path, "Hospital inspection")
    with listening(superlink(inspector.issue())) as address:
        found = reach(Route(address, authority.certificate, ""))
    assert (found.trouble, found.detail) == (Trouble.UNKNOWN_CA, "CN=Hospital inspection")


def test_authorities_that_cannot_be_read_are_named(authority: Authority, tmp_path: Path) -> None:
    (tmp_path / "empty").write_text("")
    with listening(superlink(authority.issue())) as address:
        for file in ("empty", "absent"):
            assert reach(Route(address, tmp_path / file, "")).trouble is Trouble.AUTHORITIES


def _mute(connection: socket.socket) -> None:
    connection.sendall(b"220 mail.example ESMTP\r\n")


def test_what_is_no_tls_and_what_is_no_http_are_told_apart(authority: Authority) -> None:
    context = authority.issue()

    def says_rubbish(connection: socket.socket) -> None:
        with context.wrap_socket(connection, server_side=True) as secure:
            secure.recv(4096)
            secure.sendall(b"rubbish\r\n")

    with listening(_mute) as address:
        assert reach(Route(address, authority.certificate, "")).trouble is Trouble.NOT_TLS
    with listening(says_rubbish) as address:
        assert reach(Route(address, authority.certificate, "")).trouble is Trouble.NOT_HTTP


@pytest.mark.parametrize("address", ["", "no-port.example", "host:notaport", "host:99999"])
def test_an_address_that_is_none_is_named(address: str, authority: Authority) -> None:
    assert reach(Route(address, authority.certificate, "")).trouble is Trouble.ADDRESS


def test_names_and_closed_ports_are_told_apart(authority: Authority) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        closed = f"127.0.0.1:{server.getsockname()[1]}"
    assert reach(Route(closed, authority.certificate, "")).trouble is Trouble.REFUSED
    assert reach(Route("nowhere.invalid:443", authority.certificate, "")).trouble is Trouble.NAME
    assert reach(Route("pso.example:443", authority.certificate, f"http://{closed}")).trouble is Trouble.PROXY_CLOSED
    found = reach(Route("pso.example:443", authority.certificate, "http://nowhere.invalid:3128"))
    assert found.trouble is Trouble.PROXY_NAME
    assert reach(Route("a.example:1", authority.certificate, "https://p.example")).trouble is Trouble.PROXY_KIND


def test_the_way_goes_through_a_proxy_with_its_login(authority: Authority) -> None:
    with listening(superlink(authority.issue())) as address, listening(proxy(login=LOGIN)) as way:
        assert reach(Route(address, authority.certificate, f"http://user:pass%3Aword@{way}")).trouble is None
        found = reach(Route(address, authority.certificate, f"http://{way}"))
        assert (found.trouble, found.detail) == (Trouble.PROXY_LOGIN, 'Basic realm="hospital"')


@pytest.mark.parametrize(
    ("handle", "trouble"),
    [
        (proxy("403 Forbidden"), Trouble.PROXY_FORBIDS),
        (proxy("503 No\x07thing"), Trouble.PROXY_FAILS),
        (_mute, Trouble.PROXY_FAILS),
    ],
)
def test_a_proxy_that_does_not_open_the_way_is_told_apart(
    handle: Callable[[socket.socket], None], trouble: Trouble, authority: Authority
) -> None:
    with listening(handle) as way:
        found = reach(Route("pso.example:443", authority.certificate, f"http://{way}"))
    assert found.trouble is trouble
    assert found.detail.isprintable()
