"""Who is signed in: sessions are kept in memory, so a restart of the console signs everybody out."""

from __future__ import annotations

import hashlib
import hmac
import secrets
import threading
from dataclasses import dataclass, field

IDLE_S = 20 * 60
ABSOLUTE_S = 8 * 3600
MAX_SESSIONS = 20


@dataclass
class _Times:
    begun_s: int
    seen_s: int


@dataclass(frozen=True)
class Sessions:
    """Sessions by the digest of their random id; one ends when idle, after a working day, or by signing out."""

    _times: dict[bytes, _Times] = field(default_factory=dict)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def begin(self, now_s: int) -> str:
        """The id of a new session. At most `MAX_SESSIONS` last: the one that was longest idle makes room."""
        session_id = secrets.token_urlsafe(32)
        with self._lock:
            self._forget_ended(now_s)
            while len(self._times) >= MAX_SESSIONS:
                del self._times[min(self._times, key=lambda digest: self._times[digest].seen_s)]
            self._times[_digest(session_id)] = _Times(now_s, now_s)
        return session_id

    def lasts(self, session_id: str, now_s: int) -> bool:
        """Whether the session goes on; being asked keeps it from being idle."""
        with self._lock:
            self._forget_ended(now_s)
            times = self._times.get(_digest(session_id))
            if times is not None:
                times.seen_s = now_s
        return times is not None

    def end(self, session_id: str) -> None:
        """Sign out."""
        with self._lock:
            self._times.pop(_digest(session_id), None)

    def _forget_ended(self, now_s: int) -> None:
        ended = [
            digest
            for digest, times in self._times.items()
            if now_s - times.seen_s > IDLE_S or now_s - times.begun_s > ABSOLUTE_S
        ]
        for digest in ended:
            del self._times[digest]


@dataclass(frozen=True)
class FormTokens:
    """Tokens that tie a form to the browser it was sent to: an HMAC of the cookie under a key of this process."""

    _key: bytes = field(default_factory=lambda: secrets.token_bytes(32), repr=False)

    def of(self, cookie: str) -> str:
        """The token for forms on pages of the browser that holds `cookie`."""
        return hmac.new(self._key, cookie.encode(), hashlib.sha256).hexdigest()

    def fits(self, cookie: str, token: str) -> bool:
        """Whether `token` came from a page of this browser; compared in constant time."""
        return bool(cookie) and hmac.compare_digest(self.of(cookie).encode(), token.encode())


def _digest(session_id: str) -> bytes:
    return hashlib.sha256(session_id.encode()).digest()
