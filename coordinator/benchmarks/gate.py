"""The publication gate: rules on the list of contributors and their public exposure, never on counts."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field


class GateRules(BaseModel):
    """The thresholds. Five sites and 25 % are the custom that the withdrawn DOJ/FTC antitrust safety zone left behind."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_sites: int = Field(default=5, ge=1)
    max_share: float = Field(default=0.25, gt=0, le=1)
    min_difference: int = Field(default=3, ge=1)
    percentile_sites: int = Field(default=8, ge=2)
    tail_sites: int = Field(default=20, ge=2)
    embargo_days: int = Field(default=90, ge=0)
