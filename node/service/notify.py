"""Telling systemd (Type=notify) that the daemon serves, or stops; see sd_notify(3)."""

from __future__ import annotations

import os
import socket


def notify(state: str) -> None:
    """Send `state`, such as "READY=1"; nothing happens where no supervisor asked for it."""
    address = os.environ.get("NOTIFY_SOCKET", "")
    if not address:
        return
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as supervisor:
        supervisor.sendto(state.encode(), f"\0{address[1:]}" if address.startswith("@") else address)
