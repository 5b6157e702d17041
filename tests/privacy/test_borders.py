"""What no file of the tree may do: reach OpenDP by another door, or give noise a seed."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGES = ("privacy", "protocols", "node", "coordinator")
SEEDING_WORDS = {"seed", "rng", "random_state", "randomstate", "generator", "prng", "noise_key"}
RANDOM_MODULES = {"random", "numpy.random", "scipy.stats"}


def sources(*packages: str) -> Iterator[tuple[str, ast.Module]]:
    for package in packages:
        for path in sorted((ROOT / package).rglob("*.py")):
            yield path.relative_to(ROOT).as_posix(), ast.parse(path.read_text(encoding="utf-8"))


def imported(tree: ast.Module) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names |= {node.module} | {f"{node.module}.{alias.name}" for alias in node.names}
        elif isinstance(node, ast.Call) and getattr(node.func, "attr", getattr(node.func, "id", "")) in (
            "import_module",
            "__import__",
        ):
            names |= {arg.value for arg in node.args if isinstance(arg, ast.Constant) and isinstance(arg.value, str)}
    return names


def reaches_opendp(tree: ast.Module) -> bool:
    return any(name.split(".")[0] == "opendp" for name in imported(tree))


def seeding_parameters(tree: ast.Module) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            arguments = [*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs]
            found |= {arg.arg for arg in arguments}
        elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            found.add(node.target.id)
        elif isinstance(node, ast.keyword) and node.arg:
            found.add(node.arg)
    return {name for name in found if SEEDING_WORDS & {name.lower(), *name.lower().split("_")}}


def other_randomness(tree: ast.Module) -> set[str]:
    found = {name for name in imported(tree) if name in RANDOM_MODULES}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in ("np", "numpy"):
            found |= {"numpy.random"} if node.attr == "random" else set()
    return found


def test_one_module_alone_imports_opendp() -> None:
    doors = {name for name, tree in sources(*PACKAGES) if reaches_opendp(tree)}
    assert doors == {"privacy/mechanisms.py"}


SYNTHETIC = ("node/synthetic/", "node/commands/synthetic.py")
"""May seed a made-up network: it holds no real row and draws no protective noise."""


def test_nothing_that_draws_or_releases_can_be_seeded() -> None:
    for name, tree in sources("privacy", "protocols", "node"):
        if not name.startswith(SYNTHETIC):
            assert not seeding_parameters(tree), name
            assert not other_randomness(tree), name


@pytest.mark.parametrize(
    "code",
    [
        "def noisy(counts, *, noise_seed=None): ...",
        "def noisy(counts, rng): ...",
        "class Settings:\n    seed: int = 0",
        "draw(counts, seed=7)",
    ],
)
def test_the_search_finds_seeds(code: str) -> None:
    assert seeding_parameters(ast.parse(code))


@pytest.mark.parametrize(
    "code", ["import random", "from numpy.random import default_rng", "np.random.default_rng()", "import numpy.random"]
)
def test_the_search_finds_other_randomness(code: str) -> None:
    assert other_randomness(ast.parse(code))


@pytest.mark.parametrize(
    "code", ["import opendp.prelude as dp", "from opendp import measurements", "importlib.import_module('opendp')"]
)
def test_the_search_finds_other_doors(code: str) -> None:
    assert reaches_opendp(ast.parse(code))
