"""The preview: real bytes over invented people, with every field explained, and nothing of the site's own touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from node.config import NodeConfig, Paths, Policy, Site
from node.measures.cases import cases
from node.preview import Preview, hex_lines, make_preview
from node.preview.twin import make_twin, twin_band
from protocols.catalogue import current_catalogue
from protocols.operator.errors import RuleError
from protocols.statement import parse_canonical, parse_envelope, seal_statement
from protocols.v1 import leadline_pb2 as pb
from tests.node.world import Pso, SettableClock, write_profile

CATALOGUE, DIGEST = current_catalogue()


def _config(folder: Path, **policy: Any) -> NodeConfig:
    own = {name: folder / str(field.default) for name, field in Paths.model_fields.items() if not field.is_required()}
    paths = Paths(exports=folder / "exports", mapping=folder / "exports" / "mapping.toml", **own)
    return NodeConfig(site=Site(id="site-a"), paths=paths, policy=Policy(**policy))


@pytest.fixture(scope="module")
def preview(tmp_path_factory: pytest.TempPathFactory) -> Preview:
    return make_preview(_config(tmp_path_factory.mktemp("site")), None, SettableClock())


def _release(preview: Preview) -> pb.Release:
    return parse_canonical(parse_envelope(preview.raw).body, pb.Release)


def test_the_bytes_are_a_signed_release_of_the_last_closed_year(preview: Preview) -> None:
    envelope = parse_envelope(preview.raw)
    assert (envelope.kind, len(envelope.signature)) == ("release", 64)
    release = _release(preview)
    assert (release.site_id, release.quarter, release.ledger_length) == ("site-a", 4, 2)
    assert "ledger year 2025" in preview.plan_text
    asked = {tally for m in CATALOGUE.measures if m.core and "site" in m.publish.modes for tally in m.tallies}
    assert {table.tally for table in release.tables} == asked


def test_every_field_and_every_count_of_the_bytes_is_explained(preview: Preview) -> None:
    release, paths = _release(preview), {field.path: field for field in preview.fields}
    for descriptor, value in release.ListFields():
        found = [path for path in paths if path.startswith(f"body.{descriptor.name}")]
        assert len(found) >= (len(value) if descriptor.is_repeated else 1), descriptor.name
    for position, table in enumerate(release.tables):
        for number, value in enumerate(table.values):
            field = paths[f"body.tables[{position}].values[{number}]"]
            assert field.value == str(value)
            assert f"noise of SD {table.sigma_1024 / 1024:.1f}" in field.meaning
    assert all(field.meaning for field in preview.fields)


def test_the_counts_are_those_of_the_twin_but_for_the_noise(preview: Preview) -> None:
    twin = make_twin("200-299", 2025)
    for table in _release(preview).tables:
        tally = CATALOGUE.tally(table.tally)
        found = cases(tally, twin.views[tally.view])
        year = np.asarray(found.entry).astype("datetime64[D]").astype("datetime64[Y]").astype(int) + 1970
        exact = len(set(found.unit_key[year == 2025])) if tally.cap == 1 else None
        if exact is not None:
            deviation = abs(sum(table.values) - exact)
            assert deviation <= 8 * table.sigma_1024 / 1024 * np.sqrt(len(table.values)), table.tally


def test_looking_twice_draws_other_noise_with_another_key_over_the_same_twin(preview: Preview, tmp_path: Path) -> None:
    again = make_preview(_config(tmp_path), None, SettableClock())
    first, second = _release(preview), _release(again)
    assert [table.values for table in first.tables] != [table.values for table in second.tables]
    assert first.exposures == second.exposures
    assert parse_envelope(preview.raw).key_id != parse_envelope(again.raw).key_id


def test_nothing_of_the_site_is_opened_or_written(tmp_path: Path) -> None:
    """Ledger, keys and exports are there and cannot be read as what they should be; the preview does not mind."""
    config = _config(tmp_path)
    for path in (config.paths.ledger, config.paths.signing_key, config.paths.person_key, config.paths.pso_key):
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"closed")
        path.chmod(0o000)
    config.paths.exports.mkdir(mode=0o000)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")}
    assert parse_envelope(make_preview(config, None, SettableClock()).raw).kind == "release"
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("*")} == before


def test_the_newest_plan_is_answered_where_there_is_one(tmp_path: Path) -> None:
    pso = Pso()
    plan = pso.plan(("supported",), year=2024)
    made = make_preview(_config(tmp_path), seal_statement(plan, pso.key), SettableClock())
    assert "the plan plan-1, which the PSO signed" in made.plan_text
    assert {table.tally for table in _release(made).tables} == {"supported"}


def test_a_plan_of_a_year_that_has_not_ended_is_shown_as_it_will_be(tmp_path: Path) -> None:
    pso = Pso()
    made = make_preview(_config(tmp_path), seal_statement(pso.plan(year=2026), pso.key), SettableClock())
    assert [len(table.values) for table in _release(made).tables] == [3, 1, 1]


def test_what_the_policy_refuses_is_shown_as_the_refusal_that_would_leave(tmp_path: Path) -> None:
    pso = Pso()
    envelope = seal_statement(pso.plan(), pso.key)
    made = make_preview(_config(tmp_path, minimum_honest_sites=50), envelope, SettableClock())
    assert parse_envelope(made.raw).kind == "refusal"
    assert {field.path: field.value for field in made.fields}["body.code"] == "too_few_honest_sites"


@pytest.mark.parametrize(
    "envelope", [b"", b"no plan", seal_statement(Pso().plan(catalogue_digest=bytes(32)), Pso().key)]
)
def test_a_plan_that_cannot_be_read_or_is_of_another_catalogue_is_passed_over(envelope: bytes, tmp_path: Path) -> None:
    assert "made up" in make_preview(_config(tmp_path), envelope, SettableClock()).plan_text


def test_a_policy_that_allows_no_measure_has_nothing_to_preview(tmp_path: Path) -> None:
    with pytest.raises(RuleError, match="allows no measure"):
        make_preview(_config(tmp_path, measures=("J1",)), None, SettableClock())


def test_the_twin_has_the_size_of_the_site(tmp_path: Path) -> None:
    profile = tmp_path / "profile.toml"
    assert twin_band(profile) == "200-299"
    write_profile(profile)
    profile.write_text(profile.read_text().replace("200-299", "50-99"))
    assert twin_band(profile) == "50-99"
    small, large = (make_twin(band, 2025).exposures(2025, 4)["headcount"][0] for band in ("25-49", "400-499"))
    assert 4 * small < large


def test_an_ambulance_service_has_a_twin_too() -> None:
    exposures = make_twin("none", 2025).exposures(2025, 4)
    assert exposures["headcount"][0] > 0
    assert exposures["patient_days"] == (0, 0, 0)


def test_the_dump_shows_the_bytes_as_they_are(preview: Preview) -> None:
    lines = hex_lines(preview.raw)
    assert len(lines) == 16
    assert bytes.fromhex("".join(line[10:57] for line in lines)) == preview.raw[:256]
    assert "|..release." in lines[0]
