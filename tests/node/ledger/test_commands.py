"""`ledger`, `receipts` and `preview` as an operator runs them: text, JSON, exit codes, files."""

from __future__ import annotations

import json
import sqlite3
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from node.cli import app
from node.explain import explain
from protocols.keys import public_pem, write_private
from protocols.operator.console import run
from protocols.statement import key_id, seal_statement
from tests.node.ledger.story import Story

Run = Callable[..., tuple[int, str]]


@pytest.fixture
def story(tmp_path: Path) -> Story:
    story = Story(tmp_path)
    folder = story.node.folder
    (folder / "node.toml").write_text('[site]\nid = "site-a"\n[paths]\nexports = "exports"\nmapping = "mapping.toml"\n')
    write_private(folder / "keys" / "person.key", bytes(32))
    (folder / "keys" / "site.pub").write_text(public_pem(story.node.key.public_key()))
    return story


@pytest.fixture
def command(story: Story, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Run a command of the story's site; its exit code, and what it printed."""

    def ran(*words: str | Path) -> tuple[int, str]:
        monkeypatch.setattr(sys, "argv", ["leadline-node", *map(str, words)])
        code = run(app, "leadline-node", explain, show_fault=True)
        printed = capsys.readouterr()
        return code, printed.out + printed.err

    return ran


def _config(story: Story) -> tuple[str, str]:
    return "--config", str(story.node.folder / "node.toml")


def _json(result: tuple[int, str]) -> dict[str, Any]:
    answer = json.loads(result[1])
    assert answer["exit_code"] == result[0]
    return dict(answer["data"])


def test_an_auditor_gets_a_copy_and_verifies_it(story: Story, command: Run, tmp_path: Path) -> None:
    story.ask(0, 1)
    copy, key = tmp_path / "copy", story.node.folder / "keys" / "site.pub"
    assert command("ledger", "export", "--out", copy, *_config(story))[0] == 0
    found = _json(command("ledger", "verify", copy, "--key", key, "--format", "json"))
    assert (found["entries"], found["key_id"]) == (4, key_id(story.node.key.public_key()))
    (tmp_path / "other.pub").write_text(public_pem(story.pso.key.public_key()))
    code, words = command("ledger", "verify", copy, "--key", tmp_path / "other.pub")
    assert code == 2
    assert "the ledger was opened with key" in words
    code, words = command("ledger", "export", "--out", copy, *_config(story))
    assert (code, f"{copy} exists" in words) == (4, True)
    code, words = command("ledger", "verify", tmp_path / "nothere", "--key", key)
    assert (code, "there is no ledger" in words) == (4, True)


def test_a_copy_that_was_cut_short_is_found_by_the_head_that_others_have_seen(
    story: Story, command: Run, tmp_path: Path
) -> None:
    story.ask(0, 1)
    whole, cut, key = tmp_path / "whole", tmp_path / "cut", story.node.folder / "keys" / "site.pub"
    for copy in (whole, cut):
        command("ledger", "export", "--out", copy, *_config(story))
    with sqlite3.connect(cut) as db:
        db.execute("delete from entry where number = (select max(number) from entry)")
    db.close()
    assert "--head HASH" in command("ledger", "verify", cut, "--key", key)[1]
    head = story.node.ledger.head().hash.hex()
    code, words = command("ledger", "verify", whole, "--key", key, "--head", head)
    assert (code, "at entry 4" in words) == (0, True)
    code, words = command("ledger", "verify", cut, "--key", key, "--head", head)
    assert (code, "holds no entry" in words) == (1, True)


def test_the_ledger_is_shown_entry_by_entry(story: Story, command: Run) -> None:
    story.ask(0, 1)
    shown = command("ledger", "show", *_config(story))[1].splitlines()
    assert [line.split()[2] for line in shown] == ["opened", "reserved", "sealed", "sent"]


def test_receipts_are_listed_and_shown(story: Story, command: Run) -> None:
    assert "Nothing has left" in command("receipts", *_config(story))[1]
    story.ask(0, 1)
    (listed,) = _json(command("receipts", *_config(story), "--format", "json"))["receipts"]
    code, words = command("receipts", "show", str(listed["number"]), *_config(story))
    assert code == 0
    assert listed["digest"] in words
    assert command("receipts", "show", "9", *_config(story))[0] == 4


def test_a_preview_writes_the_bytes_and_leaves_the_ledger_as_it_was(story: Story, command: Run, tmp_path: Path) -> None:
    before = story.node.ledger.head()
    out = tmp_path / "release"
    made = _json(command("preview", "--out", out, *_config(story), "--format", "json"))
    assert out.read_bytes().hex() == made["hex"]
    assert story.node.ledger.head() == before
    assert command("preview", "--out", out, *_config(story))[0] == 4


def _statement(story: Story, path: Path, **changes: object) -> Path:
    path.write_bytes(seal_statement(story.statement(**changes), story.pso.key))
    return path


def test_a_restored_ledger_is_reconciled_after_a_word_of_explanation(
    story: Story, command: Run, tmp_path: Path
) -> None:
    story.ask(0, 1)
    story.restore(0)
    file = _statement(story, tmp_path / "statement")
    code, words = command("ledger", "reconcile", file, *_config(story))
    assert code == 4
    assert "--yes" in words
    assert story.node.ledger.head().length == 1, "nothing without a yes"
    code, words = command("ledger", "reconcile", file, "--yes", *_config(story))
    assert code == 0
    assert "2025-Q1 of plan first" in words
    assert "What was spent stays spent" in words
    assert story.spent(2025)["clinician"] == 30_000_000
    again = _json(command("ledger", "reconcile", file, *_config(story), "--format", "json"))
    assert again["changed"] is False


def test_a_statement_of_another_signer_or_one_that_was_changed_is_refused(
    story: Story, command: Run, tmp_path: Path
) -> None:
    story.ask(0, 1)
    story.restore(0)
    file = tmp_path / "statement"
    file.write_bytes(seal_statement(story.statement(), story.node.key))
    assert command("ledger", "reconcile", file, "--yes", *_config(story))[0] == 1
    changed = bytearray(_statement(story, file).read_bytes())
    changed[-1] ^= 1
    file.write_bytes(changed)
    assert "bad_signature" in command("ledger", "reconcile", file, "--yes", *_config(story))[1]
    assert story.node.ledger.head().length == 1


def test_a_statement_from_before_the_newest_head_that_the_pso_named_is_refused(
    story: Story, command: Run, tmp_path: Path
) -> None:
    story.ask(0, 1)
    file = _statement(story, tmp_path / "old")
    story.ask(0, 2)
    length, head = story.head()
    story.restore(0)
    story.node.journal.name_head(length, head)
    code, words = command("ledger", "reconcile", file, "--yes", *_config(story))
    assert code == 1
    assert f"has since seen entry {length}" in words
