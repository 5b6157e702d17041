"""A site's profile: what is refused, and that the attributes are those of the public code list and of the guide."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from protocols.operator.errors import InputError
from protocols.profile import PEER_ATTRIBUTES, parse_profile

PROFILE = """\
type = "acute_general"
bed_band = "200-299"
teaching = "minor"
ownership = "nonprofit"
setting = "urban_metro"
programme_model = "local_peer"
programme_age = "1-3y"
"""
EMS_PROFILE = PROFILE.replace('"acute_general"', '"ems_agency"').replace('"200-299"', '"none"')


def parsed(folder: Path, text: str) -> dict[str, str]:
    path = folder / "profile.toml"
    path.write_text(text)
    return parse_profile(path)


def test_an_ems_agency_has_no_beds_and_nobody_else_has_none(tmp_path: Path) -> None:
    assert parsed(tmp_path, EMS_PROFILE)["bed_band"] == "none"
    for profile in (EMS_PROFILE.replace("none", "6-24", 1), PROFILE.replace("200-299", "none")):
        with pytest.raises(InputError, match="bed_band"):
            parsed(tmp_path, profile)


@pytest.mark.parametrize(
    ("profile", "words"),
    [
        (PROFILE + 'beds = "250"\n', "unknown key beds"),
        (PROFILE.replace('"minor"', '"some"'), "teaching in .* is 'some'"),
        (PROFILE.replace('teaching = "minor"\n', ""), "teaching in .* is missing"),
        (PROFILE.replace('"minor"', "3"), "teaching in .* is 3"),
        (PROFILE.replace('"minor"', '["minor"]'), "teaching in"),
        ("type = ", "cannot read"),
    ],
)
def test_a_profile_that_is_wrong_is_refused_naming_what_is_allowed(tmp_path: Path, profile: str, words: str) -> None:
    with pytest.raises(InputError, match=words) as caught:
        parsed(tmp_path, profile)
    assert "cannot read" in words or "allowed are:" in caught.value.hint


def test_every_allowed_value_is_accepted(tmp_path: Path) -> None:
    for name, allowed in PEER_ATTRIBUTES.items():
        for value in set(allowed) - {"none", "ems_agency"}:
            lines = [line for line in PROFILE.splitlines() if not line.startswith(f"{name} ")]
            assert parsed(tmp_path, "\n".join([*lines, f'{name} = "{value}"']))[name] == value


def test_the_profile_of_the_guides_is_valid(tmp_path: Path) -> None:
    guide = (Path(__file__).parents[2] / "docs" / "hospital-it.md").read_text(encoding="utf-8")
    (example,) = [text for text in re.findall(r"```toml\n(.*?)```", guide, re.DOTALL) if "bed_band" in text]
    assert set(parsed(tmp_path, example)) == set(PEER_ATTRIBUTES)
    for name, allowed in PEER_ATTRIBUTES.items():
        assert f"| `{name}` | {', '.join(f'`{value}`' for value in allowed)} |" in guide
