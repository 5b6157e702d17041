"""Publications as they would be: invented counts of 24 invented sites, through the real benchmarks and the gate."""

from __future__ import annotations

from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path

import numpy as np
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from coordinator.benchmarks.assemble import benchmark_rows, trend_rows
from coordinator.benchmarks.model import SiteFigures, SiteTally, TrendPoint
from coordinator.benchmarks.selection import CORE, selected
from coordinator.publications.files import rows_as_csv, rows_as_parquet
from privacy.guarantee import sentences
from protocols.catalogue import current_catalogue
from protocols.catalogue.model import Tally
from protocols.keys import public_pem
from protocols.periods import Grain, Period, periods_of
from protocols.publication.document import Publication, parse_publication, sign_document, signature_line
from protocols.publication.gate import GateRules
from protocols.publication.rows import BenchmarkRow, Status
from protocols.statement import key_id

CATALOGUE, DIGEST = current_catalogue()
MEASURES = selected(CATALOGUE, [CORE])
KEY = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
TODAY = date(2026, 5, 4)
NOISE_SD = 4.6

_BANDS = ["25-49"] * 3 + ["50-99"] * 5 + ["100-199"] * 6 + ["200-299"] * 4 + ["300-399"] * 2 + ["500+"] * 2
_BEDS = {"25-49": 40, "50-99": 80, "100-199": 150, "200-299": 250, "300-399": 350, "500+": 700}
# Expected counts per 1,000 staff and year, cell by cell.
_RATES = {
    "serious_events": [9],
    "trigger_offers": [17, 14],
    "fixes_after_support": [4.2, 5.9],
    "rca_strength": [1.1, 6.2, 3.4],
    "actions_on_time": [12, 8],
    "activations": [6.1, 3.8, 5.4, 2.1, 1.7, 0.8, 0.4, 0.6, 0.9],
    "exposed": [74],
    "supported": [15.2],
    "contact_time": [0.8, 1.9, 3.1, 2.8, 2.9, 2.2, 1.3],
    "episode_path": [9.8, 4.7, 0.9, 0.5, 0.2],
    "recovery": [3.1, 1.9, 2.2, 2.4, 1.3, 0.5, 0.4, 0.5, 0.6, 0.4, 1.1],
    "responses": [8.8, 4.1],
}
_GUARANTEE = tuple(sentences(clinician_rho_nano=185_100_000, record_rho_nano=88_200_000))


@cache
def network() -> tuple[tuple[str, dict[str, str], float], ...]:
    """Sites as (id, attributes, headcount): 22 hospitals and two EMS agencies."""
    hospitals = [
        (f"site-{i:02d}", {"type": "hospital", "bed_band": band}, 7.5 * _BEDS[band] + 10 * (i % 7))
        for i, band in enumerate(_BANDS, start=1)
    ]
    agencies = [(f"ems-{i}", {"type": "ems_agency", "bed_band": ""}, 180.0 + 60 * i) for i in (1, 2)]
    return (*hospitals, *agencies)


def figures_of(year: int, quarter: int | None = None) -> list[SiteFigures]:
    """Every site's noisy tallies in a year or a quarter; H2 and H3 were not asked for in 2023."""
    months = 12 if quarter is None else 3
    figures = []
    for site_id, attributes, headcount in network():
        culture = np.exp(0.25 * np.sin(hash_free(site_id)))
        tallies = {
            tally.id: _noisy(
                (year, quarter or 0), site_id, tally, headcount * months / 12 * culture * (1 + 0.04 * (year - 2023))
            )
            for tally in CATALOGUE.tallies
            if tally.id in _RATES and not (year == 2023 and tally.view in {"rcas", "actions"})
        }
        exposures = {
            "headcount": headcount,
            "fte": 0.85 * headcount,
            "staff_years": 0.85 * headcount * months / 12,
            "patient_days": 0.0 if site_id.startswith("ems") else headcount / 7.5 * 237 * months / 12,
        }
        figures.append(SiteFigures(site_id, attributes, tallies, exposures))
    return figures


def hash_free(site_id: str) -> float:
    """A number that differs between sites and never between runs."""
    return float(sum(index * ord(letter) for index, letter in enumerate(site_id, start=1)))


def _noisy(when: tuple[int, int], site_id: str, tally: Tally, headcount: float) -> SiteTally:
    """Drawn for each tally by itself, so that another one in the catalogue changes nothing here."""
    rng = np.random.default_rng((*when, *site_id.encode(), *tally.id.encode()))
    counts = rng.poisson(np.asarray(_RATES[tally.id]) * headcount / 1000)
    noise = np.rint(rng.normal(0, NOISE_SD, len(counts)))
    return SiteTally((counts + noise).astype(np.int64), NOISE_SD**2)


