"""What an export's headers and words can do to the file that is written: nothing."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from node.proposals import look_at, propose, to_toml

HOSTILE = (
    'Severity\n[[source]]\ntable = "unit"',
    "Severity\u2028x = 1",
    "Severity\u202egnp",
    "Severity\x1b[31m",
    "Severity\u0085y = 2",
)


@pytest.mark.parametrize("header", HOSTILE)
def test_a_header_or_a_word_writes_no_line_of_its_own(tmp_path: Path, header: str) -> None:
    rows = [f'E{n},2025-03-0{n % 9 + 1},fall,"{"Low" if n % 2 else header}"' for n in range(40)]
    (tmp_path / "incidents.csv").write_text(
        f'Ref,Event date,Event type,"{header}"\n' + "\n".join(rows), encoding="utf-8"
    )
    text = to_toml(propose(look_at(tmp_path)))
    sources = tomllib.loads(text).get("source", [])
    assert {source["file"] for source in sources} <= {"incidents.csv"}
    for line in text.splitlines():
        assert line.isprintable(), line.encode()
        assert (
            line.startswith(("#", "[", "version", "table", "file", "where", "date_order", "explode"))
            or " = " in line
            or not line
        )


def test_long_words_without_a_code_are_not_written_down(tmp_path: Path) -> None:
    told = "John Smith seen in clinic on 4 March with chest pain"
    words = ["Low", "Moderate", "Severe", told]
    rows = [f"E{n},2025-03-0{n % 9 + 1},fall,{words[n % 4]},incident" for n in range(40)]
    (tmp_path / "incidents.csv").write_text("Ref,Event date,Event type,Severity,Class\n" + "\n".join(rows))
    assert "John Smith" not in to_toml(propose(look_at(tmp_path)))
