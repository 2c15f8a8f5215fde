"""A function's environment is what its handler's settings read, no less and no more."""

from dataclasses import fields
from importlib import import_module

import pytest

from infrastructure.functions import FUNCTIONS
from tests.infrastructure.synthesis import Synthesis

OF_ALL = {"POWERTOOLS_SERVICE_NAME", "POWERTOOLS_METRICS_NAMESPACE", "POWERTOOLS_LOG_LEVEL"}


@pytest.mark.req("C2")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_environment_is_exactly_what_the_handler_reads(
    production: Synthesis, local: Synthesis, name: str
) -> None:
    settings = import_module(f"bellwether.handlers.{name}").Settings
    wanted = {field.name.upper() for field in fields(settings)} | OF_ALL
    for synthesis in (production, local):
        environment = synthesis.function(name).properties["Environment"]["Variables"]
        assert set(environment) == wanted
        assert environment["STAGE"] == synthesis.settings.name
        assert all(environment.values())


def test_only_the_addresses_of_services_differ_between_the_cloud_and_a_machine(
    production: Synthesis, local: Synthesis
) -> None:
    cloud = production.function("authorizer").properties["Environment"]["Variables"]
    here = local.function("authorizer").properties["Environment"]["Variables"]
    assert "https://cognito-idp.eu-central-2.amazonaws.com/" in str(cloud["JWKS_URL"])
    assert "http://127.0.0.1:4566/" in str(here["JWKS_URL"])
    assert "https://cognito-idp.eu-central-2.amazonaws.com/" in str(here["TOKEN_ISSUER"])
    sender = local.function("broadcast").properties["Environment"]["Variables"]["SOCKET_ENDPOINT"]
    assert "http://127.0.0.1:4566/_aws/execute-api/" in str(sender)
