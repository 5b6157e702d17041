"""The application over example publications in a folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from starlette.testclient import TestClient

from coordinator.api.app import create_app
from tests.coordinator.portal.examples import (
    CATALOGUE,
    FolderPublications,
    full_publication,
    publication,
    write_publication,
)


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with two publications; the second corrects the first."""
    folder = tmp_path_factory.mktemp("published") / "publications"
    write_publication(folder, full_publication())
    write_publication(folder, publication(2, full_publication().rows))
    return folder


@pytest.fixture(scope="session")
def client(published: Path) -> TestClient:
    return TestClient(create_app(FolderPublications(published), CATALOGUE), raise_server_exceptions=False)


@pytest.fixture(scope="session")
def empty_client(tmp_path_factory: pytest.TempPathFactory) -> TestClient:
    folder = tmp_path_factory.mktemp("nothing")
    return TestClient(create_app(FolderPublications(folder), CATALOGUE), raise_server_exceptions=False)
