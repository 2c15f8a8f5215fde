"""The routes from score to decision as a caller sees them, on ports in memory."""

import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Any

import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.entities import Asset, Portfolio
from bellwether.domain.problems import Conflict
from bellwether.domain.rights import User
from bellwether.handlers import check_risk, decide, propose, score, summarise
from bellwether.usecases.check_risk import CheckRisk
from bellwether.usecases.decide import Decide, DecisionRequest
from bellwether.usecases.propose import Propose
from bellwether.usecases.score import ScoreAssets
from bellwether.usecases.summarise import Summarise
from tests.unit.handlers.events import Context, rest_event

NOW = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
PROPOSAL = "01ARZ3NDEKTSV4RRFFQ69G5FAV"
DECISION = {"proposal_id": PROPOSAL, "content_hash": "0" * 64, "action": "approve", "reason": "fine"}

HOLD = {"asset": "ACME", "side": "hold", "quantity": 1}

Answered = tuple[int, dict[str, Any], dict[str, str]]


class Desk:
    """All routes on the same ports."""

    def __init__(self, ports: MemoryPorts) -> None:
        scoring = ScoreAssets(
            states=ports.states,
            signals=ports.signals,
            entities=ports.entities,
            configs=ports.configs,
            prices=ports.prices,
            forecasts=ports.forecasts,
            changes=ports.changes,
            readers=1,
        )
        deciding = Decide(
            entities=ports.entities,
            prices=ports.prices,
            controls=ports.controls,
            lake=ports.lake,
            ledger=ports.ledger,
            proposals=ports.proposals,
            announce=ports.announce,
            counts=ports.counts,
        )
        proposing = Propose(
            score=scoring,
            entities=ports.entities,
            prices=ports.prices,
            controls=ports.controls,
            lake=ports.lake,
            ledger=ports.ledger,
            proposals=ports.proposals,
            announce=ports.announce,
            counts=ports.counts,
        )
        checking = CheckRisk(
            entities=ports.entities,
            prices=ports.prices,
            controls=ports.controls,
            proposals=ports.proposals,
            lake=ports.lake,
        )
        summarising = Summarise(
            entities=ports.entities,
            configs=ports.configs,
            controls=ports.controls,
            proposals=ports.proposals,
            outcomes=ports.outcomes,
            forecasts=ports.forecasts,
            lake=ports.lake,
            counts=ports.counts,
            records=ports.providers,
            terms=TERMS,
        )
        parts = {
            "/score": score.Parts(score=scoring, clock=lambda: NOW),
            "/propose": propose.Parts(propose=proposing, answers=ports.answers, clock=lambda: NOW),
            "/risk/check": check_risk.Parts(check_risk=checking, clock=lambda: NOW),
            "/decision": decide.Parts(decide=deciding, answers=ports.answers, clock=lambda: NOW),
            "/dashboard/summary": summarise.Parts(summarise=summarising, clock=lambda: NOW),
        }
        self._serve: dict[str, Callable[[Any], dict[str, Any]]] = {
            "/score": lambda e: score.handler.serve(e, Context(), lambda: parts["/score"]),  # type: ignore[arg-type, return-value]
            "/propose": lambda e: propose.handler.serve(e, Context(), lambda: parts["/propose"]),  # type: ignore[arg-type, return-value]
            "/risk/check": lambda e: check_risk.handler.serve(e, Context(), lambda: parts["/risk/check"]),  # type: ignore[arg-type, return-value]
            "/decision": lambda e: decide.handler.serve(e, Context(), lambda: parts["/decision"]),  # type: ignore[arg-type, return-value]
            "/dashboard/summary": lambda e: summarise.handler.serve(
                e,
                Context(),
                lambda: parts["/dashboard/summary"],  # type: ignore[arg-type, return-value]
            ),
        }

    def call(self, route: str, body: Any = None, *, roles: str = "analyst", **more: Any) -> Answered:
        method = "GET" if body is None else "POST"
        response = self._serve[route](rest_event(method, route, body=body, roles=roles, **more))
        return response["statusCode"], json.loads(response["body"]), response["headers"]


@pytest.fixture
def desk(ports: MemoryPorts) -> Desk:
    ports.entities.put("asset", "ACME", Asset(symbol="ACME", name="Acme Corporation"))
    ports.entities.put("portfolio", "core", Portfolio(name="core", cash=1_000_000.0))
    return Desk(ports)


@pytest.mark.req("A1")
@pytest.mark.parametrize(
    ("route", "roles", "body", "path"),
    [
        ("/score", "analyst", {"horizon": "soon"}, "$.horizon"),
        ("/score", "analyst", {"assets": ["ACME", "NOBODY"]}, "$.assets[1]"),
        ("/score", "analyst", {"as_of": "2026-11-24T00:00:00Z"}, "$.as_of"),
        ("/propose", "analyst", {"portfolio": 3}, "$.portfolio"),
        ("/propose", "analyst", {"portfolio": "core", "surprise": 1}, "$.surprise"),
        ("/risk/check", "analyst", {"orders": "all"}, "$.orders"),
        ("/risk/check", "analyst", {"portfolio": "core", "orders": [HOLD]}, "$.orders[0].side"),
        ("/decision", "approver", {**DECISION, "proposal_id": 5}, "$.proposal_id"),
        ("/decision", "approver", {**DECISION, "action": "maybe"}, "$.action"),
        ("/decision", "approver", {**DECISION, "action": "reject", "reason": " "}, "$.reason"),
    ],
)  # fmt: skip
def test_a_fault_in_a_request_is_named_by_its_path(
    desk: Desk, route: str, roles: str, body: Any, path: str
) -> None:
    status, problem, headers = desk.call(route, body, roles=roles)
    assert (status, problem["path"]) == (400, path)
    assert headers["Content-Type"] == "application/problem+json"


