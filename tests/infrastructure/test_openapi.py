"""The API's description: complete, current, and made of the types the functions really use."""

import dataclasses
import json
from importlib import import_module
from typing import Any, get_type_hints

import pytest

from bellwether.domain import rights
from infrastructure.gateway_models import gateway_schema, named_type
from infrastructure.openapi import DOCUMENT, document, text
from infrastructure.routes import JSON, ROUTES, Route
from tests.infrastructure.synthesis import Synthesis


@pytest.fixture(scope="module")
def described() -> dict[str, Any]:
    return document()


@pytest.mark.req("A1")
def test_the_document_that_is_kept_is_the_one_the_types_make() -> None:
    assert DOCUMENT.read_text() == text(), "stale: run `uv run python -m infrastructure.openapi`"


@pytest.mark.req("A1")
def test_every_route_is_described_with_its_roles_and_credentials(described: dict[str, Any]) -> None:
    told = {
        (verb.upper(), path): operation
        for path, operations in described["paths"].items()
        for verb, operation in operations.items()
    }
    assert set(told) == {(row.method, row.path) for row in ROUTES}
    for route, action in rights.ROUTES.items():
        holders = {role for role, held in rights.RIGHTS.items() if action in held}
        assert set(told[route]["x-roles"]) == holders
        assert ({"machine": []} in told[route]["security"]) == ("machine" in holders)
    assert told["GET", "/health"]["security"] == []


def references(value: Any) -> set[str]:
    if isinstance(value, dict):
        own = {value["$ref"]} if isinstance(value.get("$ref"), str) else set()
        return own.union(*(references(part) for part in value.values()))
    return set().union(*(references(part) for part in value)) if isinstance(value, list) else set()


@pytest.mark.req("A1")
def test_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    for reference in references(described):
        found: Any = described
        for part in reference.removeprefix("#/").split("/"):
            found = found[part]
        assert found


@pytest.mark.req("A1")
@pytest.mark.parametrize("row", [r for r in ROUTES if r.response], ids=lambda r: r.path)
def test_the_answer_described_is_the_one_the_use_case_returns(row: Route) -> None:
    """A handler encodes what the one use case among its parts returns; health has no use case."""
    module = import_module(f"bellwether.handlers.{row.function}")
    wanted = named_type(str(row.response))
    if row.function == "health":
        assert get_type_hints(module.examine)["return"] is wanted
        return
    hints = get_type_hints(module.Parts)
    use_cases = [hints[field.name] for field in dataclasses.fields(module.Parts)]
    calls = [vars(kind)["__call__"] for kind in use_cases if "__call__" in getattr(kind, "__dict__", {})]
    returned = [get_type_hints(call).get("return") for call in calls]
    assert wanted in returned


@pytest.mark.req("A1")
@pytest.mark.parametrize("row", [r for r in ROUTES if r.request], ids=lambda r: r.path)
def test_the_body_described_is_the_one_the_handler_decodes(row: Route) -> None:
    module = import_module(f"bellwether.handlers.{row.function}")
    assert named_type(str(row.request)) in vars(module).values()


@pytest.mark.req("A1")
def test_the_gateway_knows_every_answer_with_its_model(production: Synthesis) -> None:
    models = {m.logical_id: m.properties for m in production.of("AWS::ApiGateway::Model")}
    rows = {(row.method, row.path.rpartition("/")[2]): row for row in ROUTES}
    parts = {r.logical_id: r.properties for r in production.of("AWS::ApiGateway::Resource", "api")}
    methods = production.of("AWS::ApiGateway::Method", "api")
    assert len(methods) == len(rows)
    for method in methods:
        last = parts[method.properties["ResourceId"]["Ref"]]["PathPart"]
        row = rows[method.properties["HttpMethod"], last]
        told = {int(r["StatusCode"]): r["ResponseModels"] for r in method.properties["MethodResponses"]}
        assert set(told) == {*row.answers, *row.refusals}
        for status in row.refusals:
            model = models[told[status]["application/problem+json"]["Ref"]]
            assert set(model["Schema"]["required"]) == {"type", "title", "status", "detail"}
        for status in row.answers if row.response else ():
            assert models[told[status][JSON]["Ref"]]["Schema"] == gateway_schema(str(row.response))


def test_a_tuple_is_written_as_draft_4_has_it() -> None:
    schema = gateway_schema("bellwether.usecases.score:ScoreAnswer")
    interval = json.dumps(schema["definitions"]["Score"]["properties"]["interval"])
    assert '"items": [{"type": "number"}, {"type": "number"}]' in interval
    assert '"additionalItems": false' in interval
    assert "prefixItems" not in json.dumps(schema)
