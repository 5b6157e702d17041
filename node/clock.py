"""The only place from which the node takes the time."""

from __future__ import annotations

import time
from datetime import UTC, date, datetime
from typing import Protocol


class Clock(Protocol):
    """Tells the time; tests hand in one that they set."""

    def now_s(self) -> int:
        """Unix time in whole seconds."""


class SystemClock:
    """The machine's clock."""

    def now_s(self) -> int:
        """Unix time in whole seconds."""
        return int(time.time())


def today(clock: Clock) -> date:
    """The day, UTC."""
    return datetime.fromtimestamp(clock.now_s(), UTC).date()
