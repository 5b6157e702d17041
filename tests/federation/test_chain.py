"""The main job in one process: messy exports of invented hospitals in, a signed publication out, beside the truth."""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

import pandas as pd
import pytest

from coordinator.publications.build import publish
from coordinator.publications.files import rows_as_csv
from coordinator.store.schema import Publication
from node.clock import today
from node.config import NodeConfig
from node.exports import ExportReader
from node.release.site import SiteData
from node.synthetic.write import write_network
from protocols.catalogue import current_catalogue
from protocols.statement import key_id
from tests.federation.world import YEAR, Federation, SetClock

SITES = 6
SEEDS = (11, 12)
KEY = ["measure", "period_start", "period_end", "peer_group", "stratum"]


@cache
def _read_exports(config: NodeConfig) -> SiteData:
    return ExportReader(config.paths).read(today(SetClock()))


@pytest.fixture(scope="module", params=SEEDS)
def outcome(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Federation, Path]:
    """A federation that has published one year of a synthetic network, and the network's folder."""
    folder = tmp_path_factory.mktemp("network")
    write_network(folder, SITES, request.param, YEAR, 1)
    federation = Federation(folder, SITES, _read_exports, profiles=folder / "sites")
    federation.open()
    federation.settle()
    return federation, folder


@pytest.fixture(scope="module")
def joined(outcome: tuple[Federation, Path]) -> pd.DataFrame:
    """Published rows of all sites together beside the truth."""
    federation, folder = outcome
    published = publish(federation.store, federation.config, federation.clock, federation.key).publication
    (folder / "benchmarks.csv").write_bytes(rows_as_csv(published.rows))
    rows = pd.read_csv(folder / "benchmarks.csv", dtype={"stratum": str})
    truth = pd.read_csv(folder / "truth.csv", dtype={"stratum": str}).rename(columns={"value": "truth"})
    return rows[rows["peer_group"] == "all"].merge(truth, on=KEY)


def test_every_core_measure_is_published(joined: pd.DataFrame) -> None:
    yearly = joined[joined["period_end"].str.endswith("-12-31") & joined["period_start"].str.endswith("-01-01")]
    assert set(yearly["measure"]) == {measure.id for measure in current_catalogue()[0].measures if measure.core}
    assert set(yearly["n_sites"]) == {SITES}


def test_the_truth_lies_inside_the_intervals(joined: pd.DataFrame) -> None:
    """At 95 % or more per interval, fewer than 85 % inside happens to a sound chain less than once in ten thousand."""
    shown = joined[joined["status"] == "ok"]
    inside = shown["truth"].between(shown["lower"], shown["upper"])
    assert inside.mean() >= 0.85, shown[~inside]


def test_the_intervals_are_narrow_enough_to_be_of_use(joined: pd.DataFrame) -> None:
    reach = joined[(joined["measure"] == "C1") & joined["period_end"].str.endswith("-12-31")].iloc[0]
    assert (reach["upper"] - reach["lower"]) / 2 < 0.35 * reach["value"]
    assert 0 < reach["noise_sd"] < 0.2 * reach["value"]


def test_the_whole_year_cost_what_the_policy_allows_and_no_more(outcome: tuple[Federation, Path]) -> None:
    federation, _ = outcome
    federation.check_invariants()
    for node in federation.nodes:
        spent, budget = node.ledger.spent(YEAR), node.config.policy.budget_nano()
        assert all(0.999 * budget[scope] < spent[scope] <= budget[scope] for scope in budget)


def test_the_publication_is_signed_and_stays(outcome: tuple[Federation, Path], joined: pd.DataFrame) -> None:
    federation, _ = outcome
    again = publish(federation.store, federation.config, federation.clock, federation.key)
    assert not again.is_new
    with federation.store.reading() as reader:
        stored = reader.publication(again.publication.number)
        assert isinstance(stored, Publication)
        assert stored.key_id == key_id(federation.key.public_key())


def test_no_file_of_the_coordinator_holds_a_local_identifier(outcome: tuple[Federation, Path]) -> None:
    federation, folder = outcome
    log = pd.read_csv(folder / "sites" / "site-01" / "exports" / "peer_support_log.csv", sep=None, engine="python",
                      dtype=str, encoding_errors="replace")  # fmt: skip
    staff = {text for column in log.columns for text in log[column].dropna() if text.isdigit() and len(text) >= 5}
    database = federation.config.paths.database.read_bytes()
    assert staff, "the export names staff by number"
    # Whole words only: any five digits also turn up inside timestamps and hex digests now and then.
    words = set(re.findall(rb"(?<![0-9A-Za-z.:])[0-9]+(?![0-9A-Za-z.:])", database))
    assert not staff & {word.decode() for word in words}
