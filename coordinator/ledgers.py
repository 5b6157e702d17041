"""A site's ledger only grows: the order in which its heads may be stated.

A site states its ledger's head (hash, number of the newest entry, its own time) with every release, acknowledgement and
enrolment. Nothing may be stated later on a ledger that is shorter than one stated before, nor on another of the same
length: that ledger went back, as after a restored backup. An older statement that arrives late is in order, and the
head that we know only ever moves forward.

The way back needs no exception to this. The node of a restored backup finds that it does not know the head that our
requests name, and refuses. `sites ledger --after N` tells it what it lost, and the entry by which the node takes note
is numbered after the newest one that we have seen. So what it states from then on is longer than all that was lost,
and becomes the head that our next requests name. Until then they name the lost head, and a node that was not
reconciled answers none of them.
"""

from __future__ import annotations

from datetime import UTC, datetime

from coordinator.store.reader import Reader
from coordinator.store.records import Head
from coordinator.store.schema import Site
from protocols.refusals import Code, Refused


def stated_head(head: bytes, length: int, at_s: int) -> Head:
    """A head from the fields of a statement."""
    return Head(head, length, datetime.fromtimestamp(at_s, UTC))


def newest_head(stated: Head, site: Site, reader: Reader) -> Head | None:
    """`stated` if it is now the newest head of the site, None if it came late; LEDGER_REWOUND if it went back."""
    current = Head(site.ledger_head, site.ledger_length, site.ledger_at)
    releases = (Head(r.ledger_head, r.ledger_length, r.sealed_at) for r in reader.releases_of_site(site.site_id))
    for other in (*releases, current):
        forked = other.length == stated.length and other.hash != stated.hash
        went_back = other.length > stated.length and other.at < stated.at
        if forked or went_back:
            raise Refused(Code.LEDGER_REWOUND, f"entry {stated.length}, after {other.length}")
    return stated if stated.length > current.length else None
