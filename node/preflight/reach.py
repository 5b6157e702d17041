"""The way to the SuperLink, tried step by step as the relay goes it: proxy, name, connection, TLS, an HTTP answer.

Nothing is sent but one `GET /`, and no certificate that does not verify is ever accepted: where one does not, a second
handshake only looks at who issued it.
"""

from __future__ import annotations

import base64
import socket
import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from enum import StrEnum
from http.client import HTTPException, HTTPResponse
from pathlib import Path
from urllib.parse import unquote, urlsplit

from cryptography import x509

TIMEOUT_S = 10.0
MAX_DETAIL = 120
DEFAULT_PROXY_PORT = 3128


class Trouble(StrEnum):
    """Where the way ends."""

    ADDRESS = "address"
    PROXY_NAME = "proxy_name"
    PROXY_CLOSED = "proxy_closed"
    PROXY_LOGIN = "proxy_login"
    PROXY_FORBIDS = "proxy_forbids"
    PROXY_FAILS = "proxy_fails"
    PROXY_KIND = "proxy_kind"
    NAME = "name"
    REFUSED = "refused"
    SILENT = "silent"
    UNREACHABLE = "unreachable"
    AUTHORITIES = "authorities"
    NOT_TLS = "not_tls"
    UNKNOWN_CA = "unknown_ca"
    WRONG_NAME = "wrong_name"
    EXPIRED = "expired"
    NOT_YET_VALID = "not_yet_valid"
    UNTRUSTED = "untrusted"
    NOT_HTTP = "not_http"


@dataclass(frozen=True)
class Route:
    """Where to: host:port; whom to believe: a file of certificates; through which proxy, or "" for none."""

    superlink: str
    authorities: Path
    proxy: str


@dataclass(frozen=True)
class Reach:
    """How far it went. `detail` is about the network only; `skew_s` is this clock minus the other's, if it said."""

    route: Route
    trouble: Trouble | None = None
    detail: str = ""
    skew_s: float | None = None


class _Stopped(Exception):
    def __init__(self, trouble: Trouble, detail: str = "") -> None:
        super().__init__(trouble)
        self.trouble, self.detail = trouble, "".join(filter(str.isprintable, detail))[:MAX_DETAIL]


def reach(route: Route) -> Reach:
    """Go the way once; never raises on account of the network."""
    try:
        host, port = _address(route.superlink)
        with _connected(route, host, port) as plain, _secured(route, plain, host, port) as secure:
            return Reach(route, skew_s=_ask_the_time(secure, host))
    except _Stopped as stopped:
        return Reach(route, stopped.trouble, stopped.detail)


def _address(text: str) -> tuple[str, int]:
    parts = urlsplit(f"//{text}")
    try:
        if parts.hostname and parts.port:
            return parts.hostname, parts.port
    except ValueError:
        pass
    raise _Stopped(Trouble.ADDRESS, repr(text))


@contextmanager
def _connected(route: Route, host: str, port: int) -> Iterator[socket.socket]:
    """A connection to the SuperLink, directly or through the proxy's CONNECT."""
    if not route.proxy:
        with _dialled(host, port, _DIRECT) as direct:
            yield direct
        return
    parts = urlsplit(route.proxy)
    if parts.scheme != "http":
        raise _Stopped(Trouble.PROXY_KIND)
    with _dialled(str(parts.hostname), parts.port or DEFAULT_PROXY_PORT, _PROXY) as tunnel:
        login = ""
        if parts.username is not None:
            pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
            login = f"Proxy-Authorization: Basic {base64.b64encode(pair.encode()).decode()}\r\n"
        _open_tunnel(tunnel, f"{host}:{port}", login)
        yield tunnel


_DIRECT = (Trouble.NAME, Trouble.REFUSED, Trouble.SILENT, Trouble.UNREACHABLE)
_PROXY = (Trouble.PROXY_NAME, Trouble.PROXY_CLOSED, Trouble.PROXY_CLOSED, Trouble.PROXY_CLOSED)


