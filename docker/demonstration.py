"""The steps of the demonstration, from nothing to a publication, with progress on screen."""

from __future__ import annotations

import os
import time
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, TypeVar

from members import NODE, Coordinator, Site
from pki import Pki
from processes import Process, environment, run, stop_all
from rich.progress import Progress
from transport import SuperLink

ROUNDS_S = 300.0
DELIVERY_S = 120.0
POLL_S = 2.0
QUARTERS = 4
WORKERS = os.cpu_count() or 1

T = TypeVar("T")


class RoundFailedError(Exception):
    """A round that ended without enough sites, or did not end in time."""


class Demonstration:
    """A federation whose files are in `folder`; a unix socket's path must be short, hence the folder `sockets`."""

    def __init__(self, folder: Path, sockets: Path, progress: Progress) -> None:
        self._folder = folder
        self._sockets = sockets
        self._logs = folder / "logs"
        self._progress = progress
        self._pki = Pki(folder / "pki")
        self._link = SuperLink(folder / "superlink", self._pki, self._logs / "superlink.log")
        self.coordinator = Coordinator(folder / "coordinator", sockets, self._logs, self._link)
        self._sites: tuple[Site, ...] = ()
        self._year_of_round: dict[str, int] = {}

    def run(self, sites: int, seed: int, years: range) -> None:
        """Invent, set up and start everything, and carry a round for each year to its end."""
        with self._progress:
            self._carry_rounds(sites, seed, years)

    def publish(self, folder: Path) -> None:
        """Publish, with a copy in `folder`, and wait until every hospital has the publication for its own pages."""
        self.coordinator.publish(folder)
        with self._progress:
            task = self._progress.add_task("publication to the hospitals", total=len(self._sites))
            deadline = time.monotonic() + DELIVERY_S
            while (arrived := sum(site.has_publication() for site in self._sites)) < len(self._sites):
                self._progress.update(task, completed=arrived)
                self.require_running()
                if time.monotonic() > deadline:
                    raise RoundFailedError(f"the publication reached {arrived} hospitals within {DELIVERY_S:.0f} s")
                time.sleep(POLL_S)
            self._progress.update(task, completed=arrived)

    def require_running(self) -> None:
        """Raise ProcessFailedError if any process has ended."""
        for process in (self._link.process, self.coordinator.process, *self._site_processes()):
            process.require_running()

    def stop(self) -> None:
        """Stop the sites, then the centre, so that SuperNodes can still take their leave."""
        stop_all(self._site_processes())
        stop_all((self.coordinator.process, self._link.process))

    def _carry_rounds(self, sites: int, seed: int, years: range) -> None:
        self._each(f"inventing {sites} hospitals", lambda _: self._invent(sites, seed, years), [None])
        self._each("starting the centre", lambda _: self._start_centre(), [None])
        self._each("enrolling sites", lambda site: site.enrol(self.coordinator), self._sites)
        # Opened before the sites come online, so that each finds all its questions in one message.
        self._each("opening rounds", self._open_rounds, years, workers=1)
        self._each("starting nodes and SuperNodes", Site.start, self._sites)
        self._watch_rounds(years)

    def _each(self, words: str, act: Callable[[T], None], items: Sequence[T], workers: int = WORKERS) -> None:
        """Do something for each item, some at a time, with a progress bar."""
        task = self._progress.add_task(words, total=len(items))
        pool = ThreadPoolExecutor(workers)
        try:
            for _ in pool.map(act, items):
                self._progress.advance(task)
        finally:
            pool.shutdown(cancel_futures=True)

    def _invent(self, sites: int, seed: int, years: range) -> None:
        command = [NODE, "synthetic", "--out", str(self._folder), "--sites", str(sites), "--seed", str(seed)]
        command += ["--first-year", str(years.start), "--years", str(len(years))]
        run(command, environment(), timeout_s=300)
        folders = sorted((self._folder / "sites").iterdir())
        self._sites = tuple(Site(folder, self._sockets, self._logs, self._link) for folder in folders)

    def _start_centre(self) -> None:
        self._pki.create()
        self._link.start()
        self.coordinator.set_up()
        self.coordinator.process.start()

    def _open_rounds(self, year: int) -> None:
        self._year_of_round |= dict.fromkeys(self.coordinator.open_rounds(year), year)

    def _watch_rounds(self, years: range) -> None:
        """Show the answers as they come in, one bar per year, until every round has ended."""
        asked = len(self._sites) * QUARTERS
        rounds = Counter(self._year_of_round.values())
        tasks = {year: self._progress.add_task(f"round {year}", total=asked * rounds[year]) for year in years}
        deadline = time.monotonic() + ROUNDS_S
        while True:
            self.require_running()
            found = self.coordinator.rounds()
            for year, task in tasks.items():
                own = [entry for entry in found if self._year_of_round[entry["round_id"]] == year]
                self._progress.update(task, completed=sum(map(_settled, own)))
            if all(entry["state"] != "open" for entry in found):
                break
            if time.monotonic() > deadline:
                raise RoundFailedError(f"no end after {ROUNDS_S:.0f} s: {_missing(found)}")
            time.sleep(POLL_S)
        if failed := [entry for entry in found if entry["state"] != "complete"]:
            raise RoundFailedError(f"{failed[0]['round_id']} is {failed[0]['state']}: {_missing(failed)}")

    def _site_processes(self) -> list[Process]:
        return [process for site in self._sites for process in (site.supernode, site.daemon)]


def _settled(entry: dict[str, Any]) -> int:
    """The requests of a round that are answered or refused for good."""
    return sum(state != "waiting" for site in entry["site_status"] for state in site["quarters"])


def _missing(rounds: Sequence[dict[str, Any]]) -> str:
    """Which sites' answers are missing, and why as far as is known."""
    missing = [
        " ".join((entry["round_id"], site["site_id"], site["refusal_code"] or "no answer", site["refusal_detail"]))
        for entry in rounds
        for site in entry["site_status"]
        if set(site["quarters"]) != {"answered"}
    ]
    return "; ".join(missing[:10])
