"""From a draft's decisions to the counts of the quality report, and the refusal of files that are mostly unusable."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from node.sources.refused import FileRefused
from node.tables.draft import Cause, Draft, FileFacts
from node.tables.quality import ROWS_SHOWN, FileQuality, Finding, Flag, TableQuality
from node.tables.rules import RULES, Effect
from node.tables.schema import Table

UNUSABLE_SHARE = 0.2
_WORST_SHOWN = 3
_ROWS_NAMED = 5
_BEFORE_READING = (
    "blank_row",
    "repeated_header",
    "totals_row",
    "trailing_note",
    "other_resource",
    "filtered",
    "nothing_listed",
)


def file_qualities(draft: Draft) -> tuple[FileQuality, ...]:
    """The counts for each file of a draft; raises FileRefused if more than 20 % of a file's rows are quarantined."""
    return tuple(_file_quality(draft, position, facts) for position, facts in enumerate(draft.files))


def _file_quality(draft: Draft, position: int, facts: FileFacts) -> FileQuality:
    mine = draft.file_of == position
    removals = [(cause, mine & rows) for cause, rows in draft.removals()]
    repairs = [(cause, mine & rows) for cause, rows in draft.repairs()]
    touched = np.zeros(len(mine), dtype=bool)
    for _, rows in repairs:
        touched |= rows
    quality = FileQuality(
        file=facts.name,
        table=draft.table.name,
        encoding=facts.encoding,
        delimiter=facts.delimiter,
        header_row=facts.header_row,
        read=facts.rows_read,
        added=facts.rows_added,
        accepted=int((mine & draft.stays & ~touched).sum()),
        repaired=int(touched.sum()),
        repairs=_findings(draft, repairs),
        quarantined=(*_left(facts, "quarantined"), *_findings(draft, removals, "quarantined")),
        dropped=(*_left(facts, "dropped"), *_findings(draft, removals, "dropped")),
    )
    _refuse_unusable(quality)
    return quality


def _left(facts: FileFacts, effect: Effect) -> Iterable[Finding]:
    for rule, rows in facts.left.items():
        if RULES[rule].effect == effect:
            yield Finding(rule=rule, column="", count=len(rows), rows=tuple(sorted(set(rows)))[:ROWS_SHOWN])


def _findings(
    draft: Draft, caused: list[tuple[Cause, NDArray[np.bool_]]], effect: Effect = "repaired"
) -> tuple[Finding, ...]:
    return tuple(
        Finding(
            rule=rule,
            column=column,
            count=int(rows.sum()),
            rows=tuple(int(number) for number in np.unique(draft.numbers[rows])[:ROWS_SHOWN]),
        )
        for (rule, column), rows in caused
        if RULES[rule].effect == effect and rows.any()
    )


def _refuse_unusable(quality: FileQuality) -> None:
    no_data = sum(finding.count for finding in quality.dropped if finding.rule in _BEFORE_READING)
    rows = quality.read + quality.added - no_data
    if quality.rows_quarantined <= UNUSABLE_SHARE * rows:
        return
    worst = sorted(quality.quarantined, key=lambda finding: finding.count, reverse=True)[:_WORST_SHOWN]
    raise FileRefused(
        quality.file,
        f"more than {UNUSABLE_SHARE:.0%} of its rows cannot be used for {quality.table}: "
        + "; ".join(map(_told, worst)),
        "correct the export, or the columns, codes, date_order and decimal in the mapping",
    )


def _told(finding: Finding) -> str:
    column = f" in '{finding.column}'" if finding.column else ""
    rows = ", ".join(map(str, finding.rows[:_ROWS_NAMED]))
    return f"{finding.rule}{column} (such as row {rows})"


def table_quality(table: Table, frame: pd.DataFrame) -> TableQuality:
    """Completeness of the optional columns in percent; that of a datetime's clock time as `<name>_time`."""
    shares = {c.name: frame[c.name].notna() for c in table.columns if not c.required}
    shares |= {f"{c.name}_time": frame[f"{c.name}_time_known"] for c in table.columns if c.kind == "datetime"}
    rows = len(frame)
    complete = {name: round(100 * float(held.mean()), 1) for name, held in shares.items()} if rows else {}
    return TableQuality(table=table.name, rows=rows, completeness=complete)


def flags_of(draft: Draft) -> tuple[Flag, ...]:
    """The draft's remarks."""
    return tuple(Flag(rule=r.rule, table=r.table, file=r.file, column=r.column, detail=r.detail) for r in draft.remarks)
