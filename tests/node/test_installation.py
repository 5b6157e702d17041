"""The daemon installs and runs with the extra `node` alone: no Flower, no web server, no database toolkit."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from importlib.metadata import distribution, packages_distributions
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
DIRECT = 13


def _requirements(name: str, extra: str = "") -> list[Requirement]:
    found = [Requirement(text) for text in distribution(name).requires or []]
    return [r for r in found if r.marker is None or r.marker.evaluate({"extra": extra})]


def _direct() -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    return [Requirement(text) for text in project["optional-dependencies"]["node"]]


def _closure() -> set[str]:
    waiting, seen = [(r.name, e) for r in _direct() for e in ({""} | r.extras)], set[str]()
    while waiting:
        name, extra = waiting.pop()
        if (key := canonicalize_name(name)) not in seen:
            seen.add(key)
            waiting += [(r.name, e) for r in _requirements(name, extra) for e in ({""} | r.extras)]
    return seen


def test_the_node_has_thirteen_direct_dependencies_and_no_flower() -> None:
    assert len(_direct()) == DIRECT
    assert not _closure() & {"flwr", "fastapi", "uvicorn", "sqlalchemy", "scipy", "jinja2"}


BLOCKED = """
import sys
class Blocked:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in set(sys.argv[1].split(",")):
            raise ModuleNotFoundError(f"{name} is not part of the node's installation", name=name)
sys.meta_path.insert(0, Blocked())
from pathlib import Path
from node.cli import app
import node.service.__main__, node.worker
from node.config import load_config
folder = Path(sys.argv[2])
app(["synthetic", "--out", str(folder / "world"), "--sites", "1", "--years", "1"], standalone_mode=False)
exports, config = folder / "world" / "sites" / "site-01" / "exports", str(folder / "n" / "node.toml")
init = ["init", "--dir", str(folder / "n"), "--site-id", "site-01", "--exports", str(exports)]
for command in (init, ["quality", "--config", config], ["status", "--config", config]):
    assert app(command, standalone_mode=False) in (0, None), command
assert app(["preflight", "--offline", "--config", config], standalone_mode=False) == 1, "no approval yet"
print("ran")
"""


def test_the_node_runs_with_everything_else_missing(tmp_path: Path) -> None:
    allowed = _closure() | {"leadline", "pip", "setuptools"}
    others = {
        m for m, owners in packages_distributions().items() if not {canonicalize_name(o) for o in owners} & allowed
    }
    ran = subprocess.run(
        [sys.executable, "-c", BLOCKED, ",".join(sorted(others)), str(tmp_path)],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert ran.stdout.endswith("ran\n"), ran.stdout + ran.stderr
