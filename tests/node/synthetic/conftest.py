from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from node.synthetic.exports import write_exports
from node.synthetic.network import SyntheticSite, synthesize
from node.tables.importer import Imported, import_exports
from node.tables.keys import KeyHasher
from node.tables.mapping import load_mapping

FIRST_YEAR, YEARS = 2023, 1
RECORDED = (
    "unit",
    "staffing_period",
    "activity_period",
    "safety_event",
    "event_involvement",
    "jc_review",
    "rca",
    "rca_action",
    "support_activation",
    "support_encounter",
    "support_episode",
    "contributing_factor",
    "debrief",
    "shift_staffing",
    "survey_wave",
    "survey_response",
    "intervention",
)
"""The tables that invented hospitals keep."""
HASHER = KeyHasher(b"a secret of this test, 32 bytes or more")


@pytest.fixture(scope="session")
def network() -> tuple[SyntheticSite, ...]:
    return synthesize(8, 11, FIRST_YEAR, YEARS)


@pytest.fixture(scope="session")
def exports(network: tuple[SyntheticSite, ...], tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folders = {site.site_id: tmp_path_factory.mktemp(site.site_id) for site in network}
    for site in network:
        write_exports(site, folders[site.site_id])
    return folders


@pytest.fixture(scope="session")
def imports(exports: dict[str, Path]) -> dict[str, Imported]:
    return {
        site_id: import_exports(folder, load_mapping(folder / "mapping.toml"), HASHER, date(2024, 6, 1))
        for site_id, folder in exports.items()
    }
