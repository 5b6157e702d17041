"""Which requests are due, and when an unanswered one is sent again.

A site's quarters are asked in order: a later one never before an earlier one is settled or under way in the same batch.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import UTC, datetime, time, timedelta
from itertools import takewhile

from coordinator.config import Rounds
from coordinator.rounds.states import RequestState
from coordinator.store.schema import Request
from protocols.periods import Grain, periods_of

FIRST_WAIT_S = 1.0
LAST_WAIT_S = 30.0


def closes_at(year: int, quarter: int) -> datetime:
    """The first moment after the quarter's last day."""
    end = periods_of(year, Grain.QUARTER)[quarter - 1].end
    return datetime.combine(end + timedelta(days=1), time(), UTC)


def due_requests(requests: Sequence[Request], now: datetime, unanswered: bool = False) -> list[Request]:
    """Those of one site's requests in one round, in the order of quarters, that are to be sent now.

    With `unanswered`, also those that were sent before: to which no answer came yet, or one that put them off. A file
    is carried when somebody has a reason to, so it does not wait for the time at which the pipe would ask again.
    """
    waiting = [request for request in requests if request.state is RequestState.WAITING]
    return list(takewhile(lambda r: r.due_at <= now or (unanswered and r.attempts + r.reasks > 0), waiting))


def resend_at(now: datetime, attempts: int, rules: Rounds, jitter: random.Random) -> datetime:
    """When a request sent now for the `attempts`-th time is sent again if no answer comes.

    After the resend interval and a wait that doubles from 1 to 30 s, of which a random half is taken off, so that
    sites that went silent together do not come back together.
    """
    wait_s = min(LAST_WAIT_S, FIRST_WAIT_S * 2 ** min(attempts - 1, 10))
    return now + timedelta(seconds=rules.resend_s + wait_s * jitter.uniform(0.5, 1.0))