def _quarters(year: int) -> list[BenchmarkRow]:
    rows: list[BenchmarkRow] = []
    figures = figures_of(year)
    for tally in ("serious_events", "exposed", "supported", "activations"):
        points = []
        for period in periods_of(year, Grain.QUARTER):
            part = figures_of(year, period.quarter)
            total = float(sum(site.tallies[tally].values.sum() for site in part))
            sums = {name: sum(site.exposures[name] for site in part) for name in part[0].exposures}
            points.append(TrendPoint(period, total, 3 * NOISE_SD**2, sums, len(part)))
        rows += trend_rows(CATALOGUE, tally, points, figures, TODAY, GateRules())
    return rows


def row_of(measure: str, year: int, peer_group: str = "all") -> BenchmarkRow:
    """The yearly row of a measure that is one figure."""
    wanted = (measure, year, "year", peer_group, "all")
    (row,) = [
        row
        for row in full_publication().rows
        if (row.measure, row.period_start.year, row.grain, row.peer_group, row.stratum) == wanted
    ]
    return row


@cache
def full_publication(number: int = 1) -> Publication:
    """Seventeen measures over 2023 to 2025 and quarters up to 2026 Q4, which is too recent."""
    rows: list[BenchmarkRow] = []
    for year in (2023, 2024, 2025):
        rows += benchmark_rows(
            CATALOGUE, selected(CATALOGUE, [CORE]), Period(year, 1, Grain.YEAR), figures_of(year), TODAY, GateRules()
        )
    for year in (2023, 2024, 2025, 2026):
        rows += _quarters(year)
    return publication(number, tuple(_with_rarer_statuses(row) for row in rows))


def _with_rarer_statuses(row: BenchmarkRow) -> BenchmarkRow:
    """Statuses that this network does not bring about by itself."""
    rare = {
        ("H7", 2025, "beds-under-100"): Status.DIFFERENCING,
        ("D1", 2025, "beds-300-plus"): Status.DOMINATED,
        ("F1", 2024, "all"): Status.TOO_FEW_EXPECTED,
        ("G2", 2025, "all"): Status.TOO_FEW_EXPECTED,
    }
    status = rare.get((row.measure, row.period_start.year, row.peer_group))
    return row if status is None or row.grain != "year" else held_back(row, status)


def held_back(row: BenchmarkRow, status: Status) -> BenchmarkRow:
    """The row as the gate would have left it."""
    nothing = {"value": None, "lower": None, "upper": None, "noise_sd": None, "spread": None, "percentiles": ()}
    return row.model_copy(update={**nothing, "status": status})


def publication(number: int, rows: tuple[BenchmarkRow, ...]) -> Publication:
    """A publication of these rows."""
    return Publication(
        number=number,
        title="Benchmarks 2023 to 2025",
        created_at=datetime(2026, 5, 4, 9, 30, tzinfo=UTC),
        catalogue_version=CATALOGUE.version,
        catalogue_digest=DIGEST.hex(),
        replaces=number - 1 or None,
        sites=len(network()),
        guarantee=_GUARANTEE,
        gate=GateRules(),
        rows=rows,
    )


class FolderPublications:
    """Publications in a folder, each in a folder named by its number: a reader like the store's, over plain files."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._parsed: dict[int, Publication] = {}

    def numbers(self) -> list[int]:
        return sorted(int(path.name) for path in self._folder.iterdir())

    def latest(self) -> Publication | None:
        numbers = self.numbers()
        return self.get(numbers[-1]) if numbers else None

    def get(self, number: int) -> Publication | None:
        document = self.file(number, "publication.json")
        if document is None:
            return None
        if number not in self._parsed:
            self._parsed[number] = parse_publication(document)
        return self._parsed[number]

    def file(self, number: int, name: str) -> bytes | None:
        path = self._folder / str(number) / name
        return path.read_bytes() if path.is_file() else None

    def ready(self) -> bool:
        return self._folder.is_dir()


def write_publication(folder: Path, item: Publication) -> None:
    """Write the four files of a publication, signed with `KEY`, and the public key beside them."""
    target = folder / str(item.number)
    target.mkdir(parents=True)
    document = item.document()
    line = signature_line(sign_document(document, KEY), key_id(KEY.public_key()))
    (target / "publication.json").write_bytes(document)
    (target / "publication.sig").write_text(line)
    (target / "benchmarks.csv").write_bytes(rows_as_csv(item.rows))
    (target / "benchmarks.parquet").write_bytes(rows_as_parquet(item.rows))
    (folder.parent / "pso.pub").write_text(public_pem(KEY.public_key()))