@pytest.mark.req("U2")
@pytest.mark.parametrize(
    ("route", "body", "may"),
    [
        ("/score", {}, {"analyst"}),
        ("/propose", {"portfolio": "core"}, {"analyst"}),
        ("/risk/check", {"proposal_id": PROPOSAL}, {"analyst"}),
        ("/decision", DECISION, {"approver"}),
        ("/dashboard/summary", None, {"viewer", "analyst", "approver", "admin"}),
    ],
)
def test_who_may_call_a_route(desk: Desk, route: str, body: Any, may: set[str]) -> None:
    for role in ("viewer", "analyst", "approver", "admin", "machine"):
        assert (desk.call(route, body, roles=role)[0] != 403) == (role in may), role


@pytest.mark.req("A4")
def test_scores_come_with_their_reasons(desk: Desk) -> None:
    status, told, _ = desk.call("/score", {})
    assert status == 200
    (found,) = told["scores"]
    assert (found["asset"], found["p_up"]) == ("ACME", None)
    assert {c["agent_id"] for c in found["contributions"]} >= {"sentiment"}


@pytest.mark.req("A5")
def test_an_asset_without_a_proposal_has_a_reason_and_a_repeated_call_the_same_answer(desk: Desk) -> None:
    key = {"Idempotency-Key": "proposal-1"}
    status, told, first = desk.call("/propose", {"portfolio": "core"}, headers=key)
    assert status == 200
    assert told["proposals"] == []
    assert [(w["asset"], w["code"]) for w in told["without"]] == [("ACME", "abstained")]
    assert desk.call("/propose", {"portfolio": "core"}, headers=key)[:2] == (200, told)
    assert "Idempotent-Replayed" not in first
    assert desk.call("/propose", {"portfolio": "core"}, headers=key)[2]["Idempotent-Replayed"] == "true"
    assert desk.call("/propose", {"portfolio": "nobody"}, headers=key)[0] == 422
    assert desk.call("/propose", {"portfolio": "nobody"})[0] == 404


@pytest.mark.req("A6", "A7")
def test_what_is_not_there_is_not_found(desk: Desk) -> None:
    assert desk.call("/risk/check", {"proposal_id": PROPOSAL})[0] == 404
    status, problem, _ = desk.call("/decision", DECISION, roles="approver", headers={"Idempotency-Key": "d"})
    assert (status, problem["code"], problem["path"]) == (404, "not_found", "$.proposal_id")


@pytest.mark.req("A9")
def test_the_summary_of_a_desk_that_did_nothing_yet(desk: Desk) -> None:
    status, told, headers = desk.call("/dashboard/summary", roles="viewer")
    assert status == 200
    assert told["counts"]["tracked_assets"] == 1
    assert headers["Cache-Control"] == "no-store"


@pytest.mark.req("A7", "B2")
@pytest.mark.parametrize(
    ("action", "figure"), [("approve", "Approvals"), ("reject", "Rejections"), ("revoke", "Revocations")]
)
def test_a_decision_is_made_once_and_counted(
    ports: MemoryPorts, capsys: pytest.CaptureFixture[str], action: str, figure: str
) -> None:
    made: list[tuple[str, datetime]] = []

    class Deciding:
        def __call__(
            self, request: DecisionRequest, *, user: User, now: datetime, first_at: datetime
        ) -> dict[str, Any]:
            assert first_at == now
            made.append((user.username, now))
            return {"decision": {"action": request.action}}

    deciding: Any = Deciding()
    parts = decide.Parts(decide=deciding, answers=ports.answers, clock=lambda: NOW)
    event = rest_event(
        "POST", "/decision", body={**DECISION, "action": action}, roles="approver",
        headers={"Idempotency-Key": "once"},
    )  # fmt: skip
    for _ in range(3):
        response = decide.handler.serve(event, Context(), lambda: parts)
        assert response["statusCode"] == 200
        assert json.loads(response["body"]) == {"decision": {"action": action}}
    assert made == [("5e6f-analyst", NOW)]
    told = capsys.readouterr().out
    assert told.count(f'"{figure}":1,') + told.count(f'"{figure}":1}}') == 1


@pytest.mark.req("A5", "A7")
@pytest.mark.parametrize("route", ["/decision", "/propose"])
def test_a_key_tried_again_later_is_judged_by_the_time_of_then(ports: MemoryPorts, route: str) -> None:
    """A refusal gives the key back: a day later the same key must not decide as of the day before."""
    tried: list[tuple[datetime, datetime]] = []

    class Working:
        def __call__(self, request: Any, *, user: User, now: datetime, first_at: datetime) -> Any:
            tried.append((now, first_at))
            raise Conflict("not today")

    working: Any = Working()
    body: dict[str, Any] = DECISION if route == "/decision" else {"portfolio": "core"}
    roles = "approver" if route == "/decision" else "analyst"
    event = rest_event("POST", route, body=body, roles=roles, headers={"Idempotency-Key": "kept"})
    for at in (NOW, NOW + timedelta(days=1)):
        clock = partial(_at, at)
        if route == "/decision":
            deciding = decide.Parts(decide=working, answers=ports.answers, clock=clock)
            response = decide.handler.serve(event, Context(), partial(_parts, deciding))
        else:
            proposing = propose.Parts(propose=working, answers=ports.answers, clock=clock)
            response = propose.handler.serve(event, Context(), partial(_parts, proposing))
        assert response["statusCode"] == 409
    assert tried == [(NOW, NOW), (NOW + timedelta(days=1), NOW)]


def _at(at: datetime) -> datetime:
    return at


def _parts(parts: Any) -> Any:
    return parts
