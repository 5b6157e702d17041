"""When exports are read again, and when the last reading will do."""

from __future__ import annotations

import sqlite3
from datetime import date
from pathlib import Path

import pytest

from node.exports import ExportReader
from node.release.site import DataNotReady
from tests.node.installed import MAPPING, Installed, install

DAY = date(2026, 6, 1)
COLUMNS = ("id", "activation", "staff", "at", "tier")


@pytest.fixture
def site(tmp_path: Path) -> Installed:
    return install(tmp_path)


@pytest.fixture
def database(site: Installed) -> Path:
    """The site's encounters in a database instead of a file."""
    exports = site.config.paths.exports
    path = exports.with_name("encounters.db")
    with sqlite3.connect(path) as db:
        db.execute(f"create table encounters ({', '.join(f'{name} text' for name in COLUMNS)})")
        db.execute("insert into encounters values ('e1', 'a1', 'p1', '2025-03-04 09:30', '2')")
    db.close()
    address = exports.with_name("address")
    address.write_text(f"sqlite:///{path}\n")
    address.chmod(0o600)
    source = f'[source.database]\nurl_file = "{address}"\nview = "encounters"\n[source.columns]'
    text = MAPPING.replace('file = "encounters.csv"\n', "").replace("[source.columns]", source)
    (exports / "mapping.toml").write_text(text)
    return path


def test_files_are_read_again_when_one_changes_or_the_day_does(site: Installed) -> None:
    reader = ExportReader(site.config.paths)
    first = reader.read(DAY)
    assert reader.read(DAY) is first
    file = site.config.paths.exports / "encounters.csv"
    file.write_text(file.read_text() + "e99,a99,p99,2025-03-04 09:30,2\n")
    second = reader.read(DAY)
    assert len(second.tables["support_encounter"]) == len(first.tables["support_encounter"]) + 1
    assert reader.read(date(2026, 6, 2)) is not second


def test_a_database_is_read_again_after_a_while_though_no_file_changed(site: Installed, database: Path) -> None:
    patient, eager = ExportReader(site.config.paths), ExportReader(site.config.paths, fresh_s=0)
    first = patient.read(DAY)
    assert len(eager.read(DAY).tables["support_encounter"]) == 1
    with sqlite3.connect(database) as db:
        db.execute("insert into encounters values ('e2', 'a2', 'p2', '2025-03-05 09:30', '2')")
    db.close()
    assert patient.read(DAY) is first, "one batch is answered from one reading"
    assert len(eager.read(DAY).tables["support_encounter"]) == 2


def test_exports_that_are_mended_are_read_without_a_restart(site: Installed) -> None:
    reader, file = ExportReader(site.config.paths), site.config.paths.exports / "encounters.csv"
    content = file.read_text()
    file.write_text("nothing;of;this\n")
    with pytest.raises(DataNotReady, match=r"encounters\.csv"):
        reader.read(DAY)
    file.write_text(content)
    assert len(reader.read(DAY).tables["support_encounter"]) == 24
