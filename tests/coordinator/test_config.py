"""The configuration: the sample that `init` writes, unknown keys, and values that cannot be right."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from coordinator.config import Config, load_config
from coordinator.installation import SAMPLE
from protocols.operator.errors import ExitCode, InputError


def written(folder: Path, text: str) -> Path:
    path = folder / "coordinator.toml"
    path.write_text(text)
    return path


def test_the_sample_shows_the_defaults_and_every_key(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, SAMPLE))
    assert config.model_copy(update={"paths": Config().paths}) == Config()
    for name, section in Config.model_fields.items():
        assert name in SAMPLE
        value = getattr(Config(), name)
        for key in getattr(type(value), "model_fields", {}):
            shown = "\n# " if getattr(value, key) is None else "\n"  # what has no default is shown as a comment
            assert f"{shown}{key} = " in SAMPLE, f"{name}.{key} is not in the sample"
        assert section.is_required() is False


def test_paths_start_at_the_file(tmp_path: Path) -> None:
    config = load_config(written(tmp_path, '[paths]\ndatabase = "x/y.db"\nprivate_key = "/k"\n'))
    assert config.paths.database == tmp_path / "x/y.db"
    assert config.paths.private_key == Path("/k")
    assert config.paths.broker_socket == tmp_path / "run/broker.sock"


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("budgets = 3", "budgets"),
        ("[rounds]\ndeadline = 3", "rounds.deadline"),
        ("[gate]\nminimum = 3", "gate.minimum"),
        ("[pump]\ncommand = ['x']\nshell = true", "pump.shell"),
    ],
)
def test_an_unknown_key_is_refused_by_name_and_file(tmp_path: Path, text: str, key: str) -> None:
    path = written(tmp_path, text)
    with pytest.raises(InputError) as caught:
        load_config(path)
    assert caught.value.error_code == "config_unknown_key"
    assert caught.value.exit_code is ExitCode.USAGE
    assert key in caught.value.message
    assert str(path) in caught.value.message


@pytest.mark.parametrize(
    ("text", "key"),
    [
        ("[budget]\nclinician_epsilon = 3", "budget.clinician_epsilon"),
        ("[budget]\nclinician_epsilon = 3.0", "budget.clinician_epsilon"),
        ('[budget]\nrecord_epsilon = "three"', "budget.record_epsilon"),
        ('[budget]\nrecord_epsilon = "0"', "budget.record_epsilon"),
        ('[budget]\nrecord_epsilon = "NaN"', "budget.record_epsilon"),
        ('[budget]\ntrend_share = "1"', "budget.trend_share"),
        ("[rounds]\nminimum_sites = 0", "rounds.minimum_sites"),
        ('[web]\nhost = "0.0.0.0"', "web"),
        ("[pump]\ncommand = []", "pump.command"),
    ],
)
def test_a_value_that_cannot_be_right_is_refused_by_key(tmp_path: Path, text: str, key: str) -> None:
    with pytest.raises(InputError) as caught:
        load_config(written(tmp_path, text))
    assert key in caught.value.message


def test_budgets_are_exact(tmp_path: Path) -> None:
    budget = load_config(written(tmp_path, '[budget]\ntrend_share = "0.1"')).budget
    assert budget.trend_share == Decimal("0.1")


@pytest.mark.parametrize("text", ["[", "\x00"])
def test_what_is_no_toml_is_refused(tmp_path: Path, text: str) -> None:
    with pytest.raises(InputError):
        load_config(written(tmp_path, text))
    with pytest.raises(InputError):
        load_config(tmp_path / "absent.toml")
