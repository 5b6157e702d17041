"""What the demonstration shows at its end: the published figures beside the truth that only the inventor knows."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
from rich.table import Table

from protocols.catalogue import current_catalogue

KEY = ["measure", "period_start", "period_end", "peer_group", "stratum"]


@dataclass(frozen=True)
class Outcome:
    """`figures`: one row per published figure of all sites together whose truth is known.

    Columns: those of benchmarks.csv, `truth`, and `is_inside`: whether the 95 % interval holds the truth.
    """

    figures: pd.DataFrame

    @classmethod
    def read(cls, publication: Path, truth: Path) -> Outcome:
        """Join benchmarks.csv of a publication's folder to truth.csv."""
        published = pd.read_csv(publication / "benchmarks.csv", dtype={"stratum": str})
        known = pd.read_csv(truth, dtype={"stratum": str}).rename(columns={"value": "truth"})
        joined = published[published["status"] == "ok"].merge(known.dropna(subset=["truth"]), on=KEY)
        return cls(joined.assign(is_inside=joined["truth"].between(joined["lower"], joined["upper"])))

    def share_inside(self) -> float:
        """The share of the intervals that hold the truth, over all periods, between 0 and 1."""
        return float(self.figures["is_inside"].mean())

    def table(self) -> Table:
        """The figures of the newest year, one line each."""
        starts, ends = self.figures["period_start"], self.figures["period_end"]
        yearly = self.figures[starts.str.endswith("-01-01") & ends.str.endswith("-12-31")]
        newest = yearly[yearly["period_start"] == yearly["period_start"].max()]
        made = Table(title=f"Published for {newest['period_start'].max()[:4]}, and what really happened")
        for heading in ("measure", "published", "95 % interval", "truth"):
            made.add_column(heading, justify="left" if heading == "measure" else "right")
        made.add_column("inside?")
        titles = {measure.id: measure.title for measure in current_catalogue()[0].measures}
        for row in newest.itertuples():
            name = f"{row.measure} {titles[str(row.measure)]}" + ("" if row.stratum == "all" else f": {row.stratum}")
            interval = f"{row.lower:.1f} to {row.upper:.1f}"
            mark = "[green]yes[/]" if row.is_inside else "[red]no[/]"
            made.add_row(name, f"{row.value:.1f} {row.unit}", interval, f"{row.truth:.1f}", mark)
        return made
