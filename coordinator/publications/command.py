"""The `publish` command: what it does, and what it says."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from coordinator.clock import Clock
from coordinator.config import Config
from coordinator.installation import pso_key
from coordinator.publications.build import draft, publish
from coordinator.publications.files import write_files
from coordinator.publications.summary import dry_run_text, status_counts, summary_text
from coordinator.store.database import Store


@dataclass(frozen=True)
class Said:
    """A result for people and for programs."""

    text: str
    data: dict[str, object]


def dry_run(store: Store, config: Config, clock: Clock) -> Said:
    """What would be published, and why what is held back is; nothing is stored."""
    with store.reading() as reader:
        made = draft(reader, config, clock)
    text = f"Nothing is published; this would be:\n{dry_run_text(made)}"
    return Said(text, {"dry_run": True, "statuses": status_counts(made.publication.rows)})


def publish_to(store: Store, config: Config, clock: Clock, out: Path | None) -> Said:
    """Publish, and write the files to `out` (by default, a folder named for the number)."""
    done = publish(store, config, clock, pso_key(config))
    folder = out or config.paths.publications / f"{done.stored.number:04d}"
    write_files(done.stored, folder)
    state = "is published" if done.is_new else "says the same already, so there is no new one"
    text = f"Publication {done.stored.number} {state}; its files are in {folder}\n{summary_text(done.publication)}"
    data: dict[str, object] = {
        "number": done.stored.number,
        "is_new": done.is_new,
        "folder": str(folder),
        "statuses": status_counts(done.publication.rows),
    }
    return Said(text, data)
