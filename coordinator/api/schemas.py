"""What the interface answers with, beside the files of a publication."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from protocols.publication.rows import BenchmarkRow

_ROW_EXAMPLE = {
    "measure": "D2",
    "grain": "year",
    "period_start": "2025-01-01",
    "period_end": "2025-12-31",
    "peer_group": "all",
    "stratum": "all",
    "n_sites": 14,
    "value": 64.1,
    "lower": 60.2,
    "upper": 67.8,
    "noise_sd": 1.1,
    "unit": "%",
    "status": "ok",
    "spread": {"tau": 8.4, "lower": 5.9, "upper": 13.0},
    "percentiles": [{"level": 50, "value": 63.0, "lower": 57.5, "upper": 68.2}],
}


class _Answer(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class Health(_Answer):
    """The process answers."""

    status: Literal["ok"] = "ok"


class Version(_Answer):
    """What is running: the release, the interface, and the catalogue that it explains its measures with."""

    leadline: str = Field(description="`source` when it runs without being installed", examples=["0.1.0"])
    api: Literal["v1"] = "v1"
    catalogue_version: int = Field(examples=[1])
    catalogue_digest: str = Field(description="SHA-256 in hex of the body of /api/v1/catalogue")


class FileEntry(_Answer):
    """A file of a publication, served byte for byte as it was stored."""

    name: str = Field(examples=["benchmarks.csv"])
    url: str = Field(examples=["/api/v1/publications/3/benchmarks.csv"])
    media_type: str = Field(examples=["text/csv; charset=utf-8"])
    size_bytes: int = Field(examples=[48213])
    sha256: str = Field(
        description="In hex", examples=["9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"]
    )


class PublicationEntry(_Answer):
    """A publication without its rows. `replaces` is the number of the publication before it."""

    number: int = Field(examples=[3])
    title: str = Field(examples=["Benchmarks 2023 to 2025"])
    created_at: datetime
    replaces: int | None = Field(examples=[2])
    sites: int = Field(examples=[24])
    catalogue_version: int = Field(examples=[1])
    guarantee: tuple[str, ...]
    n_rows: int = Field(examples=[412])
    n_shown: int = Field(description="Rows whose status is ok", examples=[377])
    files: tuple[FileEntry, ...]


class PublicationList(_Answer):
    """All publications, the newest first. `latest` is null before the first one."""

    latest: int | None = Field(examples=[3])
    publications: tuple[PublicationEntry, ...]


class Benchmarks(_Answer):
    """Rows of one publication. A row whose status is not ok carries no figure."""

    publication: int = Field(examples=[3])
    rows: tuple[BenchmarkRow, ...] = Field(examples=[[_ROW_EXAMPLE]])
