"""Every function is built from its environment alone, and its settings are exactly what it is given."""

import importlib
from dataclasses import fields
from types import ModuleType
from typing import Any

import pytest

from bellwether.adapters.composition import Composition
from bellwether.adapters.memory import MemorySecrets
from bellwether.handlers import health, stream
from bellwether.handlers.api_function import Composed
from bellwether.handlers.settings import FunctionSettings, MissingSetting, read_settings
from tests.unit.handlers.events import Context, rest_event

FUNCTIONS = (
    "authorizer", "ingest", "signal_worker", "score", "propose", "check_risk", "decide", "evaluate",
    "summarise",
    "stream", "health", "metrics", "socket", "broadcast", "project_ledger", "fetch_social", "fetch_news",
    "fetch_prices",
    "clean_up", "back_up", "roll_signal_tables", "recover", "comply", "sign_in", "rotate_client_key",
)  # fmt: skip


def module_of(function: str) -> ModuleType:
    return importlib.import_module(f"bellwether.handlers.{function}")


def environment(settings: type[FunctionSettings]) -> dict[str, str]:
    """A value for each variable, of the right shape where the shape matters."""
    told = {field.name.upper(): f"value-of-{field.name}" for field in fields(settings)}
    shaped = {
        "SOCKET_ENDPOINT": "https://w1x2y3z4.execute-api.eu-central-2.amazonaws.com/test",
        "DELETION_PROTECTION": "true",
        "TABLE_READ_LIMIT": "4000",
        "TABLE_WRITE_LIMIT": "2000",
        "PROVIDER_TERMS": "{}",
        "LAKE_COPY_ARN": "arn:aws:s3:::copy",
        "LAKE_COPY_REGION": "eu-central-1",
        "PASSWORD_DAYS": "180",
        "JWKS_URL": "https://pool.example/.well-known/jwks.json",
    }
    return told | {name: value for name, value in shaped.items() if name in told}


@pytest.fixture(autouse=True)
def services(monkeypatch: pytest.MonkeyPatch) -> None:
    """Names and credentials to make clients with, and secrets that need no service."""
    for name, value in {
        "AWS_DEFAULT_REGION": "eu-central-2",
        "AWS_ACCESS_KEY_ID": "test",
        "AWS_SECRET_ACCESS_KEY": "test",
    }.items():
        monkeypatch.setenv(name, value)
    secrets = MemorySecrets(
        {"value-of-author_salt_secret_arn": "salt", "value-of-providers_secret_arn": '{"user_agent": "me/1"}'}
    )
    monkeypatch.setattr(Composition, "secrets", lambda _self: secrets)


@pytest.mark.req("C2")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_is_built_from_its_settings(function: str) -> None:
    module = module_of(function)
    assert callable(module.handler)
    settings = read_settings(module.Settings, environment(module.Settings))
    parts = module.compose(settings)
    assert {field.name for field in fields(parts)}


@pytest.mark.req("C2")
@pytest.mark.parametrize("function", FUNCTIONS)
def test_each_missing_variable_is_named(function: str) -> None:
    settings = module_of(function).Settings
    for name in environment(settings):
        given = {key: value for key, value in environment(settings).items() if key != name}
        with pytest.raises(MissingSetting, match=name):
            read_settings(settings, given)


@pytest.mark.req("C1", "C2")
def test_in_the_runtime_a_function_is_ready_before_its_first_call(monkeypatch: pytest.MonkeyPatch) -> None:
    built: list[str] = []

    def compose(settings: stream.Settings) -> str:
        built.append(settings.events_table)
        return "parts"

    Composed(stream.Settings, compose)
    assert built == []
    monkeypatch.setenv("AWS_LAMBDA_RUNTIME_API", "127.0.0.1:9001")
    with pytest.raises(MissingSetting, match="EVENTS_TABLE"):
        Composed(stream.Settings, compose)
    for name, value in environment(stream.Settings).items():
        monkeypatch.setenv(name, value)
    assert Composed(stream.Settings, compose).parts == "parts"
    assert built == ["value-of-events_table"]


@pytest.mark.req("A11")
def test_health_looks_at_every_part_it_is_given(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = health.compose(read_settings(health.Settings, environment(health.Settings)))
    assert set(parts.probes) == {
        "events", "proposals", "signals", "lake", "ledger", "ingest_queue", "ingest_dead_letters",
        "decisions_dead_letters",
    }  # fmt: skip
    asked: list[Any] = []

    def probe_table(_client: Any, name: str) -> str:
        asked.append(name)
        return "ACTIVE"

    monkeypatch.setattr("bellwether.adapters.aws.probes.probe_table", probe_table)
    probe_bucket = "bellwether.adapters.aws.probes.probe_bucket"
    monkeypatch.setattr(probe_bucket, lambda _client, name: asked.append(name))
    for name in ("events", "signals", "lake", "ledger"):
        parts.probes[name]()
    assert asked[0] == "value-of-events_table"
    assert str(asked[1]).startswith("value-of-signals_table_prefix20")
    assert asked[2:] == ["value-of-lake_bucket", "value-of-ledger_bucket"]


@pytest.mark.req("U3")
def test_the_authorizer_reads_its_secret_only_for_an_api_key(monkeypatch: pytest.MonkeyPatch) -> None:
    module = module_of("authorizer")
    parts = module.compose(read_settings(module.Settings, environment(module.Settings)))
    monkeypatch.setattr(
        Composition, "secrets", lambda _self: MemorySecrets({"value-of-api_clients_secret_arn": "{}"})
    )
    event = rest_event("POST", "/ingest/news", headers={"x-api-key": "wrong"}) | {
        "methodArn": "arn:aws:execute-api:eu-central-2:1:api/test/POST/v1/ingest/news"
    }
    with pytest.raises(module.Unauthorized):
        module.handler.serve(event, Context(), parts)
