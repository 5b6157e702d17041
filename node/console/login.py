"""Signing in and out."""

from __future__ import annotations

import threading
from collections.abc import Mapping

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from node.console.context import Context
from node.console.credentials import TokenFile, Tries, password_fits
from node.console.guard import keep_cookie
from node.console.sessions import Sessions
from node.console.wording import plural

_WRONG = {
    "token": "This token is not valid: it was used, it is older than ten minutes, or a newer one replaced it.",
    "password": "This password is not the one that was set.",
}


def login_router(context: Context, sessions: Sessions) -> APIRouter:
    """`/login` and `/logout`. The link with a token fills in the form; only sending it uses the token up."""
    pages = APIRouter()
    tokens, tries = TokenFile.of(context.config), Tries()
    one_at_a_time = threading.Lock()  # a guess at a password costs 64 MiB

    def check(form: Mapping[str, str], now_s: int) -> tuple[str, int, int]:
        """What is wrong ("": nothing), the status and the seconds to wait. No guesses shut out who holds a token."""
        if form.get("token") and tokens.take(form["token"], now_s):
            return "", 200, 0
        wait_s = tries.wait_s(now_s)
        if wait_s:
            return f"Too many failed attempts. Try again in {plural(-(-wait_s // 60), 'minute')}.", 429, wait_s
        file = context.config.console.password_file
        if file is not None and "password" in form and password_fits(file, form["password"]):
            return "", 200, 0
        tries.note_failure(now_s)
        return _WRONG["password" if "password" in form else "token"], 401, 0

    def page(request: Request, status_code: int = 200, problem: str = "", token: str = "") -> Response:
        with_password = context.config.console.password_file is not None
        values = {"problem": problem, "token": token, "with_password": with_password}
        answer = context.render(request, "login.html", "", status_code, **values)
        keep_cookie(context, answer, request.state.cookie)
        return answer

    @pages.get("/login")
    def ask(request: Request, token: str = "") -> Response:
        return RedirectResponse("/", 303) if request.state.signed_in else page(request, token=token[:100])

    @pages.post("/login")
    def sign_in(request: Request) -> Response:
        with one_at_a_time:
            problem, status_code, wait_s = check(request.state.form, context.clock.now_s())
        if problem:
            answer = page(request, status_code, problem)
            answer.headers.update({"Retry-After": str(wait_s)} if wait_s else {})
            return answer
        sessions.end(request.state.cookie)
        answer = RedirectResponse("/", 303)
        keep_cookie(context, answer, sessions.begin(context.clock.now_s()))
        return answer

    @pages.post("/logout")
    def sign_out(request: Request) -> Response:
        sessions.end(request.state.cookie)
        return RedirectResponse("/login", 303)

    return pages
