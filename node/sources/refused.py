"""The one way in which a whole export file is turned away."""

from __future__ import annotations


class FileRefused(Exception):
    """An export file that cannot be used: which one, why, and what to do next.

    The text holds no counts of rows, because errors end up in logs.
    """

    def __init__(self, file: str, reason: str, remedy: str) -> None:
        super().__init__(f"{file}: {reason}; {remedy}")
        self.file = file
        self.reason = reason
        self.remedy = remedy
