"""The key behind the hashes of persons, which must stay the one with which this site began to count.

Other bytes turn every person into a new one: the caps on what one person adds would begin anew, and earlier slices
would not be continued. So a fingerprint of the key is remembered in the journal when it is first used, and compared at
every use. It is a SHA-256 over 32 random bytes or more, from which nobody learns the key.
"""

from __future__ import annotations

import hashlib
from pathlib import Path

from node.journal import Journal
from protocols.keys import KeyFileError, load_secret

_DOMAIN = b"leadline/person-key/v1\x00"


def load_person_key(path: Path, journal: Path) -> bytes:
    """The key at `path`; KeyFileError if it cannot be used, or is another than the one that was used before."""
    secret = load_secret(path)
    if Journal(journal).same_person_key(hashlib.sha256(_DOMAIN + secret).digest()):
        return secret
    raise KeyFileError(
        f"{path} is another key than the one with which this site has counted; restore it from your backup"
    )
