"""What opens the console: a one-time token, or a password if the site sets one. Only digests are on the disk.

The token's file lies beside the journal, so that `leadline-node console-token` can give one to a console that runs as a
service; who may write there may read the exports anyway. A new token replaces the one before it.
"""

from __future__ import annotations

import base64
import binascii
import fcntl
import hashlib
import hmac
import os
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from node.config import NodeConfig
from protocols.operator.errors import InputError

TOKEN_LIFE_S = 600
MIN_PASSWORD = 12
MAX_PASSWORD = 256
# scrypt at 64 MiB: one guess costs a fifth of a second or so.
_N, _R, _P = 2**16, 8, 2
_MAX_MEMORY = 2 * 128 * _N * _R

_WINDOW_S = 15 * 60
_TRIES = 5


@dataclass(frozen=True)
class TokenFile:
    """The file with the digest of the newest one-time token and the second at which it ends; mode 0600."""

    path: Path

    @classmethod
    def of(cls, config: NodeConfig) -> TokenFile:
        """The site's."""
        return cls(config.paths.journal.with_name("console.token"))

    def issue(self, now_s: int) -> str:
        """A fresh token, good for one sign-in within `TOKEN_LIFE_S`."""
        token = secrets.token_urlsafe(32)
        with self._locked():
            write_secret(self.path, f"{now_s + TOKEN_LIFE_S} {_token_digest(token)}\n")
        return token

    def take(self, token: str, now_s: int) -> bool:
        """Whether `token` is the newest one and has not ended; it is used up by that."""
        with self._locked():
            try:
                ends_s, _, digest = self.path.read_text(encoding="ascii").strip().partition(" ")
                fits = hmac.compare_digest(digest.encode(), _token_digest(token).encode())
                taken = fits and now_s <= int(ends_s)
            except (OSError, ValueError):
                return False
            if taken:
                self.path.unlink()
            return taken

    @contextmanager
    def _locked(self) -> Iterator[None]:
        with os.fdopen(os.open(self.path.with_suffix(".lock"), os.O_WRONLY | os.O_CREAT, 0o600)) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield


def set_password(path: Path, password: str) -> None:
    """Write the scrypt hash of a password, mode 0600; InputError if it is too short or too long."""
    if not MIN_PASSWORD <= len(password) <= MAX_PASSWORD:
        message = f"a password has {MIN_PASSWORD} to {MAX_PASSWORD} characters"
        raise InputError("password", message, "choose a longer one, such as four random words")
    salt = secrets.token_bytes(16)
    parts = (base64.b64encode(part).decode() for part in (salt, _scrypt(password, salt)))
    write_secret(path, f"scrypt {_N} {_R} {_P} {' '.join(parts)}\n")


def password_fits(path: Path, password: str) -> bool:
    """Whether this is the password that was set. No file, or one that others can read, fits no password."""
    if len(password) > MAX_PASSWORD:
        return False
    try:
        if path.stat().st_mode & 0o077:
            return False
        name, n, r, p, salt, digest = path.read_text(encoding="ascii").split()
        known = (name, int(n), int(r), int(p)) == ("scrypt", _N, _R, _P)
        wanted = base64.b64decode(digest, validate=True)
        given = _scrypt(password, base64.b64decode(salt, validate=True))
    except (OSError, ValueError, binascii.Error):
        return False
    return known and hmac.compare_digest(given, wanted)


@dataclass
class Tries:
    """Failed sign-ins of the last quarter of an hour. All come from this machine, so they are counted together."""

    _failed_s: list[int] = field(default_factory=list)

    def wait_s(self, now_s: int) -> int:
        """Seconds until a guess is looked at again; 0 while there are tries left."""
        self._failed_s = [failed for failed in self._failed_s if now_s - failed < _WINDOW_S]
        return 0 if len(self._failed_s) < _TRIES else self._failed_s[-_TRIES] + _WINDOW_S - now_s

    def note_failure(self, now_s: int) -> None:
        """Count one."""
        self._failed_s.append(now_s)


def write_secret(path: Path, text: str) -> None:
    """Replace a file at once by one that only its owner can read."""
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(4)}")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    fresh.replace(path)


def _token_digest(token: str) -> str:
    return hashlib.sha256(b"leadline/console-token/1\0" + token.encode()).hexdigest()


def _scrypt(password: str, salt: bytes) -> bytes:
    return hashlib.scrypt(password.encode(), salt=salt, n=_N, r=_R, p=_P, maxmem=_MAX_MEMORY, dklen=32)
