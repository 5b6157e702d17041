"""The import mends what the exports damaged: every shape gives the site's canonical tables back."""

from __future__ import annotations

import pandas as pd
import pytest

from node.synthetic.network import SyntheticSite
from node.tables.importer import Imported
from node.tables.keys import key_namespace
from node.tables.schema import TABLES
from tests.node.synthetic.conftest import HASHER, RECORDED

# Values that cannot be mended: minutes that were clock times, impossible dates; and one month of 24 of staffing.
LOST_SHARE = 0.02
CARRIED_SHARE = 1 / 24
Pairs = dict[str, list[tuple[pd.DataFrame, pd.DataFrame]]]


def _hashed(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    keys = [column.name for column in TABLES[name].columns if column.kind == "key"]
    return frame.assign(**{key: HASHER.keys(key_namespace(key), frame[key]) for key in keys})


def _by_identity(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    parts = [frame[column].astype("object").fillna("").astype("str") for column in TABLES[name].identity]
    identity = parts[0]
    for part in parts[1:]:
        identity = identity + "|" + part
    return frame.set_axis(identity, axis=0).sort_index()


@pytest.fixture(scope="module")
def pairs(network: tuple[SyntheticSite, ...], imports: dict[str, Imported]) -> Pairs:
    """Of every table, for every site: what is true and what was imported, rows under their identity."""
    found: Pairs = {name: [] for name in RECORDED}
    for site in network:
        for name in RECORDED:
            imported = imports[site.site_id].tables[name]
            real = imported[imported["status"] != "void"] if name == "safety_event" else imported
            truth = _hashed(name, site.tables[name])
            found[name].append((_by_identity(name, truth), _by_identity(name, real)))
    return found


@pytest.mark.parametrize("name", RECORDED)
def test_the_same_rows_come_back(pairs: Pairs, name: str) -> None:
    for truth, imported in pairs[name]:
        assert imported.index.is_unique
        assert set(imported.index) <= set(truth.index)
        assert len(imported) >= 0.99 * len(truth)


@pytest.mark.parametrize("name", RECORDED)
def test_the_same_values_come_back(pairs: Pairs, name: str) -> None:
    for truth, imported in pairs[name]:
        expected = truth.loc[imported.index]
        allowed = CARRIED_SHARE if name == "staffing_period" else max(LOST_SHARE, 1.5 / len(expected))
        for column in expected:
            left, right = expected[column], imported[column]
            assert left.dtype == right.dtype
            same = left.eq(right).fillna(False).astype(bool) | (left.isna() & right.isna())
            assert (~same).mean() <= allowed, column


def test_repairs_were_needed(imports: dict[str, Imported]) -> None:
    files = [file for done in imports.values() for file in done.quality.files]
    used = {finding.rule for file in files for finding in (*file.repairs, *file.dropped, *file.quarantined)}
    assert {"older_version", "totals_row", "midnight", "sentinel_date", "too_many_digits", "required_missing"} <= used
