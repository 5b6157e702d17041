from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from coordinator.api.app import create_app
from coordinator.api.transport import SECURITY_HEADERS
from protocols.publication.document import Publication
from tests.coordinator.portal.examples import CATALOGUE, FolderPublications

MEMBERS = {"type", "title", "status", "detail", "instance", "retryable", "mitigation"}


class BrokenStore(FolderPublications):
    """A store whose disk has gone."""

    def numbers(self) -> list[int]:
        raise OSError("the disk of /secret/place has gone")

    def latest(self) -> Publication | None:
        raise OSError("the disk of /secret/place has gone")

    def ready(self) -> bool:
        return False


@pytest.fixture
def broken_client(tmp_path: Path) -> TestClient:
    return TestClient(create_app(BrokenStore(tmp_path), CATALOGUE), raise_server_exceptions=False)


@pytest.mark.parametrize(
    ("path", "status", "kind", "detail"),
    [
        ("/api/v1/publications/9", 404, "not-found", "There is no publication 9."),
        ("/api/v1/publications/9/benchmarks.csv", 404, "not-found", "There is no publication 9."),
        ("/api/v1/publications/2/passwords.txt", 422, "invalid-request", "name: "),
        ("/api/v1/publications/0", 422, "invalid-request", "number: "),
        ("/api/v1/publications/two", 422, "invalid-request", "number: "),
        ("/api/v1/benchmarks?measure=Z9", 404, "not-found", "There is no measure Z9."),
        ("/api/v1/benchmarks?period=2025-Q5", 422, "invalid-request", "period: "),
        ("/api/v1/benchmarks?publication=9", 404, "not-found", "There is no publication 9."),
        ("/api/v1/nothing", 404, "not-found", "There is nothing at this address."),
        ("/nothing", 404, "not-found", "There is nothing at this address."),
        ("/measures/Z9", 404, "not-found", "There is no measure Z9."),
        ("/publications/two", 422, "invalid-request", "number: "),
        ("/static/../pages.py", 404, "not-found", "There is nothing"),
        ("/static/%2e%2e/pages.py", 404, "not-found", "There is nothing"),
    ],
)
def test_an_error_is_a_problem(client: TestClient, path: str, status: int, kind: str, detail: str) -> None:
    answer = client.get(path)
    problem = answer.json()
    assert answer.status_code == status
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["cache-control"] == "no-store"
    assert set(problem) == MEMBERS
    assert problem["type"] == f"urn:leadline:problem:{kind}"
    assert problem["status"] == status
    assert problem["detail"].startswith(detail)
    assert problem["retryable"] is False
    assert problem["mitigation"]


def test_a_problem_names_the_address_without_its_query(client: TestClient) -> None:
    assert client.get("/api/v1/benchmarks?measure=Z9").json()["instance"] == "/api/v1/benchmarks"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
@pytest.mark.parametrize("path", ["/", "/healthz", "/api/v1/publications", "/static/style.css"])
def test_nothing_can_be_written(client: TestClient, path: str, method: str) -> None:
    answer = client.request(method, path)
    assert answer.status_code == 405
    assert answer.headers["allow"] == "GET, HEAD"
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["type"] == "urn:leadline:problem:method-not-allowed"


def test_a_failure_is_a_problem_that_gives_nothing_away(broken_client: TestClient) -> None:
    answer = broken_client.get("/api/v1/publications")
    problem = answer.json()
    assert (answer.status_code, problem["type"]) == (500, "urn:leadline:problem:internal")
    assert problem["retryable"] is True
    assert "secret" not in answer.text
    for name, value in SECURITY_HEADERS.items():
        assert answer.headers[name] == value


def test_a_failure_in_a_page_is_still_an_answer(broken_client: TestClient) -> None:
    answer = broken_client.get("/", headers={"Accept": "text/html"})
    assert answer.status_code == 500
    assert "it was logged" in answer.text
    assert "secret" not in answer.text


def test_readiness_follows_the_store(broken_client: TestClient) -> None:
    answer = broken_client.get("/readyz")
    assert answer.status_code == 503
    assert answer.json()["type"] == "urn:leadline:problem:not-ready"
    assert broken_client.get("/healthz").status_code == 200


def accepts(client: TestClient, values: Sequence[str]) -> list[str]:
    return [client.get("/nothing", headers={"Accept": value}).headers["content-type"] for value in values]


def test_programs_get_problems_and_browsers_get_pages(client: TestClient) -> None:
    assert accepts(client, ["*/*", "application/json", "text/html"]) == [
        "application/problem+json",
        "application/problem+json",
        "text/html; charset=utf-8",
    ]
    assert (
        client.get("/api/v1/x", headers={"Accept": "text/html"})
        .headers["content-type"]
        .startswith("application/problem+json")
    )
