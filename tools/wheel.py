"""Build the wheel and fail unless it holds exactly the packages it should, data files included."""

from __future__ import annotations

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path

PACKAGES = {"node", "coordinator", "protocols", "privacy"}


def expected_files(root: Path) -> set[str]:
    """Every tracked file below the packages."""
    listed = subprocess.run(
        ["git", "ls-files", *sorted(PACKAGES)], cwd=root, check=True, capture_output=True, text=True
    ).stdout.split("\n")
    return {name for name in listed if name}


def built_files(root: Path) -> set[str]:
    """The names in a freshly built wheel, without its own metadata."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", folder]
        subprocess.run(command, cwd=root, check=True, capture_output=True)
        (wheel,) = Path(folder).glob("*.whl")
        with zipfile.ZipFile(wheel) as archive:
            names = archive.namelist()
    return {name for name in names if ".dist-info/" not in name}


def main() -> int:
    """0 if the wheel is right; otherwise prints what is missing or too much."""
    root = Path(__file__).resolve().parent.parent
    expected, built = expected_files(root), built_files(root)
    for name in sorted(expected - built):
        print(f"missing from the wheel: {name}")
    for name in sorted(built - expected):
        print(f"should not be in the wheel: {name}")
    return 0 if expected == built else 1


if __name__ == "__main__":
    sys.exit(main())
