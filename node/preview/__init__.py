"""What a release looks like before one is made: the literal bytes and their meaning, drawn on an invented hospital.

The bytes come from the very code that answers plans, with real noise, a key and a ledger that are thrown away, and a
synthetic twin in place of the site's rows. The site's own ledger, keys and exports are not opened, so looking costs
nothing.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from node.clock import Clock, today
from node.config import NodeConfig
from node.preview.fields import PreviewField, explain_answer
from node.preview.plan import INVENTED_ID, invent_plan, newest_plan
from node.preview.stage import StoppedClock, stage
from node.preview.twin import make_twin, twin_band
from protocols.catalogue import current_catalogue
from protocols.v1 import leadline_pb2 as pb

_HEX_LINES, _HEX_WIDTH = 16, 16
_NOTE = """\
Nothing was spent and nothing was sent: the counts are those of an invented hospital (bed band {band}), and the key and
the ledger were made for this preview and are gone. A release of yours has the same fields with your own counts, each
with noise of the same size. If your exports or your policy leave a tally out, it is missing there.
What is not in it, because the format has no field for it: rows, dates of events, names or numbers of people (hashed
ones neither), units, free text, exact counts, file names, addresses."""


@dataclass(frozen=True)
class Preview:
    """An answer as it would leave.

    `raw` are its bytes, `fields` their meaning, `plan_text` which plan it answers, `hex_lines` how the bytes begin,
    and `note` what was not done and what is not in it.
    """

    raw: bytes
    fields: tuple[PreviewField, ...]
    plan_text: str
    hex_lines: tuple[str, ...]
    note: str


def make_preview(config: NodeConfig, plan_envelope: bytes | None, clock: Clock) -> Preview:
    """Answer the last quarter of the plan in the envelope, or of an invented one where there is none. Spends nothing.

    RuleError if there is no plan and the site's policy allows none.
    """
    catalogue, digest = current_catalogue()
    known = newest_plan(plan_envelope, digest)
    plan = known or invent_plan(config.policy, catalogue, digest, today(clock).year - 1)
    band, after = twin_band(config.paths.profile), int(datetime(plan.year + 1, 1, 1, tzinfo=UTC).timestamp())
    stopped = StoppedClock(max(clock.now_s(), after))
    with stage(config, lambda: make_twin(band, plan.year), stopped) as answer:
        raw = answer(plan)
    fields = explain_answer(raw, plan, catalogue)
    return Preview(raw, fields, _plan_text(plan, known is not None), hex_lines(raw), _NOTE.format(band=band))


def hex_lines(raw: bytes) -> tuple[str, ...]:
    """The first bytes as a hex dump: offset, bytes, printable characters."""
    starts = range(0, min(len(raw), _HEX_LINES * _HEX_WIDTH), _HEX_WIDTH)
    return tuple(_hex_line(start, raw[start : start + _HEX_WIDTH]) for start in starts)


def _hex_line(start: int, part: bytes) -> str:
    shown = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
    return f"{start:08x}  {part.hex(' '):<{3 * _HEX_WIDTH - 1}}  |{shown}|"


def _plan_text(plan: pb.Plan, is_known: bool) -> str:
    tables = sum(len(request.tables) for request in plan.tallies)
    what = f"{len(plan.tallies)} tallies in {tables} tables, ledger year {plan.year}, fourth quarter"
    if is_known:
        return f"the plan {plan.plan_id}, which the PSO signed: {what}"
    return f"a plan made up for this preview ({INVENTED_ID}), which spends the whole ceiling of your policy: {what}"
