"""What became of requests and notices, in words and numbers: of statements, which are public, and never of rows."""

from __future__ import annotations

from collections.abc import Mapping

from protocols.statement import KINDS, parse_envelope
from protocols.v1 import leadline_pb2 as pb


def outcome_of(answer: bytes) -> tuple[str, str]:
    """The kind of an answer that is known to be whole, or the code and the detail of a refusal."""
    envelope = parse_envelope(answer)
    if envelope.kind != KINDS[pb.Refusal]:
        return envelope.kind, ""
    refusal = pb.Refusal.FromString(envelope.body)
    return refusal.code, refusal.detail


def describe_outcomes(outcomes: Mapping[str, int]) -> str:
    """Numbers by outcome in words: `2 releases, 1 receipt, 3 refusals (paused 3)`."""
    codes = dict(outcomes)
    releases, receipts = codes.pop(KINDS[pb.Release], 0), codes.pop(KINDS[pb.Acknowledgement], 0)
    refusals = _plural(sum(codes.values()), "refusal")
    if codes:
        refusals += f" ({', '.join(f'{code} {number}' for code, number in sorted(codes.items()))})"
    return f"{_plural(releases, 'release')}, {_plural(receipts, 'receipt')}, {refusals}"


def _plural(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"
