"""The only place from which the coordinator takes the time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; tests hand in one that they set."""

    def now(self) -> datetime:
        """The present moment, time zone UTC."""


class SystemClock:
    """The machine's clock."""

    def now(self) -> datetime:
        """The present moment, time zone UTC."""
        return datetime.now(UTC)
