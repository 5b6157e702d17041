"""How a synthetic site's exports look, and what is wrong with them (domain recipe, 'Export errors')."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np

from node.synthetic.words import Vocabulary

DAY_FORMATS = ("%Y-%m-%d", "%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%b-%Y")
# Beside any of the above these can be told apart, so two formats in one file can be repaired.
SECOND_FORMATS = ("%d-%b-%Y", "%Y-%m-%d")
_ORDERS = {"%d/%m/%Y": "day_first", "%m/%d/%Y": "month_first"}


@dataclass(frozen=True)
class Layout:
    """How a CSV file is laid out: `titles` stand above the header, `totals` adds a last row with the number of rows."""

    delimiter: str = ","
    encoding: str = "utf-8"
    titles: tuple[str, ...] = ()
    totals: bool = False


@dataclass(frozen=True)
class Style:
    """Formats, words and errors of one site. Shares are between 0 and 1.

    `date_only` says how a missing clock time is written: not at all, or as 00:00. `serials` is the share of dates that
    a spreadsheet turned into day numbers, `bare_ids` of staff ids in support tables that lost their leading zeros.
    """

    vocabulary: Vocabulary
    layout: Layout
    day_format: str
    second_format: str | None
    date_only: bool
    decimal_comma: bool
    declare_order: bool
    serials: float
    bare_ids: float
    duplicates: float
    eap_as_tier2: bool
    backfilled: bool

    @property
    def date_order(self) -> str | None:
        """What the mapping declares: always month first where it is, day first only at some sites."""
        order = _ORDERS.get(self.day_format)
        return order if order == "month_first" or self.declare_order else None


def draw_style(shape: str, harm_scale: str, rng: np.random.Generator) -> Style:
    """The style of a site: errors with the recipe's chances, and what its kind of system brings with it."""
    semicolon = bool(rng.random() < 0.15)
    layout = Layout(
        delimiter=";" if semicolon else ",",
        encoding=str(rng.choice(["cp1252", "utf-8-sig", "utf-8"], p=[0.25, 0.25, 0.5])),
        totals=bool(rng.random() < 0.25),
    )
    style = Style(
        vocabulary=Vocabulary(harm_scale, "labels" if shape in {"incident_system", "spreadsheet"} else "codes"),
        layout=layout,
        day_format=str(rng.choice(DAY_FORMATS)),
        second_format=str(rng.choice(SECOND_FORMATS)) if rng.random() < 0.2 else None,
        date_only=bool(rng.random() < 0.5),
        decimal_comma=semicolon,
        declare_order=bool(rng.random() < 0.5),
        serials=0.3 if rng.random() < 0.1 else 0.0,
        bare_ids=0.5 if rng.random() < 0.15 else 0.0,
        duplicates=float(rng.uniform(0.01, 0.03)),
        eap_as_tier2=bool(rng.random() < 0.15),
        backfilled=bool(rng.random() < 0.2),
    )
    return _of_shape(style, shape, harm_scale)


def _of_shape(style: Style, shape: str, harm_scale: str) -> Style:
    if shape == "redcap":
        layout = Layout(encoding="utf-8-sig")
        words = Vocabulary(harm_scale, "numbers")
        return replace(style, vocabulary=words, layout=layout, day_format="%Y-%m-%d", second_format=None, serials=0.0)
    if shape == "spreadsheet":
        layout = Layout(delimiter=";", encoding="cp1252", totals=True)
        return replace(style, layout=layout, decimal_comma=True, day_format="%d/%m/%Y", bare_ids=0.5, backfilled=True)
    return style
