"""The whole federation as plain processes on this machine, with invented hospitals: what `make demo` runs.

Everything is real except the hospitals: TLS, authenticated SuperNodes, a node daemon per site, noise, the ledger,
the signed publication. Only loopback is used.
"""

from __future__ import annotations

import shutil
import signal
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from demonstration import Demonstration, RoundFailedError
from outcome import Outcome
from processes import ProcessFailedError
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

MARKER = ".made-by-the-leadline-demo"
EMBARGO = timedelta(days=90)  # the publication gate's default: nothing younger is published
LOOK_S = 1.0

console = Console(width=None if sys.stdout.isatty() else 120)


def main(
    sites: Annotated[int, typer.Option(min=5, max=40, help="Invented hospitals; the gate needs five.")] = 8,
    seed: Annotated[int, typer.Option(help="Seed of the invented data. The noise has none.")] = 1,
    years: Annotated[int, typer.Option(min=1, max=5, help="Yearly rounds, up to the newest publishable year.")] = 3,
    out: Annotated[Path, typer.Option(help="Folder for everything; replaced if this program made it.")] = Path("demo"),
    serve: Annotated[bool, typer.Option(help="Leave the pages up until Ctrl-C.")] = True,
) -> None:
    """Run the federation over invented hospitals, publish, and compare with what really happened."""
    folder = fresh_folder(out)
    try:
        with _federation(folder) as demonstration:
            demonstration.run(sites, seed, publishable(years, datetime.now(UTC).date()))
            demonstration.publish(folder / "publication")
            _show(Outcome.read(folder / "publication", folder / "truth.csv"), folder)
            if serve:
                _serve(demonstration)
    except (ProcessFailedError, RoundFailedError) as error:
        console.print(f"The demonstration failed: {error}\nAll logs: {folder / 'logs'}", style="red", markup=False)
        sys.exit(1)
    except KeyboardInterrupt:
        console.print("Stopped before the end.")
        sys.exit(130)


def fresh_folder(path: Path) -> Path:
    """An empty folder with our mark; one that an earlier demonstration made is replaced, any other is refused."""
    folder = path.resolve()
    if folder.exists() and any(folder.iterdir()):
        if not (folder / MARKER).is_file():
            message = f"{folder} is not empty and was not made by this program; choose another folder"
            raise typer.BadParameter(message, param_hint="--out")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / MARKER).touch()
    return folder


def publishable(years: int, today: date) -> range:
    """The newest `years` calendar years that are over for longer than the embargo."""
    newest = (today - EMBARGO).year - 1
    return range(newest - years + 1, newest + 1)


@contextmanager
def _federation(folder: Path) -> Iterator[Demonstration]:
    """A demonstration that is stopped whatever happens; until then, SIGTERM and SIGHUP act as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, _interrupt)
    columns = (SpinnerColumn(), TextColumn("{task.description:<32}"), BarColumn(), MofNCompleteColumn())
    progress = Progress(*columns, TimeElapsedColumn(), console=console)
    with tempfile.TemporaryDirectory(prefix="leadline-") as sockets:
        demonstration = Demonstration(folder, Path(sockets), progress)
        try:
            yield demonstration
        finally:
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
                signal.signal(number, signal.SIG_IGN)
            demonstration.stop()


def _interrupt(_number: int, _frame: object) -> NoReturn:
    raise KeyboardInterrupt


def _show(outcome: Outcome, folder: Path) -> None:
    console.print(outcome.table())
    console.print(outcome.summary())
    console.print(f"Publication: {folder / 'publication'}\nTruth: {folder / 'truth.csv'}", soft_wrap=True)


def _serve(demonstration: Demonstration) -> None:
    console.print(f"Pages: {demonstration.coordinator.address} (Ctrl-C ends everything)")
    with suppress(KeyboardInterrupt):
        while True:
            demonstration.require_running()
            time.sleep(LOOK_S)


if __name__ == "__main__":
    typer.run(main)
