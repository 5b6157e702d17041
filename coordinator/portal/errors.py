"""What a reader can ask for in vain."""

from __future__ import annotations


class NotPublished(Exception):
    """Something that is in no publication or not in the catalogue; `mitigation` says where to look instead."""

    def __init__(self, detail: str, mitigation: str) -> None:
        super().__init__(detail)
        self.mitigation = mitigation
