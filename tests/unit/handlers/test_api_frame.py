"""The frame around a route: rights, problems, headers, logs that say enough and not too much."""

import json
from dataclasses import dataclass
from typing import Any

import pytest

from bellwether.domain.problems import Conflict, InvalidInput, TooManyRequests, Unavailable
from bellwether.domain.rights import Action
from bellwether.handlers.answers import Answer, json_answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.request import Call
from bellwether.handlers.settings import FunctionSettings, MissingSetting, read_settings
from tests.unit.handlers.conftest import Logged
from tests.unit.handlers.events import Context, rest_event

SECRET = "the text of a post nobody may see"


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    events_table: str
    claims_table: str


def served(
    raised: Exception | None = None, *, action: Action | None = "read", **event: Any
) -> tuple[dict[str, Any], dict[str, Any]]:
    """The response and its decoded body, of a route that answers or raises."""

    def respond(_call: Call, _parts: str) -> Answer:
        if raised is not None:
            raise raised
        return json_answer({"fine": True})

    function = ApiFunction(Settings, lambda settings: settings.stage, respond, action=action)
    response = function.serve(rest_event("GET", "/thing", **event), Context(), lambda: "parts")
    return response, json.loads(response["body"])


@pytest.mark.req("C2")
def test_a_missing_variable_is_named() -> None:
    with pytest.raises(MissingSetting, match="CLAIMS_TABLE, EVENTS_TABLE"):
        read_settings(Settings, {"STAGE": "local", "EVENTS_TABLE": " "})
    told = read_settings(Settings, {"STAGE": "local", "EVENTS_TABLE": "e", "CLAIMS_TABLE": "c", "OTHER": "x"})
    assert (told.stage, told.events_table, told.claims_table) == ("local", "e", "c")


@pytest.mark.req("C2")
def test_a_function_without_its_settings_tells_the_caller_nothing_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("EVENTS_TABLE", raising=False)
    function = ApiFunction(Settings, lambda s: s.stage, lambda _c, _p: json_answer({}), action="read")
    response = function(rest_event("GET", "/thing", roles="viewer"), Context())
    assert response["statusCode"] == 500
    assert "EVENTS_TABLE" not in response["body"]


@pytest.mark.req("U3")
def test_the_role_is_checked_again_behind_the_authorizer() -> None:
    assert served(roles="viewer")[0]["statusCode"] == 200
    refused, problem = served(roles="machine")
    assert refused["statusCode"] == problem["status"] == 403
    assert served(roles="")[0]["statusCode"] == 403
    assert served(roles=None)[0]["statusCode"] == 401
    assert served(roles=None, action=None)[0]["statusCode"] == 200


@pytest.mark.req("A1")
def test_a_problem_says_what_a_caller_can_act_on() -> None:
    fault = InvalidInput("not a number", path="$.a", limit=7)
    response, problem = served(fault, roles="viewer", headers={"X-Correlation-Id": "find-me"})
    assert response["headers"]["Content-Type"] == "application/problem+json"
    assert response["headers"]["X-Correlation-Id"] == "find-me"
    assert problem == {
        "type": "urn:bellwether:problem:invalid_input",
        "title": "The request is not valid",
        "status": 400,
        "detail": "not a number",
        "code": "invalid_input",
        "path": "$.a",
        "limit": 7,
        "instance": "/v1/thing",
        "correlation_id": "find-me",
    }


def test_members_of_a_problem_never_replace_its_own() -> None:
    _, problem = served(Conflict("it is approved", status="approved", code="x"), roles="viewer")
    assert (problem["status"], problem["code"]) == (409, "conflict")


@pytest.mark.req("X4")
def test_come_back_later_says_when() -> None:
    assert (
        served(TooManyRequests("slow down", retry_after=30), roles="viewer")[0]["headers"]["Retry-After"]
        == "30"
    )
    response, problem = served(Unavailable("table-name-1234: ThrottlingException"), roles="viewer")
    assert response["statusCode"] == 503
    assert int(response["headers"]["Retry-After"]) > 0
    assert "table-name" not in json.dumps(problem)


@pytest.mark.req("B1")
def test_what_went_wrong_inside_is_logged_by_place_and_never_by_text(logged: Logged) -> None:
    response, problem = served(RuntimeError(SECRET), roles="viewer", headers={"X-Correlation-Id": "c-9"})
    assert response["statusCode"] == problem["status"] == 500
    assert SECRET not in response["body"] + json.dumps(logged())
    failed = next(line for line in logged() if line["message"] == "failed")
    assert failed["fault"] == "RuntimeError"
    assert failed["correlation_id"] == "c-9"
    assert any("respond" in place for place in failed["where"])


@pytest.mark.req("B1")
def test_every_call_logs_one_line_with_its_outcome(logged: Logged) -> None:
    served(roles="viewer", headers={"X-Correlation-Id": "c-10"})
    (line,) = logged()
    assert (line["message"], line["status"], line["route"]) == ("answered", 200, "/thing")
    assert line["correlation_id"] == "c-10"
    assert line["level"] == "INFO"


@pytest.mark.req("A1")
def test_other_origins_are_answered_only_if_the_stage_names_them() -> None:
    def headers(origin: str | None, allowed: str | None) -> dict[str, str]:
        event = rest_event("GET", "/thing", roles="viewer", headers={"origin": origin} if origin else {})
        event["stageVariables"] = {"allowedOrigins": allowed} if allowed else None
        function = ApiFunction(Settings, lambda s: s.stage, lambda _c, _p: json_answer({}), action=None)
        return dict(function.serve(event, Context(), lambda: "parts")["headers"])

    allowed = "https://desk.example,http://127.0.0.1:8080"
    assert headers("https://desk.example", allowed)["Access-Control-Allow-Origin"] == "https://desk.example"
    assert "Access-Control-Allow-Origin" not in headers("https://evil.example", allowed)
    assert "Access-Control-Allow-Origin" not in headers("https://desk.example", None)
    assert "Access-Control-Allow-Origin" not in headers(None, allowed)
    assert headers("https://evil.example", allowed)["Vary"] == "Origin"
