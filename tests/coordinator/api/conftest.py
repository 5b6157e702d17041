"""The interface is tested over the same publications as the pages."""

from __future__ import annotations

from tests.coordinator.portal.conftest import client, empty_client, published

__all__ = ["client", "empty_client", "published"]
