"""The pages keep up with the program: every command, setting, measure, refusal, status and link is there."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel

import coordinator.config
import node.config
from node.tables.rules import RULES
from node.tables.schema import TABLES
from protocols.catalogue import current_catalogue
from protocols.publication.rows import Status
from protocols.refusals import Code
from tools.generate import ROOT
from tools.pages import pages

PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]


def _text(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def _settings(model: type[BaseModel], prefix: str = "") -> Iterator[str]:
    for name, field in model.model_fields.items():
        kinds = [field.annotation, *getattr(field.annotation, "__args__", ())]
        section = next((k for k in kinds if isinstance(k, type) and issubclass(k, BaseModel)), None)
        if section is None:
            yield prefix + name
        else:
            yield from _settings(section, f"{prefix}{name}.")


@pytest.mark.parametrize("name", [name for name, _ in pages()])
def test_generated_pages_are_current(name: str) -> None:
    assert (ROOT / name).read_text(encoding="utf-8") == dict(pages())[name], "run `make docs`"


@pytest.mark.parametrize("setting", list(_settings(node.config.NodeConfig)))
def test_every_setting_of_the_node_is_described(setting: str) -> None:
    assert f"`{setting}`" in _text("hospital-it.md")


@pytest.mark.parametrize("setting", list(_settings(coordinator.config.Config)))
def test_every_setting_of_the_coordinator_is_described(setting: str) -> None:
    assert f"`{setting}`" in _text("pso.md")


@pytest.mark.parametrize("status", list(Status))
def test_every_status_is_explained_to_leaders(status: Status) -> None:
    assert f"| `{status.value}` |" in _text("leaders.md")


@pytest.mark.parametrize("code", list(Code))
def test_every_refusal_is_listed(code: Code) -> None:
    assert f"| `{code.value}` |" in _text("refusals.md")


@pytest.mark.parametrize("measure", [measure.id for measure in current_catalogue()[0].measures])
def test_every_measure_has_its_entry(measure: str) -> None:
    assert re.search(rf"^### {measure} ", _text("measures.md"), re.MULTILINE)


@pytest.mark.parametrize("command", re.findall(r"^### (leadline-.*)$", _text("commands.md"), re.MULTILINE))
def test_every_command_is_introduced_on_the_page_of_its_user(command: str) -> None:
    page = "hospital-it.md" if command.startswith("leadline-node") else "pso.md"
    assert command in _text(page)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_links_between_pages_lead_somewhere(page: Path) -> None:
    for target in re.findall(r"\]\((?!https?://)([^)#]+)", page.read_text(encoding="utf-8")):
        assert (page.parent / target).exists(), target


def test_the_security_page_names_tests_that_exist() -> None:
    for path in re.findall(r"`([a-z_/]+(?:\.py)?)(?:::(\w+))?`", _text("security.md").partition("## Trust")[0]):
        name, function = path
        if name.startswith(("node/", "coordinator/", "privacy/", "protocols/", "flower/")):
            found = [ROOT / "tests" / name, ROOT / name]
            assert any(place.exists() for place in found), name
            if function:
                assert f"def {function}" in found[0].read_text(encoding="utf-8")


def test_every_table_and_rule_of_the_import_is_listed() -> None:
    for table in TABLES.values():
        assert f"## {table.name}\n" in _text("tables.md")
    for rule in RULES:
        assert f"| `{rule}` |" in _text("import-rules.md")
