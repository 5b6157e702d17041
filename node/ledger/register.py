"""The admission register: which cases of which unit counted in the slices that are sealed. It never leaves the node."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

import pandas as pd

from node.ledger.reading import AdmittedRow, LedgerReader
from node.measures.counting import Contributions
from protocols.catalogue.model import Tally

_CASE_COLUMNS = ["unit_key", "row_key", "month", "cell"]


def contributions(ledger: LedgerReader, plan: bytes, tally: Tally) -> Contributions:
    """What was admitted for this plan and tally in sealed slices."""
    rows = ledger.admitted(plan, tally.id)
    if not rows:
        return Contributions.none(tally)
    strata = [json.loads(row.strata) for row in rows]
    frame = pd.DataFrame([row[1:5] for row in rows], columns=_CASE_COLUMNS)
    for name in tally.strata:
        frame[name] = [codes[name] for codes in strata]
    return Contributions(frame)


def register_rows(admitted: Mapping[str, Contributions]) -> Iterator[AdmittedRow]:
    """What a slice admitted, by tally, as `Ledger.seal` keeps it."""
    for tally_id, new in admitted.items():
        strata = [name for name in new.frame.columns if name not in _CASE_COLUMNS]
        for row in new.frame.to_dict("records"):
            codes = json.dumps({name: int(row[name]) for name in strata})
            case = row["unit_key"], row["row_key"], int(row["month"]), int(row["cell"])
            yield AdmittedRow(tally_id, *case, codes)
