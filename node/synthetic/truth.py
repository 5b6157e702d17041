"""The exact value of every measure of the catalogue, pooled over sites, from the tables that the sites recorded.

This is deliberately a second, plain reading of the catalogue's definitions, written without the code that tallies them
at a node: a test that compares the two has something to find. Nothing is capped, noised or binned here, so a difference
from a benchmark is the cost of privacy (noise, caps per clinician and year) plus the width of the bins.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from datetime import timedelta
from typing import Any

import numpy as np
import pandas as pd

from node.synthetic import facts
from node.synthetic.facts import SiteFacts
from node.synthetic.network import SyntheticSite
from protocols.periods import Grain, Period, periods_of

COLUMNS = ["measure", "period_start", "period_end", "peer_group", "stratum", "value"]
REFERRAL_SOURCES = (
    "self",
    "colleague",
    "manager",
    "risk_quality_patient_safety",
    "automatic_trigger",
    "eap_occupational_health",
    "hotline_external",
    "other",
    "unknown",
)
Value = Callable[[Sequence[SiteFacts], Period], float]


def truth_table(sites: Sequence[SyntheticSite], years: Iterable[int]) -> pd.DataFrame:
    """One row per measure (histograms: per cell) and year, and per quarter for the trend measures A2, B1 and C1.

    Columns measure, period_start, period_end (dates), peer_group "all", stratum ("all" or the histogram's cell), value
    in the catalogue's unit (percentages 0 to 100); NaN where there is no case. C2 is the share of the clinicians who
    really were distressed in the year, which no site can know.
    """
    known = [facts.site_facts(site) for site in sites]
    rows: list[tuple[Any, ...]] = []
    for year in years:
        (whole,) = periods_of(year, Grain.YEAR)
        rows += [_row(measure, whole, "all", value(known, whole)) for measure, value in _YEARLY.items()]
        rows += _histogram("B3", whole, _of_period(known, "activations", whole)["referral_source"], REFERRAL_SOURCES)
        rows += _histogram("E1", whole, _of_period(known, "tiers", whole)["highest_tier"], ("1", "2", "3"))
        for quarter in periods_of(year, Grain.QUARTER):
            rows += [_row(measure, quarter, "all", _YEARLY[measure](known, quarter)) for measure in ("A2", "B1", "C1")]
    return pd.DataFrame(rows, columns=COLUMNS)


def _row(measure: str, period: Period, stratum: str, value: float) -> tuple[Any, ...]:
    return measure, period.start, period.end, "all", stratum, value


def _histogram(measure: str, period: Period, codes: pd.Series[Any], cells: Sequence[str]) -> list[tuple[Any, ...]]:
    shares = codes.where(codes.isin(cells), cells[-1]).value_counts(normalize=True)
    return [_row(measure, period, cell, 100 * float(shares.get(cell, 0.0))) for cell in cells]


def _within(entered: pd.Series[Any], period: Period) -> pd.Series[bool]:
    return entered.between(pd.Timestamp(period.start), pd.Timestamp(period.end + timedelta(days=1)), inclusive="left")


def _of_period(sites: Sequence[SiteFacts], name: str, period: Period) -> pd.DataFrame:
    """The facts `name` of all sites whose `entered` lies in the period."""
    rows: pd.DataFrame = pd.concat([getattr(site, name) for site in sites], ignore_index=True)
    return rows[_within(rows["entered"], period)]


def _first_in_year(rows: pd.DataFrame, period: Period) -> int:
    """Different clinicians, each counted in the period of their first row of the calendar year."""
    in_year = rows[rows["entered"].dt.year == period.year]
    return int(_within(in_year.groupby("person_key")["entered"].min(), period).sum())


def _sum(sites: Sequence[SiteFacts], exposure: str, period: Period) -> float:
    return sum(site.exposure(exposure, period) for site in sites)


def _per_100(part: pd.Series[bool]) -> float:
    return 100 * float(part.mean()) if len(part) else float("nan")


def _a2(sites: Sequence[SiteFacts], period: Period) -> float:
    """Serious events per 10,000 patient-days, over sites that have patient-days."""
    hospitals = [site for site in sites if site.exposure("patient_days", period) > 0]
    if not hospitals:
        return float("nan")
    events = _of_period(hospitals, "serious", period)
    return 10_000 * len(events) / _sum(hospitals, "patient_days", period)


def _a4(sites: Sequence[SiteFacts], period: Period) -> float:
    persons = sum(_first_in_year(site.exposed, period) for site in sites)
    return 1000 * persons / _sum(sites, "headcount", period)


def _b1(sites: Sequence[SiteFacts], period: Period) -> float:
    return 1000 * len(_of_period(sites, "activations", period)) / _sum(sites, "staff_years", period)


def _c1(sites: Sequence[SiteFacts], period: Period) -> float:
    persons = sum(_first_in_year(site.supported, period) for site in sites)
    return 1000 * persons / _sum(sites, "staff_years", period)


def _c2(sites: Sequence[SiteFacts], period: Period) -> float:
    """Supported clinicians per 100 who were distressed in the year (latent truth)."""
    distressed = sum(_first_in_year(site.distressed, period) for site in sites)
    return (
        100 * sum(_first_in_year(site.supported, period) for site in sites) / distressed if distressed else float("nan")
    )


def _d1(sites: Sequence[SiteFacts], period: Period) -> float:
    """Median hours to first contact; without a contact within 720 hours a case counts as later than any other."""
    hours = _of_period(sites, "contacts", period)["hours"]
    return float(np.median(hours.fillna(np.inf))) if len(hours) else float("nan")


def _d2(sites: Sequence[SiteFacts], period: Period) -> float:
    return _per_100(_of_period(sites, "contacts", period)["hours"] < 24)


def survival(days: pd.Series[float], happened: pd.Series[bool]) -> pd.Series[float]:
    """Kaplan-Meier: the share not yet recovered after each day on which somebody recovered (Kaplan and Meier 1958).

    Cases censored on a day are at risk on that day.
    """
    recovered = days[happened].value_counts().sort_index()
    at_risk = [int((days >= day).sum()) for day in recovered.index]
    return (1 - recovered / at_risk).cumprod()


def _f1(sites: Sequence[SiteFacts], period: Period) -> float:
    """Kaplan-Meier median of days to recovery; infinite if fewer than half recover."""
    rows = _of_period(sites, "recoveries", period)
    if rows.empty:
        return float("nan")
    open_share = survival(rows["days"], rows["recovered"])
    reached = open_share[open_share <= 0.5]
    return float(reached.index[0]) if len(reached) else float("inf")


def _f2(sites: Sequence[SiteFacts], period: Period) -> float:
    """Per cent recovered before day 30, which is where the catalogue's bin 14-30 ends."""
    rows = _of_period(sites, "recoveries", period)
    if rows.empty:
        return float("nan")
    before = survival(rows["days"], rows["recovered"])
    before = before[before.index < 30]
    return 100 * (1 - float(before.iloc[-1])) if len(before) else 0.0


def _j1(sites: Sequence[SiteFacts], period: Period) -> float:
    return _sum(sites, "headcount", period) / len(sites)


def _share(name: str) -> Value:
    """Per cent of the facts `name` of a period that are true."""
    return lambda sites, period: _per_100(_of_period(sites, name, period)["yes"])


_YEARLY: dict[str, Value] = {
    "A2": _a2,
    "A4": _a4,
    "B1": _b1,
    "B2": _share("offers"),
    "C1": _c1,
    "C2": _c2,
    "D1": _d1,
    "D2": _d2,
    "F1": _f1,
    "F2": _f2,
    "G2": _share("reviews"),
    "H2": _share("rcas"),
    "H3": _share("actions"),
    "H7": _share("fixes"),
    "J1": _j1,
}
