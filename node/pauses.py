"""The file whose presence means that the site has paused, and who put it there: the operator, or a coming reboot."""

from __future__ import annotations

import fcntl
import time
from enum import StrEnum
from pathlib import Path

from node.config import NodeConfig
from protocols.operator.errors import BusyError

LOOK_S = 0.1


class Pause(StrEnum):
    """Why nothing is answered; only a pause for a reboot ends by itself, at the next start."""

    OPERATOR = "operator"
    REBOOT = "reboot"


def paused_by(config: NodeConfig) -> Pause | None:
    """Who paused the site, if it is paused. A file that anybody made by hand counts as the operator's."""
    try:
        text = config.pause_file.read_text(encoding="utf-8", errors="replace").strip()
    except FileNotFoundError:
        return None
    return Pause.REBOOT if text == Pause.REBOOT else Pause.OPERATOR


def pause(config: NodeConfig, why: Pause) -> None:
    """Answer nothing from now on. A pause of the operator's is never turned into one that ends by itself."""
    if why is Pause.OPERATOR or paused_by(config) is None:
        config.pause_file.write_text(f"{why}\n", encoding="utf-8")


def resume(config: NodeConfig) -> None:
    """Answer again."""
    config.pause_file.unlink(missing_ok=True)


def wait_until_quiet(ledger: Path, timeout_s: float) -> None:
    """Return once no answer is under way, which a lock beside the ledger shows; BusyError after `timeout_s`."""
    deadline = time.monotonic() + timeout_s
    with ledger.with_suffix(".lock").open("a") as file:
        while True:
            try:
                fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return
            except BlockingIOError as error:
                if time.monotonic() > deadline:
                    message = f"an answer was still under way after {timeout_s:.0f} s"
                    hint = "run the command again; nothing new is begun meanwhile"
                    raise BusyError("under_way", message, hint) from error
            time.sleep(LOOK_S)