def _dialled(host: str, port: int, troubles: tuple[Trouble, Trouble, Trouble, Trouble]) -> socket.socket:
    name, refused, silent, unreachable = troubles
    try:
        return socket.create_connection((host, port), TIMEOUT_S)
    except (socket.gaierror, UnicodeError) as error:
        raise _Stopped(name, host) from error
    except ConnectionRefusedError as error:
        raise _Stopped(refused, f"{host}:{port}") from error
    except TimeoutError as error:
        raise _Stopped(silent, f"{host}:{port}") from error
    except OSError as error:
        raise _Stopped(unreachable, f"{host}:{port}: {error.strerror}") from error


def _open_tunnel(proxy: socket.socket, target: str, login: str) -> None:
    try:
        proxy.sendall(f"CONNECT {target} HTTP/1.1\r\nHost: {target}\r\n{login}\r\n".encode())
        answer = HTTPResponse(proxy, method="CONNECT")
        answer.begin()
    except (OSError, HTTPException) as error:
        raise _Stopped(Trouble.PROXY_FAILS, "it does not answer as a proxy") from error
    match answer.status:
        case 200:
            return
        case 407:
            raise _Stopped(Trouble.PROXY_LOGIN, str(answer.headers.get("Proxy-Authenticate", "")))
        case 403:
            raise _Stopped(Trouble.PROXY_FORBIDS)
    raise _Stopped(Trouble.PROXY_FAILS, f"it answered {answer.status} {answer.reason}")


@contextmanager
def _secured(route: Route, plain: socket.socket, host: str, port: int) -> Iterator[ssl.SSLSocket]:
    try:
        context = ssl.create_default_context(cafile=str(route.authorities))
    except OSError as error:  # an SSLError is an OSError
        raise _Stopped(Trouble.AUTHORITIES, str(route.authorities)) from error
    try:
        secure = context.wrap_socket(plain, server_hostname=host)
    except ssl.SSLCertVerificationError as error:
        raise _Stopped(_TROUBLES.get(error.verify_code, Trouble.UNTRUSTED), _issuer(route, host, port)) from error
    except OSError as error:
        raise _Stopped(Trouble.NOT_TLS) from error
    with secure:
        yield secure


# Codes of X509_verify_cert (OpenSSL, x509_vfy.h).
_TROUBLES = {
    9: Trouble.NOT_YET_VALID,
    10: Trouble.EXPIRED,
    18: Trouble.UNKNOWN_CA,
    19: Trouble.UNKNOWN_CA,
    20: Trouble.UNKNOWN_CA,
    21: Trouble.UNKNOWN_CA,
    62: Trouble.WRONG_NAME,
    64: Trouble.WRONG_NAME,
}


def _issuer(route: Route, host: str, port: int) -> str:
    """Who issued the certificate that was not believed: often the hospital's own proxy."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE  # it is looked at, and never talked to
    try:
        with _connected(route, host, port) as plain, context.wrap_socket(plain, server_hostname=host) as secure:
            certificate = x509.load_der_x509_certificate(secure.getpeercert(binary_form=True) or b"")
            return certificate.issuer.rfc4514_string()
    except (_Stopped, OSError, ValueError):
        return ""


def _ask_the_time(secure: ssl.SSLSocket, host: str) -> float | None:
    """This clock minus the other's, seconds; None if the answer names no time. A Date is cut to its second."""
    before = time.time()
    try:
        secure.sendall(f"GET / HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n".encode())
        answer = HTTPResponse(secure)
        answer.begin()
    except (OSError, HTTPException) as error:
        raise _Stopped(Trouble.NOT_HTTP) from error
    try:
        theirs = parsedate_to_datetime(str(answer.headers["Date"])).timestamp()
    except (TypeError, ValueError):
        return None
    return round((before + time.time()) / 2 - (theirs + 0.5), 1)
