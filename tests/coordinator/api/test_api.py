from __future__ import annotations

import hashlib
import io
import shutil
import subprocess
from pathlib import Path

import pandas as pd
import pytest
from starlette.testclient import TestClient

from coordinator.api.transport import SECURITY_HEADERS
from coordinator.portal.reader import MEDIA_TYPES
from coordinator.publications.files import COLUMNS
from protocols.catalogue import current_catalogue
from protocols.publication.document import parse_publication
from protocols.publication.rows import BenchmarkRow, Status
from tests.coordinator.portal.examples import full_publication

FILES = list(MEDIA_TYPES)
BASE = "/api/v1/publications/2"
EVERY_KIND = ["/", "/healthz", "/api/v1/catalogue", f"{BASE}/benchmarks.csv", "/static/style.css", "/api/v1/no", "/no"]


def test_health_readiness_and_version(client: TestClient) -> None:
    assert client.get("/healthz").json() == {"status": "ok"}
    assert client.get("/readyz").json() == {"status": "ok"}
    version = client.get("/version").json()
    assert version["api"] == "v1"
    assert version["catalogue_digest"] == current_catalogue()[1].hex()


def test_the_catalogue_is_served_in_the_bytes_that_its_digest_is_of(client: TestClient) -> None:
    body = client.get("/api/v1/catalogue").content
    assert hashlib.sha256(body).digest() == current_catalogue()[1]


def test_publications_are_listed_newest_first_with_the_digests_of_their_files(client: TestClient) -> None:
    listed = client.get("/api/v1/publications").json()
    assert listed["latest"] == 2
    assert [item["number"] for item in listed["publications"]] == [2, 1]
    newest = listed["publications"][0]
    assert newest == client.get(BASE).json()
    assert newest["replaces"] == 1
    assert newest["n_shown"] == sum(row.status is Status.OK for row in full_publication().rows)
    for file in newest["files"]:
        body = client.get(file["url"]).content
        assert (file["sha256"], file["size_bytes"]) == (hashlib.sha256(body).hexdigest(), len(body))


def test_before_the_first_publication_lists_are_empty(empty_client: TestClient) -> None:
    assert empty_client.get("/api/v1/publications").json() == {"latest": None, "publications": []}
    assert empty_client.get("/api/v1/benchmarks").status_code == 404
    assert empty_client.get("/readyz").status_code == 200


@pytest.mark.parametrize("name", FILES)
def test_files_are_served_byte_for_byte_and_cached_for_good(client: TestClient, published: Path, name: str) -> None:
    answer = client.get(f"{BASE}/{name}")
    assert answer.content == (published / "2" / name).read_bytes()
    assert answer.headers["content-type"] == MEDIA_TYPES[name]
    assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
    assert answer.headers["content-disposition"] == f'attachment; filename="leadline-2-{name}"'
    again = client.get(f"{BASE}/{name}", headers={"If-None-Match": f'"other", {answer.headers["etag"]}'})
    assert (again.status_code, again.content) == (304, b"")
    assert again.headers["etag"] == answer.headers["etag"]


def test_the_downloads_open_in_pandas_with_the_published_figures(client: TestClient) -> None:
    rows = full_publication().rows
    csv = pd.read_csv(io.BytesIO(client.get(f"{BASE}/benchmarks.csv").content))
    parquet = pd.read_parquet(io.BytesIO(client.get(f"{BASE}/benchmarks.parquet").content))
    for frame in (csv, parquet):
        assert list(frame.columns) == COLUMNS.names
        assert len(frame) == len(rows)
        assert frame["value"].notna().tolist() == [row.status is Status.OK for row in rows]
        shown = [row.value for row in rows if row.status is Status.OK]
        assert frame["value"].dropna().tolist() == shown


def test_the_document_parses_to_the_publication(client: TestClient) -> None:
    assert parse_publication(client.get(f"{BASE}/publication.json").content).rows == full_publication().rows


