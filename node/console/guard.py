"""The one door of the console: every request passes here before any page sees it.

In this order: the Host header names this machine (against DNS rebinding); a session, or one of the addresses that need
none; for POST, a browser that says the form came from the console itself, a small form body, and the form's token.
Every answer, errors too, carries the security headers. A fault is told by its kind alone: its text may quote exports.
"""

from __future__ import annotations

import logging
import re
import secrets
from urllib.parse import parse_qsl

from fastapi import Request
from fastapi.responses import RedirectResponse, Response
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.console.context import Context
from node.console.sessions import FormTokens, Sessions

_log = logging.getLogger("leadline.console")

MAX_FORM_BYTES = 1024 * 1024
MAX_FIELDS = 20_000
_HOST = re.compile(r"(localhost|127\.0\.0\.1|\[::1\])(:\d{1,5})?", re.IGNORECASE)
_OPEN = ("/login", "/static/")

HEADERS = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
        "frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    # Not no-referrer: under that, browsers send "Origin: null" with forms, which says nothing.
    "Referrer-Policy": "same-origin",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
    "Cache-Control": "no-store",
}


class Guard:
    """ASGI middleware around all pages; `request.state` then holds signed_in, form_token and, for POST, form."""

    def __init__(self, app: ASGIApp, context: Context, sessions: Sessions, tokens: FormTokens) -> None:
        self._app, self._context = app, context
        self._sessions, self._tokens = sessions, tokens

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request; there are no websockets."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = False

        async def guarded(message: Message) -> None:
            nonlocal started
            if message["type"] == "http.response.start":
                started = True
                MutableHeaders(scope=message).update(HEADERS)
            await send(message)

        request = Request(scope, receive)
        try:
            refused = await self._refusal(request)
            await (refused or self._app)(scope, receive, guarded)
        except Exception as error:
            _log.error("a fault on %r: %s", scope["path"], type(error).__name__)
            if not started:
                words = "The console met a fault of its own. Its log names the kind; it never quotes your data."
                await self._problem(request, 500, "Something went wrong", words)(scope, receive, guarded)

    async def _refusal(self, request: Request) -> Response | None:
        """The answer to a request that goes no further, or None."""
        cookie = request.cookies.get(cookie_name(self._context), "")
        state = request.state
        state.signed_in = bool(cookie) and self._sessions.lasts(cookie, self._context.clock.now_s())
        state.cookie = cookie or secrets.token_urlsafe(32)
        state.form_token, state.form = self._tokens.of(state.cookie), {}
        if not _HOST.fullmatch(request.headers.get("host", "")):
            words = "Open the console as 127.0.0.1 or localhost."
            return self._problem(request, 421, "This is not the console's address", words)
        if not state.signed_in and not _is_open(request.url.path):
            return RedirectResponse("/login", 303)
        return await self._refused_form(request, cookie) if request.method == "POST" else None

    async def _refused_form(self, request: Request, cookie: str) -> Response | None:
        if not _came_from_here(request):
            words = "Another page sent this form; nothing was done."
            return self._problem(request, 403, "Not sent from the console", words)
        body = await _read(request)
        if body is None:
            return self._problem(request, 413, "The form is too large", "Nothing was done.")
        try:
            pairs = parse_qsl(body.decode(), keep_blank_values=True, max_num_fields=MAX_FIELDS)
        except ValueError:
            return self._problem(request, 400, "The form cannot be read", "Nothing was done.")
        request.state.form = dict(pairs)
        if not self._tokens.fits(cookie, request.state.form.get("form_token", "")):
            words = "Nothing was done. Open the page again and repeat; you may have been signed out meanwhile."
            return self._problem(request, 403, "The form is no longer valid", words)
        return None

    def _problem(self, request: Request, status_code: int, title: str, words: str) -> Response:
        return self._context.render(request, "problem.html", "", status_code, title=title, detail=words, hint="")


def cookie_name(context: Context) -> str:
    """Cookies know no ports; the name keeps two nodes on one machine apart."""
    return f"leadline-{context.config.console.port}"


def keep_cookie(context: Context, response: Response, value: str) -> None:
    """Tie a browser to `value`: out of reach of scripts and of other sites, gone when the browser closes."""
    response.set_cookie(cookie_name(context), value, httponly=True, samesite="strict", path="/")


def _is_open(path: str) -> bool:
    return path == _OPEN[0] or path.startswith(_OPEN[1])


def _came_from_here(request: Request) -> bool:
    """What browsers say about a form's origin: at least one of the two headers, and neither against it."""
    origin, site = request.headers.get("origin"), request.headers.get("sec-fetch-site")
    own = f"{request.url.scheme}://{request.headers['host']}"
    return (origin or site) is not None and origin in (None, own) and site in (None, "same-origin")


async def _read(request: Request) -> bytes | None:
    """The body, or None once it is longer than a form of ours can be."""
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > MAX_FORM_BYTES:
            return None
    return bytes(body)
