"""The checks of the way out: proxy, certificates, the SuperLink itself, and the clock against its clock."""

from __future__ import annotations

from node.preflight.finding import Verdict, failed, ok, skipped, warning
from node.preflight.reach import Reach, Trouble
from node.preflight.subject import Subject
from node.skew import Skew, keep_skew

# Flower refuses a site whose clock is more than 5 s ahead or 305 s behind; one second of each is our margin.
WARN_S, AHEAD_S, BEHIND_S = 2.0, 4.0, 300.0

_NO_ADDRESS = "no approval names the SuperLink's address yet"
_NETWORK = "ask your network team to let this machine out to {superlink}, one TLS connection, no inspection"

_PROXY = {
    Trouble.PROXY_NAME: ("the proxy's name {detail} is not known", "mend network.proxy in node.toml, or the DNS"),
    Trouble.PROXY_CLOSED: ("the proxy {detail} does not accept connections", "check its port in network.proxy"),
    Trouble.PROXY_LOGIN: (
        "the proxy wants a login (407 {detail})",
        "let this machine pass without one, or give http://USER:PASSWORD@HOST:PORT as network.proxy (mode 0600)",
    ),
    Trouble.PROXY_FORBIDS: ("the proxy forbids the way to {superlink} (403)", "have {superlink} put on its list"),
    Trouble.PROXY_FAILS: ("the proxy does not open the way to {superlink}: {detail}", "show this to whoever runs it"),
    Trouble.PROXY_KIND: (
        "preflight cannot look through a proxy that is itself reached by TLS",
        "give the proxy's http:// address as network.proxy if it has one; what it carries is TLS all the same",
    ),
}
_SUPERLINK = {
    Trouble.ADDRESS: ("the approval's address {detail} is not host:port", "ask the PSO for a new approval"),
    Trouble.NAME: (
        "the name {detail} is not known (DNS)",
        "check the DNS here; behind a proxy set network.proxy",
    ),
    Trouble.REFUSED: ("{detail} refuses connections", "ask the PSO whether its SuperLink runs, and on which port"),
    Trouble.SILENT: ("{detail} does not answer: a firewall drops the connection", _NETWORK),
    Trouble.UNREACHABLE: ("{detail}", _NETWORK),
    Trouble.NOT_TLS: ("what answers at {superlink} does not speak TLS", _NETWORK),
    Trouble.NOT_HTTP: ("what answers at {superlink} is no SuperLink", "ask the PSO for the right address"),
}
_OWN_CA = "if it is your hospital's own, name its certificate as network.extra_ca and import the approval again"
_CERTIFICATES = {
    Trouble.AUTHORITIES: (
        "the authorities in {detail} cannot be read",
        "import the approval again, which writes them: leadline-node import-approval FILE",
    ),
    Trouble.UNKNOWN_CA: (
        "the certificate of {superlink} was issued by an unknown authority ({detail})",
        f"{_OWN_CA}; if not, somebody listens in: do not go on",
    ),
    Trouble.WRONG_NAME: (
        "the certificate of {superlink} is for another name",
        "check the address with the PSO; somebody may be answering in its place",
    ),
    Trouble.EXPIRED: ("the certificate of {superlink} has expired", "check this machine's clock, then tell the PSO"),
    Trouble.NOT_YET_VALID: ("the certificate of {superlink} is not valid yet", "check this machine's clock"),
    Trouble.UNTRUSTED: ("the certificate of {superlink} does not verify ({detail})", "show this to the PSO"),
}


def check_proxy(subject: Subject) -> Verdict:
    """The proxy, where there is one, opens a tunnel to the SuperLink."""
    if not subject.config.network.proxy:
        return ok("none is set: the relay connects directly")
    found = subject.reach
    if found is None:
        return skipped(_NO_ADDRESS)
    if found.trouble in _PROXY:
        return _explained(found, _PROXY)
    if found.trouble is Trouble.ADDRESS:
        return skipped("there is no address to go to")
    return ok("it opens the way to the SuperLink")


def check_superlink(subject: Subject) -> Verdict:
    """Something answers at the SuperLink's address."""
    found = subject.reach
    if found is None:
        return skipped(_NO_ADDRESS)
    if found.trouble in _SUPERLINK:
        return _explained(found, _SUPERLINK)
    if found.trouble in _PROXY:
        return skipped("the proxy is in the way")
    return ok(f"{found.route.superlink} answers")


def check_certificates(subject: Subject) -> Verdict:
    """The SuperLink's certificate verifies against what the relay trusts."""
    found = subject.reach
    if found is None:
        return skipped(_NO_ADDRESS)
    if found.trouble in _CERTIFICATES:
        return _explained(found, _CERTIFICATES)
    if found.trouble not in {None, Trouble.NOT_HTTP}:
        return skipped("no certificate was shown")
    return ok(f"it verifies against {found.route.authorities}")


def check_clock_skew(subject: Subject) -> Verdict:
    """The clock is near enough to the SuperLink's, which refuses sites whose clock is not."""
    found = subject.reach
    if found is None or found.trouble is not None:
        return skipped("the SuperLink was not reached")
    if found.skew_s is None:
        return warning("the SuperLink names no time", "make sure that NTP runs here (timedatectl)")
    keep_skew(subject.config, Skew(found.skew_s, subject.clock.now_s()))
    side = "ahead of" if found.skew_s > 0 else "behind"
    words = f"this clock is {abs(found.skew_s):.1f} s {side} the SuperLink's"
    remedy = "let NTP set the clock (timedatectl set-ntp true), then look again"
    if found.skew_s > AHEAD_S or found.skew_s < -BEHIND_S:
        return failed(f"{words}, which refuses the relay", remedy)
    return warning(words, remedy) if abs(found.skew_s) > WARN_S else ok(words)


def _explained(found: Reach, words: dict[Trouble, tuple[str, str]]) -> Verdict:
    if found.trouble is None:
        raise ValueError("there is no trouble to explain")
    facts = {"detail": found.detail, "superlink": found.route.superlink}
    what, remedy = words[found.trouble]
    return failed(what.format(**facts), remedy.format(**facts))