@pytest.mark.skipif(not shutil.which("openssl") or not shutil.which("xxd"), reason="openssl or xxd is missing")
def test_the_commands_on_the_page_verify_the_signature(client: TestClient, published: Path, tmp_path: Path) -> None:
    html = client.get("/publications/2", headers={"Accept": "text/html"}).text
    commands = html.split('<pre tabindex="0"><code>')[1].split("</code>")[0].replace("&gt;", ">")
    for name in ("publication.json", "publication.sig"):
        (tmp_path / name).write_bytes(client.get(f"{BASE}/{name}").content)
    shutil.copy(published.parent / "pso.pub", tmp_path)
    run = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert "Signature Verified Successfully" in run.stdout, run.stderr
    (tmp_path / "publication.json").write_bytes(b"{}")
    run = subprocess.run(["sh", "-ec", commands], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert run.returncode != 0


def _rows(client: TestClient, query: str) -> list[BenchmarkRow]:
    answer = client.get(f"/api/v1/benchmarks{query}")
    assert answer.status_code == 200, answer.text
    assert answer.json()["publication"] == 2 if "publication=" not in query else True
    return [BenchmarkRow.model_validate(row) for row in answer.json()["rows"]]


def test_rows_are_filtered_by_measure_period_and_peer_group(client: TestClient) -> None:
    everything = _rows(client, "")
    assert tuple(everything) == full_publication().rows
    found = _rows(client, "?measure=D2&period=2025&peer_group=all")
    assert found == [
        row
        for row in everything
        if (row.measure, row.grain, row.peer_group, row.period_start.year) == ("D2", "year", "all", 2025)
    ]
    assert len(found) == 1
    assert len(_rows(client, "?measure=C1&period=2024-Q3")) == 1
    assert _rows(client, "?period=2024-07") == []
    assert _rows(client, "?publication=1&measure=C1") == _rows(client, "?measure=C1")


@pytest.mark.parametrize("path", EVERY_KIND)
def test_security_headers_are_on_every_answer(client: TestClient, path: str) -> None:
    headers = client.get(path).headers
    for name, value in SECURITY_HEADERS.items():
        assert headers[name] == value
    assert "script-src" not in headers["content-security-policy"]
    assert "default-src 'none'" in headers["content-security-policy"]


@pytest.mark.parametrize("path", EVERY_KIND)
def test_head_is_get_without_the_body(client: TestClient, path: str) -> None:
    get, head = client.get(path), client.head(path)
    assert head.content == b""
    assert head.status_code == get.status_code
    assert head.headers["content-length"] == get.headers["content-length"]
    assert head.headers.get("etag") == get.headers.get("etag")


def test_pages_are_asked_for_again(client: TestClient) -> None:
    assert client.get("/").headers["cache-control"] == "no-cache"


def test_the_openapi_document_describes_answers_and_problems(client: TestClient) -> None:
    document = client.get("/api/v1/openapi.json").json()
    assert document["openapi"].startswith("3.1")
    assert set(document["paths"]) == {
        "/healthz",
        "/readyz",
        "/version",
        "/api/v1/catalogue",
        "/api/v1/publications",
        "/api/v1/publications/{number}",
        "/api/v1/publications/{number}/{name}",
        "/api/v1/benchmarks",
    }
    assert all(set(path) == {"get"} for path in document["paths"].values())
    assert "Problem" in document["components"]["schemas"]
    assert "HTTPValidationError" not in str(document)
    query = {item["name"]: item for item in document["paths"]["/api/v1/benchmarks"]["get"]["parameters"]}
    assert query["measure"]["schema"]["examples"] == ["D2"]
    assert document["components"]["schemas"]["Benchmarks"]["properties"]["rows"]["examples"][0][0]["status"] == "ok"


def test_the_example_row_is_a_row(client: TestClient) -> None:
    schemas = client.get("/api/v1/openapi.json").json()["components"]["schemas"]
    BenchmarkRow.model_validate(schemas["Benchmarks"]["properties"]["rows"]["examples"][0][0])
