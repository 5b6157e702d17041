"""What the demonstration shows at its end: the published figures beside the truth that only the inventor knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.table import Table

from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Catalogue
from protocols.catalogue.words import cell_words

KEY = ["measure", "period_start", "period_end", "peer_group", "stratum"]


@dataclass(frozen=True)
class Outcome:
    """`figures`: one row per published figure of all sites together whose truth is known.

    Columns: those of benchmarks.csv, `truth` and `is_inside`: whether the 95 % interval holds the truth.
    """

    figures: pd.DataFrame

    @classmethod
    def read(cls, publication: Path, truth: Path) -> Outcome:
        """Join benchmarks.csv of a publication's folder to truth.csv."""
        published = pd.read_csv(publication / "benchmarks.csv", dtype={"stratum": str})
        known = pd.read_csv(truth, dtype={"stratum": str}).rename(columns={"value": "truth"})
        joined = published[published["status"] == "ok"].merge(known.dropna(subset=["truth"]), on=KEY)
        is_inside = joined["truth"].between(joined["lower"], joined["upper"])
        return cls(joined.assign(is_inside=is_inside))

    def summary(self) -> str:
        """How many of the intervals hold the truth, over all periods."""
        count, inside = len(self.figures), int(self.figures["is_inside"].sum())
        return (
            f"Over all periods, the truth lies inside the 95 % interval of {inside} of {count} published figures "
            f"({inside / max(count, 1):.0%}). The intervals allow for sampling (another year could have brought other "
            "counts) as well as for the noise, so the truth of this one invented year lies inside more often than 95 %."
        )

    def table(self) -> Table:
        """The figures of the newest year, one line each."""
        starts, ends = self.figures["period_start"], self.figures["period_end"]
        yearly = self.figures[starts.str.endswith("-01-01") & ends.str.endswith("-12-31")]
        newest = yearly[yearly["period_start"] == yearly["period_start"].max()]
        made = Table(title=f"Published for {newest['period_start'].max()[:4]}, and what really happened")
        made.add_column("measure")
        for heading, width in (("published", 9), ("95 % interval", 16), ("truth", 7)):
            made.add_column(heading, justify="right", min_width=width, no_wrap=True)
        made.add_column("inside?", min_width=7, no_wrap=True)
        catalogue = current_catalogue()[0]
        for row in newest.itertuples():
            name = f"{_name(catalogue, str(row.measure), str(row.stratum))} ({row.unit})"
            interval = f"{row.lower:.1f} to {row.upper:.1f}"
            inside = "[green]yes[/]" if row.is_inside else "[red]no[/]"
            made.add_row(name, f"{row.value:.1f}", interval, f"{row.truth:.1f}", inside)
        return made


def _name(catalogue: Catalogue, measure_id: str, stratum: str) -> str:
    """`D1 Referral source: Automatic trigger`; without a cell where the figure is of all."""
    measure = next(measure for measure in catalogue.measures if measure.id == measure_id)
    cell = "" if stratum == "all" else f": {cell_words(catalogue.tally(measure.tallies[0]), stratum)}"
    return f"{measure.id} {measure.title}{cell}"
