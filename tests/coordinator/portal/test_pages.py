from __future__ import annotations

import re
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from protocols.publication.gate import GateRules
from protocols.publication.rows import Status
from protocols.publication.words import peer_group_words, status_words
from tests.coordinator.portal.examples import CATALOGUE, full_publication, network, row_of
from tests.coordinator.portal.html_page import read

MEASURES = [measure.id for measure in CATALOGUE.measures]
PATHS = [
    "/",
    "/?year=2023",
    *(f"/measures/{measure}" for measure in MEASURES),
    "/measures/F1?year=2024",
    "/protection",
    "/publications",
    "/publications/1",
    "/publications/2",
]
EMPTY_PATHS = ["/", "/measures/D2", "/protection", "/publications"]


def html_of(client: TestClient, path: str) -> str:
    answer = client.get(path, headers={"Accept": "text/html"})
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    return str(answer.text)


@pytest.mark.parametrize("path", PATHS)
def test_a_page_is_sound_html(client: TestClient, path: str) -> None:
    html = html_of(client, path)
    page = read(html)
    assert html.startswith('<!doctype html>\n<html lang="en">')
    assert page.errors == []
    assert page.headings.count("h1") == 1
    assert len(page.ids) == len(set(page.ids))
    for table in page.tables:
        assert table.caption.strip()
        assert table.heads_without_scope == 0


@pytest.mark.parametrize("path", PATHS)
def test_a_page_needs_no_other_host_and_no_inline_style_or_script(client: TestClient, path: str) -> None:
    page = read(html_of(client, path))
    assert all(link.startswith(("/", "#")) for link in page.links)
    assert not any(tag in {"script", "style", "iframe"} for tag, _, _ in page.attributes)
    assert not any(name == "style" or name.startswith("on") for _, name, _ in page.attributes)
    outside = [value for _, name, value in page.attributes if "//" in value and name not in {"xmlns", "xmlns:xlink"}]
    assert outside == []


def test_every_link_leads_somewhere(client: TestClient) -> None:
    paths = ["/", "/measures/C1", "/protection", "/publications", "/publications/1", "/publications/2"]
    links = {link.split("#")[0] for path in paths for link in read(html_of(client, path)).links}
    for link in links - {""}:
        assert client.get(link).status_code == 200, link


@pytest.mark.parametrize("path", PATHS)
def test_every_chart_is_described_and_no_site_is_named(client: TestClient, path: str) -> None:
    html = html_of(client, path)
    for svg in re.findall(r"<svg [^>]*>", html):
        assert 'role="img" aria-label="' in svg or 'aria-hidden="true"' in svg
    for site_id, _, _ in network():
        assert site_id not in html


@pytest.mark.parametrize("path", EMPTY_PATHS)
def test_before_the_first_publication_pages_say_so(empty_client: TestClient, path: str) -> None:
    page = read(html_of(empty_client, path))
    assert page.errors == []
    assert "othing is published yet" in page.words


def test_the_overview_shows_every_measure_with_value_interval_sites_and_change(client: TestClient) -> None:
    words = read(html_of(client, "/?year=2025")).words
    published = {row.measure for row in full_publication().rows}
    for measure in CATALOGUE.measures:
        assert (measure.title in words) == (measure.id in published), measure.id
    row = row_of("C1", 2025)
    told = f"{row.value:.1f} per 1,000 staff-years 95 % interval {row.lower:.1f} to {row.upper:.1f} · 24 sites"
    assert told in words
    assert re.search(r"\d\d % Self \(\d\d to \d\d\)", words)
    assert "1,462 persons per site declared; rounding leaves 1,457 to 1,467 · 24 sites" in words
    assert "Too few cases. So few cases are expected" in words
    assert "Cannot tell" in words
    assert "No figure for 2024" in words


def test_the_overview_opens_with_the_newest_year_of_which_anything_is_shown(client: TestClient) -> None:
    assert "compare in 2025" in read(html_of(client, "/")).words


def test_a_chart_and_its_table_say_the_same(client: TestClient) -> None:
    html = html_of(client, "/measures/C1?year=2025")
    words = read(html).words
    years = {row.period_start.year: row for row in full_publication().rows if _is_yearly_c1(row)}
    for year, row in years.items():
        assert row.value is not None
        assert row.lower is not None
        assert row.upper is not None
        assert f"{year} {row.value:.1f} {row.lower:.1f} to {row.upper:.1f}" in words
        assert f"{year} {row.value:.1f}" in html.split("Years side by side with intervals")[1].split(">")[0]
        assert f">{row.value:.1f}</text>" in html


