"""Heads of a ledger that were seen before: what shows that an old copy of it was put back.

A ledger cannot tell that it is old; its chain holds all the same. So the newest head is kept outside of it too, before
anything leaves, together with the newest one that the PSO named (both in the journal, see `node.journal`). A ledger
that does not know one of them has forgotten charges and answers: nothing is drawn on it until it is reconciled.

Whoever puts back the journal of the same day with the ledger takes this memory with it. Then only the coordinator
remembers: it names the newest head that it has seen in every request, and what a request that was made before the
restore asks for is drawn a second time if it is carried in again. It stores one answer for a slice and no other.
"""

from __future__ import annotations

from typing import Protocol

SeenHead = tuple[int, bytes]


class Seen(Protocol):
    """Where heads are remembered: number and hash of an entry."""

    def heads(self) -> tuple[SeenHead, ...]:
        """The newest head that this machine has had, and the newest that the PSO named, as far as there are any."""
        ...

    def keep_own(self, length: int, head: bytes) -> None:
        """Remember the head that this machine has now; durable when this returns."""
        ...


class NothingSeen:
    """For a ledger that is thrown away, or made at this moment: nobody has seen an entry of it."""

    def heads(self) -> tuple[SeenHead, ...]:
        """None."""
        return ()

    def keep_own(self, length: int, head: bytes) -> None:
        """Nobody remembers."""
