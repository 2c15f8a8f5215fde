"""The running desk against its own description: whatever is sent, by whomever, only what is described comes.

Requests are made from `docs/openapi.json` (Schemathesis), fitting it and not, for every route as every role,
as a machine with an API key and as nobody.
"""

from collections.abc import Callable, Mapping
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from schemathesis import GenerationMode
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from infrastructure.routes import ROUTES, Route
from tests.desk.conftest import Desk, description
from tests.desk.processes import give_machine_key

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
PEOPLE = ("viewer", "analyst", "approver", "admin")
CALLERS = (*PEOPLE, "machine", "nobody")
TRIES = 10
"""Requests of each kind by each caller who may use the route; one by each who may not."""
KINDS = [
    (row, mode)
    for row in ROUTES
    for mode in GenerationMode
    # nothing can be wrong about a request without parts
    if mode.is_positive or row.request or row.function == "stream"
]

Headers = Mapping[str, str]


@pytest.fixture(scope="module")
def credentials(desk: Desk) -> dict[str, Headers]:
    """What each caller sends to say who it is."""
    tokens = {role: {"Authorization": f"Bearer {desk.token(role)}"} for role in PEOPLE}
    return {**tokens, "machine": {"X-Api-Key": give_machine_key(desk, "prober")}, "nobody": {}}


def may(caller: str, operation: Mapping[str, Any]) -> bool:
    return not operation["security"] or caller in operation.get("x-roles", ())


@pytest.mark.req("A1", "U2", "U3")
@pytest.mark.parametrize(
    ("row", "mode"), KINDS, ids=[f"{row.method} {row.path} {mode.value}" for row, mode in KINDS]
)
def test_only_what_is_described_comes_back(
    desk: Desk, credentials: dict[str, Headers], row: Route, mode: GenerationMode
) -> None:
    operation = description()[row.path][row.method]
    assert isinstance(operation, schemathesis.APIOperation)
    seen: dict[str, set[int]] = {caller: set() for caller in CALLERS}

    def call(caller: str) -> Callable[[Any], None]:
        def one(case: Any) -> None:
            response = case.call(base_url=desk.api_url, headers=dict(credentials[caller]), timeout=60)
            case.validate_response(response, checks=CHECKS)
            seen[caller].add(response.status_code)

        return one

    for caller in CALLERS:
        allowed = may(caller, operation.definition.raw)
        trying = settings(
            max_examples=TRIES if allowed else 1,
            deadline=None,
            database=None,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        trying(given(case=operation.as_strategy(generation_mode=mode))(call(caller)))()
        refused = {401, 429} if caller == "nobody" else {403, 429}
        assert allowed or seen[caller] <= refused, f"{caller}: {seen[caller]}"
    print(row.path, mode.value, seen)
