"""The first page: whether the node works, what needs attention, and the pause."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from node import pauses
from node.console.context import Context, site_ledger
from node.console.quality import imported_at_s, read_report, totals
from node.console.rounds import is_refusal
from node.console.wording import day, plural, sentence, spaced
from node.explain import explain
from node.journal import Asked, Journal
from node.ledger.acts import LedgerError
from node.ledger.chain import Entry
from node.membership import Membership, MembershipState, describe, load_membership
from node.pauses import Pause
from node.service.only import daemon_lock, is_held
from protocols.operator.errors import OperatorError
from protocols.refusals import Code, Refused

_SOON_S = 10 * 86_400
_RECENT_S = 30 * 86_400
_UNREMARKABLE = {Code.PAUSED.value, Code.PERIOD_OPEN.value}  # a person wanted the one, time mends the other

_PAUSES = {
    Pause.OPERATOR: "Every request is refused until somebody resumes.",
    Pause.REBOOT: "It was prepared for a reboot; every request is refused until the daemon starts again.",
}


@dataclass(frozen=True)
class Notice:
    """Something that needs a person, and the page or command that helps."""

    title: str
    words: str
    href: str = ""
    link: str = ""


@dataclass(frozen=True)
class State:
    """What the first page says about the node; times are Unix time, None for never."""

    running: bool
    paused: Pause | None
    left: bool
    approval: str
    heard_s: int | None
    sent_s: int | None
    imported_s: int | None
    notices: tuple[Notice, ...]


def router(context: Context) -> APIRouter:
    """`/`, `/pause` and `/resume`."""
    pages = APIRouter()

    @pages.get("/")
    def home(request: Request) -> Response:
        now_s = context.clock.now_s()
        return context.render(request, "home.html", "home", state=read_state(context), now_s=now_s)

    @pages.post("/pause")
    def pause() -> Response:
        pauses.pause(context.config, Pause.OPERATOR)
        return RedirectResponse("/#state", 303)

    @pages.post("/resume")
    def resume() -> Response:
        pauses.resume(context.config)
        return RedirectResponse("/#state", 303)

    return pages


def read_state(context: Context) -> State:
    """The node's state. What cannot be read becomes a notice: this page must always be there."""
    paths, journal = context.config.paths, Journal(context.config.paths.journal)
    running, paused = is_held(daemon_lock(paths.socket)), pauses.paused_by(context.config)
    notices = list(_daemon_notices(running, paused))
    membership, left, sent_s = None, False, None
    try:
        with site_ledger(context) as ledger:
            left, sent_s = ledger.has_left(), _newest(ledger.entries())
        membership = load_membership(context.config)
        notices += _membership_notices(membership, left, context.clock.now_s())
    except (OperatorError, Refused, LedgerError) as error:
        known = explain(error)
        words = f"{known.message}. What to do: {known.hint}." if known else ""
        notices.append(Notice("A key, the approval or the ledger cannot be used", words))
    notices += [*_export_notices(context), *_refusal_notices(journal.recent(100), context.clock.now_s())]
    approval = describe(membership, context.clock.now_s()) if membership else "not approved yet"
    return State(running, paused, left, approval, journal.heard_at_s(), sent_s, imported_at_s(paths), tuple(notices))


def _newest(entries: list[Entry]) -> int | None:
    sent = [entry.content["at"] for entry in entries if entry.content["kind"] == "sent"]
    return max(sent, default=None)


def _daemon_notices(running: bool, paused: Pause | None) -> Iterator[Notice]:
    if not running:
        yield Notice(
            "The daemon does not run",
            "Nothing is answered. Start it with “systemctl start leadline-node”, or “leadline-node start”; its log "
            "says why it stopped.",
        )
    if paused:
        yield Notice("The node is paused", _PAUSES[paused], "#pause", "Resume")


def _membership_notices(membership: Membership | None, left: bool, now_s: int) -> Iterator[Notice]:
    if left:
        yield Notice("This site has left the network", "Nothing is answered any more. To take part again, enrol anew.")
    elif membership is None:
        words = "Send the file that “leadline-node request” makes, and import the approval that comes back."
        yield Notice("The patient safety organisation has not approved this node yet", words)
    elif membership.state(now_s) is not MembershipState.VALID:
        yield Notice("The approval is not in force", f"{sentence(describe(membership, now_s))}.")
    elif membership.approval.valid_until_s - now_s < _SOON_S:
        until = day(membership.approval.valid_until_s)
        yield Notice(
            "The approval ends soon and has not been renewed",
            f"It ends on {until}. It renews itself over the relay: check that the relay runs and gets out.",
        )


def _export_notices(context: Context) -> Iterator[Notice]:
    paths = context.config.paths
    if not paths.mapping.is_file():
        yield Notice(
            "There is no mapping yet", "It says what the columns of your exports mean.", "/mapping", "Make one"
        )
        return
    report, imported_s = read_report(paths), imported_at_s(paths)
    if report is None or imported_s is None:
        yield Notice("The exports were never imported", "Importing spends nothing.", "/quality", "Import them")
        return
    files = [path for path in (*paths.exports.rglob("*"), paths.mapping) if path.is_file()]
    changed_s = max((path.stat().st_mtime for path in files), default=0)
    if changed_s > imported_s + 1:
        yield Notice("The exports are newer than their last import", "", "/quality", "Import them again")
    aside = totals(report.files).quarantined
    if aside:
        words = f"{plural(aside, 'row')} cannot be used until the export or the mapping is mended."
        yield Notice("Some rows were set aside", words, "/quality", "See which, and why")


def _refusal_notices(asked: tuple[Asked, ...], now_s: int) -> Iterator[Notice]:
    refused = [item for item in asked if is_refusal(item) and item.outcome not in _UNREMARKABLE]
    recent = [item for item in refused if now_s - item.at_s < _RECENT_S]
    if recent:
        words = f"Most recently: {spaced(recent[0].outcome)}."
        title = f"{plural(len(recent), 'refusal')} in the last 30 days"
        yield Notice(title, words, "/rounds", "See why, and what to do")
