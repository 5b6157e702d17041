"""Proposing a mapping: what the exports' headers and values say about which column is which.

look_at(folder) sees the exports, propose(seen) says what they mean, apply(proposal, changes) takes a person's
decisions, accepted(proposal) keeps what is sure, and to_toml(proposal) writes it down. as_mapped, renew and loss hold
a proposal beside the mapping that is there already.
"""

from node.proposals.changes import ChangeError, accepted, apply
from node.proposals.look import Seen, look_at
from node.proposals.match import propose
from node.proposals.model import Change, Proposal
from node.proposals.today import as_mapped, loss, mapping_of_today, renew
from node.proposals.write import to_toml

__all__ = [
    "Change",
    "ChangeError",
    "Proposal",
    "Seen",
    "accepted",
    "apply",
    "as_mapped",
    "look_at",
    "loss",
    "mapping_of_today",
    "propose",
    "renew",
    "to_toml",
]
