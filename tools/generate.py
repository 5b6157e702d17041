"""Write what is generated: code from the protobuf sources, pages from the code. With --check, only compare."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("protocols/v1/leadline.proto", "protocols/v1/broker.proto")


def generated_code() -> Iterator[tuple[str, str]]:
    """Path and text of every module that protoc makes from the sources."""
    plugins = Path(sys.executable).parent
    with tempfile.TemporaryDirectory() as folder:
        outputs = [f"--{kind}_out={folder}" for kind in ("python", "grpc_python", "mypy", "mypy_grpc")]
        names = ("mypy", "mypy_grpc")
        found = [f"--plugin=protoc-gen-{name}={plugins / f'protoc-gen-{name}'}" for name in names]
        command = [sys.executable, "-m", "grpc_tools.protoc", "-I.", *outputs, *found, *SOURCES]
        subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
        for path in sorted(Path(folder).rglob("*.py*")):
            yield str(path.relative_to(folder)), path.read_text(encoding="utf-8")


def _generated() -> Iterator[tuple[str, str]]:
    """The code first: what the pages are made from imports it."""
    yield from generated_code()
    from tools.pages import pages  # noqa: PLC0415

    yield from pages()


def main() -> int:
    """0 if everything is current, or was written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--check", action="store_true", help="compare only; fail if anything is stale")
    only_check = parser.parse_args().check
    stale = 0
    for name, text in _generated():
        path = ROOT / name
        if path.is_file() and path.read_text(encoding="utf-8") == text:
            continue
        if only_check:
            print(f"{name} is stale; run `make protocols docs`")
            stale += 1
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")
            print(f"wrote {name}")
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main())