def _is_yearly_c1(row: object) -> bool:
    return (getattr(row, "measure", ""), getattr(row, "grain", ""), getattr(row, "peer_group", "")) == (
        "C1",
        "year",
        "all",
    )


def test_the_pooled_value_and_the_quartiles_are_drawn_with_their_numbers(client: TestClient) -> None:
    html = html_of(client, "/measures/A4?year=2025")
    for label in ("All sites pooled", "25th percentile", "Median site", "75th percentile", "90th percentile"):
        assert f">{label}</text>" in html
    row = row_of("A4", 2025)
    assert f"{row.value:.1f} ({row.lower:.1f} to {row.upper:.1f})" in html


def test_a_declared_fact_is_not_given_a_95_percent_interval(client: TestClient) -> None:
    words = read(html_of(client, "/measures/J1")).words
    assert "Rounding leaves 1,457 to 1,467" in words
    assert "It holds no noise" in words
    assert "95 % interval" not in words


def test_without_percentiles_the_reason_is_given(client: TestClient) -> None:
    assert "Percentiles need at least 8 sites" in read(html_of(client, "/measures/D1")).words


def test_a_spread_of_percentages_is_in_percentage_points(client: TestClient) -> None:
    words = read(html_of(client, "/measures/D2?year=2024")).words
    spread = row_of("D2", 2024).spread
    assert spread is not None
    told = f"{spread.tau:.0f} percentage points (95 % interval {spread.lower:.0f} to {spread.upper:.0f})"
    assert f"The sites differ by a standard deviation of {told}" in words


def test_a_share_of_need_makes_no_claim_about_the_noise_in_its_band(client: TestClient) -> None:
    claim = "Without the privacy noise the interval would be about"
    assert claim in read(html_of(client, "/measures/C1")).words
    assert claim not in read(html_of(client, "/measures/C2")).words


def test_held_back_groups_of_a_histogram_are_named_below_it(client: TestClient) -> None:
    words = read(html_of(client, "/measures/B3")).words
    shown = {row.peer_group for row in full_publication().rows if row.measure == "B3" and row.value is not None}
    held = {row.peer_group for row in full_publication().rows if row.measure == "B3"} - shown
    assert held
    for group in held:
        assert re.search(rf"Not shown: [^.]*{peer_group_words(group)} \( too few", words)


@pytest.mark.parametrize("status", [status for status in Status if status is not Status.OK])
def test_every_status_is_explained_where_rows_were_held_back(client: TestClient, status: Status) -> None:
    told = status_words(status, GateRules())
    words = read(html_of(client, "/publications/2")).words
    assert told.label in words
    assert told.reason in words


def test_the_page_on_protection_states_guarantee_rules_units_and_limits(client: TestClient) -> None:
    words = read(html_of(client, "/protection")).words
    for sentence in full_publication().guarantee:
        assert sentence in words
    assert "At least 5 sites contribute" in words
    assert "No site holds more than 25 % of the exposure" in words
    for tally in CATALOGUE.tallies:
        assert tally.title in words
    assert "one event, counted at most 3 times a year" in words
    assert "about 96 times in 100 that number lies between 20 and 40" in words
    assert "A clinician who works at two sites is protected at each, but not jointly" in words


def test_what_a_publication_says_is_escaped(tmp_path: Path) -> None:
    from coordinator.api.app import create_app
    from tests.coordinator.portal.examples import FolderPublications, write_publication

    hostile = full_publication().model_copy(update={"title": "<script>alert(1)</script>"})
    write_publication(tmp_path / "publications", hostile)
    client = TestClient(create_app(FolderPublications(tmp_path / "publications"), CATALOGUE))
    assert "<script" not in html_of(client, "/publications/1")
    assert "<script" not in html_of(client, "/publications")


@pytest.mark.parametrize("path", ["/measures/Z9", "/?year=1999", "/measures/D2?year=1999", "/publications/77", "/no"])
def test_a_browser_gets_errors_as_a_page(client: TestClient, path: str) -> None:
    answer = client.get(path, headers={"Accept": "text/html,application/xhtml+xml"})
    page = read(answer.text)
    assert answer.status_code == 404
    assert page.errors == []
    assert "Not Found" in page.words


def test_the_style_sheet_comes_from_the_package(client: TestClient) -> None:
    answer = client.get("/static/style.css")
    assert answer.status_code == 200
    assert "url(" not in answer.text
    assert "@import" not in answer.text
