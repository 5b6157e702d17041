"""Rounds with a site that has no connection: what is due to it as a file, and its answers from a file.

The same envelopes as over the pipe, through the same outbox and the same intake. Both ways may be repeated: what was
exported and is not answered is exported again, and an answer that is stored already is a repetition.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from google.protobuf.message import DecodeError

from coordinator.answers import take_payload
from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.outbox import MAX_ENVELOPES, Outbox, Parcel
from coordinator.sites.register import known_site
from coordinator.store.database import Store
from coordinator.store.schema import SiteState
from protocols.operator.errors import InputError, RuleError
from protocols.outcomes import outcome_of
from protocols.refusals import EXPLANATIONS, Code
from protocols.v1 import leadline_pb2 as pb

MAX_FILE_BYTES = 8 * 1024 * 1024  # as much as one message of the pipe


@dataclass(frozen=True)
class Taken:
    """What the answers of a file that were taken say (see `protocols.outcomes`), and why others were not: numbers."""

    outcomes: dict[str, int]
    refused: dict[Code, int]

    @property
    def taken(self) -> int:
        """How many answers were taken."""
        return sum(self.outcomes.values())


def write_file(path: Path, content: bytes) -> None:
    """Write a file that appears whole or not at all; InputError if it cannot be written."""
    partial = path.with_name(f".{path.name}.partial")
    try:
        partial.write_bytes(content)
        partial.replace(path)
    except OSError as error:
        raise InputError("file", f"{path} cannot be written: {error.strerror}", "choose another --out") from error


def export_due(store: Store, clock: Clock, config: Config, key: Ed25519PrivateKey, site_id: str, out: Path) -> Parcel:
    """Write what is due to a site to `out`; it counts as sent. RuleError if nothing is due, or it is not enabled."""
    _require_enabled(store, site_id)
    parcel = Outbox(store, clock, config, key).hand_out(site_id, unanswered=True)
    if parcel is None:
        raise RuleError("nothing_due", f"nothing is due to site {site_id}", "see: rounds status")
    write_file(out, parcel.payload)
    return parcel


def import_answers(store: Store, clock: Clock, config: Config, site_id: str, file: Path) -> Taken:
    """Take a site's answers from its file. InputError if it is no such file; RuleError if it holds nothing to take."""
    _require_enabled(store, site_id)
    payload = _read(file)
    codes = take_payload(store, clock, config.rounds, site_id, payload)
    refused = Counter(code for code in codes if code is not None)
    if len(codes) == refused.total():
        code = refused.most_common(1)[0][0]
        why = f"{file} holds no answer that can be taken from site {site_id}: {EXPLANATIONS[code].why.rstrip('.')}"
        raise RuleError(code.value, f"{why} ({code.value})", _remedy(code))
    envelopes = pb.Batch.FromString(payload).envelopes
    outcomes = Counter(outcome_of(raw)[0] for raw, code in zip(envelopes, codes, strict=True) if code is None)
    return Taken(dict(outcomes), dict(refused))


def _remedy(code: Code) -> str:
    if code in (Code.WRONG_SITE, Code.WRONG_KIND):
        return "give the file that `leadline-node export` made at this very site"
    return EXPLANATIONS[code].remedy.rstrip(".")


def _require_enabled(store: Store, site_id: str) -> None:
    with store.reading() as reader:
        site = known_site(reader, site_id)
    if site.state is not SiteState.ENABLED:
        hint = "see: sites enable" if site.state is SiteState.DISABLED else "it left for good, and is asked nothing"
        raise RuleError("site_not_enabled", f"site {site_id} is not enabled ({site.state.value})", hint)


def _read(file: Path) -> bytes:
    hint = "give the file that `leadline-node export` made"
    try:
        with file.open("rb") as opened:
            payload = opened.read(MAX_FILE_BYTES + 1)
    except OSError as error:
        raise InputError("file", f"{file} cannot be read: {error.strerror}", hint) from error
    try:
        count = len(pb.Batch.FromString(payload).envelopes) if len(payload) <= MAX_FILE_BYTES else 0
    except DecodeError:
        count = 0
    if not 0 < count <= MAX_ENVELOPES:
        raise InputError("file", f"{file} is no file of answers", hint)
    return payload
