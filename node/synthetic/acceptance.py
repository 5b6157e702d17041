"""Does a synthetic network look like the published figures? The acceptance check of the domain recipe."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pandas as pd

from node.synthetic.network import SyntheticSite


@dataclass(frozen=True)
class Check:
    """A figure of the network and the interval in which it must lie, ends included."""

    name: str
    value: float
    lower: float
    upper: float

    @property
    def passed(self) -> bool:
        """Whether the figure lies in its interval."""
        return self.lower <= self.value <= self.upper


def acceptance(sites: Sequence[SyntheticSite]) -> list[Check]:
    """All checks; the number of small programmes is asked of networks of 24 sites or more, three in 24."""
    rates = [rate for site in sites for rate in supported_per_year(site)]
    per_1000 = pd.Series([1000 * persons / staff_years for persons, staff_years in rates])
    yearly = pd.Series([persons for persons, _ in rates]).groupby(_site_of(sites)).mean()
    small = Check(
        "sites with fewer than 5 supported a year", int((yearly < 5).sum()), 3 * (len(sites) // 24), len(sites)
    )
    return [
        *_harm_checks(sites),
        _recovery_check(sites),
        Check("supported per 1,000 staff-years, median", float(per_1000.median()), 10.0, 20.0),
        _strength_check(sites),
        small,
    ]


def _site_of(sites: Sequence[SyntheticSite]) -> list[str]:
    return [site.site_id for site in sites for _ in supported_per_year(site)]


def supported_per_year(site: SyntheticSite) -> list[tuple[int, float]]:
    """Different clinicians supported at tier 2 or 3, and staff-years, of each year after the warm-up."""
    encounters = site.tables["support_encounter"]
    supported = encounters[encounters["tier"].isin(["2", "3"])].dropna(subset=["person_key"])
    persons = supported.groupby(supported["encounter_date"].dt.year)["person_key"].nunique()
    staffing = site.tables["staffing_period"]
    monthly = staffing.groupby("period")["fte"].sum()
    fte = monthly.groupby(pd.DatetimeIndex(monthly.index).year).mean()
    return [(int(persons.get(year, 0)), float(fte[year])) for year in sorted(fte.index)[1:]]


def _harm_checks(sites: Sequence[SyntheticSite]) -> list[Check]:
    """NRLS: 68 / 25 / 6 / 1 % of reports, within one point."""
    harm = pd.concat([site.tables["safety_event"]["harm"] for site in sites]).replace("death", "severe_harm")
    shares = 100 * harm.value_counts(normalize=True)
    expected = {"no_harm": 68, "mild_harm": 25, "moderate_harm": 6, "severe_harm": 1}
    return [
        Check(f"{code}, % of reports", float(shares.get(code, 0.0)), percent - 1, percent + 1)
        for code, percent in expected.items()
    ]


def _recovery_check(sites: Sequence[SyntheticSite]) -> Check:
    """SeViD-III: 57.7 % within a month, before covariates."""
    days = pd.concat([site.distress["recovery_days"] for site in sites])
    return Check("recovered within 30 days before covariates", float((days <= 30).mean()), 0.55, 0.60)


def _strength_check(sites: Sequence[SyntheticSite]) -> Check:
    """Between Hong Kong's 2 % and Victoria's 8 %, with room for just cultures."""
    strength = pd.concat([site.tables["rca_action"]["strength"] for site in sites])
    return Check("strong actions, %", 100 * float(strength.eq("strong").mean()), 4.0, 10.0)
