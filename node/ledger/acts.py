"""The order of acts that a ledger must show: reserve, seal, send; nothing twice, and nothing after leaving."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

SCOPES = ("clinician", "record")


class LedgerError(Exception):
    """A ledger that does not hold together, or an act that it does not allow; the message names the entry."""


class WrongKeyError(LedgerError):
    """A ledger that another key opened than the one it is checked with."""


class Acts:
    """What was done so far, entry by entry. Whether entries are genuine is for `node.ledger.chain` to say."""

    def __init__(self) -> None:
        self._reserved: set[int] = set()
        self._unsent: set[int] = set()
        self._slices: set[tuple[str, int]] = set()
        self._releases: set[str] = set()
        self._left = False
        self._acts: Mapping[str, Callable[[int, Mapping[str, Any]], None]] = {
            "opened": lambda _number, _content: None,
            "reserved": self._reserve,
            "sealed": self._seal,
            "sent": self._send,
            "rekeyed": lambda _number, _content: None,
            "reconciled": self._reconcile,
            "left": self._leave,
        }

    def take(self, number: int, content: Mapping[str, Any]) -> None:
        """Hold the next entry against those before it.

        LedgerError if it is out of order; KeyError, TypeError or ValueError if a field is missing or of another kind.
        """
        kind = content["kind"]
        _demand((kind == "opened") == (number == 1), number, "a ledger is opened once, by its first entry")
        _demand(not self._left, number, "it comes after the site has left")
        _demand(kind in self._acts, number, f"unknown kind {kind!r}")
        self._acts[kind](number, content)

    def _reserve(self, number: int, content: Mapping[str, Any]) -> None:
        _check_charges(number, content["charges"])
        self._reserved.add(number)

    def _seal(self, number: int, content: Mapping[str, Any]) -> None:
        slice_ = (str(content["plan"]), int(content["quarter"]))
        is_new = content["reserved"] in self._reserved and slice_ not in self._slices
        _demand(is_new, number, "it seals what was not reserved, or was sealed before")
        self._reserved.remove(content["reserved"])
        self._slices.add(slice_)
        self._unsent.add(number)
        self._keep(number, str(content["release"]))

    def _send(self, number: int, content: Mapping[str, Any]) -> None:
        _demand(content["sealed"] in self._unsent, number, "it sends what was not sealed, or was sent before")
        self._unsent.remove(content["sealed"])

    def _reconcile(self, number: int, content: Mapping[str, Any]) -> None:
        for charges in content["charges"].values():
            _check_charges(number, charges)
        for release in content["releases"]:
            self._keep(number, str(release))

    def _leave(self, _number: int, _content: Mapping[str, Any]) -> None:
        self._left = True

    def _keep(self, number: int, release: str) -> None:
        _demand(release not in self._releases, number, "its release is in the ledger already")
        self._releases.add(release)


def _check_charges(number: int, charges: Mapping[str, Any]) -> None:
    sound = all(scope in SCOPES and type(nano) is int and nano >= 0 for scope, nano in charges.items())
    _demand(sound, number, "a charge is no whole number of nano-rho for a known scope")


def _demand(holds: bool, number: int, otherwise: str) -> None:
    if not holds:
        raise LedgerError(f"entry {number}: {otherwise}")
