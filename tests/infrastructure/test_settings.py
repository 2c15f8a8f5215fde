"""The table of stages."""

import pytest

from bellwether.cli import infrastructure as commands
from infrastructure.settings import ENGINE_LACKS, STAGES, Feature, settings_of


def test_stages_are_those_of_the_command_line() -> None:
    assert tuple(STAGES) == commands.STAGES


def test_whatever_is_off_for_local_has_its_reason_in_the_one_table() -> None:
    assert STAGES["local"].lacks is ENGINE_LACKS
    assert all(len(reason) > 20 for stage in STAGES.values() for reason in stage.lacks.values())


def test_production_has_everything() -> None:
    assert [feature for feature in Feature if not STAGES["production"].has(feature)] == []


def test_an_unknown_stage_is_refused_by_name() -> None:
    with pytest.raises(ValueError, match=r"no stage 'prod'; choose one of local, staging, production"):
        settings_of("prod")


def test_the_engines_address_is_for_local_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:9000/")
    assert settings_of("local").endpoint == "http://127.0.0.1:9000"
    assert settings_of("local", endpoint="http://127.0.0.1:9001").endpoint == "http://127.0.0.1:9001"
    assert settings_of("production", endpoint="http://127.0.0.1:9001").endpoint is None


def test_a_dashboard_elsewhere_can_be_let_in() -> None:
    assert settings_of("production").dashboard_origin is None
    named = settings_of("production", dashboard_origin="https://desk.example.org")
    assert named.dashboard_origin == "https://desk.example.org"
