"""A listener on 127.0.0.1 for the hospital's monitoring: /healthz, /readyz, /version, /metrics. It takes no input.

The Host header must name loopback: a page in somebody's browser cannot read it under a name of its own.
"""

from __future__ import annotations

import json
import logging
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version

from node.clock import Clock
from node.config import NodeConfig
from node.ledger.store import Ledger
from node.logs import describe_fault
from node.monitor.metrics import Metrics
from node.monitor.readiness import Readiness, look
from protocols.catalogue import CURRENT_VERSION
from protocols.operator.errors import EndpointError

_log = logging.getLogger("leadline.node")

HOST = "127.0.0.1"
_NAMES = (HOST, "localhost")
_JSON, _PROBLEM, _TEXT = "application/json", "application/problem+json", "text/plain; version=0.0.4; charset=utf-8"
Answer = tuple[HTTPStatus, str, bytes]


@dataclass(frozen=True)
class Pages:
    """What the listener says, by path."""

    config: NodeConfig
    ledger: Ledger
    clock: Clock
    metrics: Metrics

    def answer(self, path: str) -> Answer:
        """Status, media type and body."""
        match path:
            case "/healthz":
                return _json(HTTPStatus.OK, {"status": "ok"})
            case "/readyz":
                return _readiness(look(self.config, self.ledger, self.clock))
            case "/version":
                return _json(HTTPStatus.OK, {"version": version("leadline"), "catalogue": CURRENT_VERSION})
            case "/metrics":
                return HTTPStatus.OK, _TEXT, self.metrics.text()
        return _problem(HTTPStatus.NOT_FOUND, "There is no such page; there are /healthz, /readyz, /version, /metrics")


@contextmanager
def monitored(pages: Pages) -> Iterator[None]:
    """Listen while this lasts; port 0 means not at all. EndpointError if the port is taken."""
    port = pages.config.monitor.port
    if not port:
        yield
        return
    try:
        server = _Server((HOST, port), _Handler)
    except OSError as error:
        hint = "set monitor.port in node.toml to a free one, or to 0 for no monitoring"
        raise EndpointError("port", f"port {port} of {HOST} cannot be used: {error.strerror}", hint) from error
    server.pages = pages
    thread = threading.Thread(target=server.serve_forever, name="monitor", daemon=True)
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    pages: Pages

    def handle_error(self, request: object, client_address: object) -> None:
        """A client that went away is nobody's business."""


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    timeout = 5
    server_version, sys_version = "leadline-node", ""

    def do_GET(self) -> None:
        if not self._is_for_us():
            self._send(_problem(HTTPStatus.MISDIRECTED_REQUEST, "Ask for 127.0.0.1 or localhost"))
            return
        try:
            answer = self.server.pages.answer(self.path.partition("?")[0])
        except Exception as error:
            _log.error("internal fault in the monitor: %s", describe_fault(error))
            answer = _problem(HTTPStatus.INTERNAL_SERVER_ERROR, "The node met a fault of its own; see its log")
        self._send(answer)

    def _is_for_us(self) -> bool:
        port = self.server.pages.config.monitor.port
        named = self.headers.get_all("Host", [])
        return len(named) == 1 and named[0].lower() in {f"{name}:{port}" for name in _NAMES}

    def _send(self, answer: Answer) -> None:
        status, media_type, body = answer
        self.send_response(status)
        for name, value in (("Content-Type", media_type), ("Content-Length", str(len(body)))):
            self.send_header(name, value)
        self.send_header("Cache-Control", "no-store")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:
        """No access log: health is asked for every few seconds."""


def _readiness(conditions: tuple[Readiness, ...]) -> Answer:
    """200, or an RFC 9457 problem that names what is not in order and what to do."""
    broken = [condition for condition in conditions if condition.problem]
    checks = {condition.name: not condition.problem for condition in conditions}
    if not broken:
        return _json(HTTPStatus.OK, {"status": "ready", "checks": checks})
    more = {
        "checks": checks,
        "problems": [{"check": c.name, "detail": c.problem, "mitigation": c.remedy} for c in broken],
        "retryable": True,
        "actionable": True,
        "mitigation": "leadline-node preflight explains every check",
    }
    return _problem(HTTPStatus.SERVICE_UNAVAILABLE, f"Not in order: {', '.join(c.name for c in broken)}", more)


def _problem(status: HTTPStatus, detail: str, more: Mapping[str, object] | None = None) -> Answer:
    fields = {"type": "about:blank", "title": status.phrase, "status": int(status), "detail": detail}
    return _json(status, fields | dict(more or {}), _PROBLEM)


def _json(status: HTTPStatus, fields: Mapping[str, object], media_type: str = _JSON) -> Answer:
    return status, media_type, json.dumps(fields).encode()
