"""A small site for tests: exports as text, a mapping, and the import over them."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from node.tables.importer import Imported, import_exports
from node.tables.keys import KeyHasher
from node.tables.mapping import load_mapping

TODAY = date(2025, 6, 10)
HASHER = KeyHasher(b"a secret of thirty-two bytes ...")

EVENT_HEADER = "Ref,Date,Reported,Class,Type,Harm,State,Changed"
EVENTS = """
[[source]]
table = "safety_event"
file = "events*.csv"
[source.columns]
event_key = "Ref"
event_date = "Date"
reported_date = "Reported"
event_class = "Class"
event_type = "Type"
harm = "Harm"
harm_source_scale = { constant = "nrls" }
source_system = { constant = "test" }
status = "State"
modified_date = "Changed"
"""

ENCOUNTER_HEADER = "Id,Call,Staff,When,Mode,Tier,Who,Minutes,Group"
ENCOUNTERS = """
[[source]]
table = "support_encounter"
file = "encounters*.csv"
[source.columns]
encounter_key = "Id"
activation_key = "Call"
person_key = "Staff"
encounter_date = "When"
mode = "Mode"
tier = "Tier"
support_resource = "Who"
minutes = "Minutes"
persons_in_group = "Group"
"""

ACTIVATION_HEADER = "Call,Ref,When,Source,Reason,Role"
ACTIVATIONS = """
[[source]]
table = "support_activation"
file = "calls*.csv"
[source.columns]
activation_key = "Call"
event_key = "Ref"
activation_datetime = "When"
referral_source = "Source"
event_reason = "Reason"
role_group = "Role"
"""

STAFFING_HEADER = "Month,Title,Heads,FTE"
STAFFING = """
[[source]]
table = "staffing_period"
file = "staffing*.csv"
[source.columns]
period = "Month"
role_group = "Title"
headcount = "Heads"
fte = "FTE"
"""


def run(folder: Path, mapping: str, files: Mapping[str, str | bytes], today: date = TODAY) -> Imported:
    """Write the files and the mapping (without its version line) and import them."""
    for name, content in files.items():
        (folder / name).write_bytes(content if isinstance(content, bytes) else content.encode())
    path = folder / "mapping.toml"
    path.write_text("version = 1\n" + mapping, encoding="utf-8")
    return import_exports(folder, load_mapping(path), HASHER, today)


def event_row(number: int, **changes: str) -> str:
    """A sound row of the event export; `changes` by column name in lower case."""
    cells = {
        "ref": f"E{number}",
        "date": f"2025-03-{number % 28 + 1:02d} 10:{number % 50 + 5:02d}",
        "reported": "2025-04-01",
        "class": "incident",
        "type": "fall",
        "harm": "Low",
        "state": "closed",
        "changed": "2025-04-02 09:30",
    }
    return ",".join({**cells, **changes}.values())


def encounter_row(number: int, **changes: str) -> str:
    """A sound row of the encounter export."""
    cells = {
        "id": f"N{number}",
        "call": f"C{number}",
        "staff": f"{1000 + number}",
        "when": f"2025-03-{number % 28 + 1:02d} 09:{number % 50 + 5:02d}",
        "mode": "phone",
        "tier": "2",
        "who": "peer",
        "minutes": "30",
        "group": "",
    }
    return ",".join({**cells, **changes}.values())


def csv(header: str, rows: list[str]) -> str:
    """A comma separated file."""
    return "\n".join([header, *rows]) + "\n"


def causes(imported: Imported) -> dict[str, list[int]]:
    """Rule -> row numbers (as a spreadsheet counts them), over all files; flags with no rows."""
    found: dict[str, list[int]] = {flag.rule: [] for flag in imported.quality.flags}
    for file in imported.quality.files:
        for finding in (*file.repairs, *file.quarantined, *file.dropped):
            found.setdefault(finding.rule, []).extend(finding.rows)
    return found
