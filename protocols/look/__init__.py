"""The look that the pages of both programs share: style sheet, charts, numbers as text."""

from __future__ import annotations

from pathlib import Path

STATIC = Path(__file__).parent / "static"
