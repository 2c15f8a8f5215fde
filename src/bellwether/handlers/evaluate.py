"""`POST /evaluate`, and every night at two: what became of proposals and scores, and what agents learn."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bellwether.adapters.composition import Composition
from bellwether.handlers.answers import Answer, json_answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.idempotency import Occasion, once
from bellwether.handlers.request import Call, body_of, decode
from bellwether.handlers.scheduled_function import ScheduledFunction
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.evaluate import Evaluate, EvaluateAnswer, EvaluateRequest
from bellwether.usecases.ports import Answers, Clock

MOST_ROUNDS = 50


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    proposals_table: str
    outcomes_table: str
    agents_config_table: str
    tracked_entities_table: str
    lake_bucket: str
    ledger_bucket: str
    decisions_queue_url: str
    claims_table: str
    events_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    evaluate: Evaluate
    answers: Answers
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        evaluate=Evaluate(
            entities=make.entities(settings.tracked_entities_table),
            prices=make.prices(settings.lake_bucket),
            configs=make.agent_configs(settings.agents_config_table),
            controls=make.desk_controls(settings.agents_config_table),
            ledger=make.ledger(settings.ledger_bucket),
            proposals=make.proposals(settings.proposals_table),
            outcomes=make.outcomes(settings.outcomes_table),
            forecasts=make.forecasts(settings.lake_bucket),
            announce=make.announcements(settings.decisions_queue_url),
            lake=make.lake(settings.lake_bucket),
            counts=make.counts(settings.events_table),
        ),
        answers=make.answers(settings.claims_table),
    )


def respond(call: Call, parts: Parts) -> Answer:
    body = body_of(call)
    request = decode(body, EvaluateRequest)

    def work(occasion: Occasion) -> Answer:
        answer = parts.evaluate(request, now=occasion.now)
        tell(answer)
        return json_answer(answer)

    return once(call, body, parts.answers, parts.clock, work)


def nightly(_event: Mapping[str, Any], parts: Parts, _seconds: float) -> dict[str, Any]:
    """Evaluates until nothing more can be resolved, the whole interval, both scopes."""
    resolved, rounds, going = 0, 0, True
    told: dict[str, Any] = {}
    while going:
        answer = parts.evaluate(EvaluateRequest(), now=parts.clock())
        tell(answer)
        resolved, rounds = resolved + answer.resolved, rounds + 1
        # what is left without anything having been resolved would be left again
        going = answer.more and answer.resolved > 0 and rounds < MOST_ROUNDS
        told = {"resolved": resolved, "waiting": answer.waiting, "more": answer.more, "report": answer.report}
    return told


def tell(answer: EvaluateAnswer) -> None:
    """Hit rate and Brier score of what was newly resolved; nothing where nothing was."""
    record(Outcomes=answer.resolved)
    if fresh := answer.outcomes[: answer.resolved]:
        record(
            HitRate=sum(outcome.hit for outcome in fresh) / len(fresh),
            Brier=sum(outcome.brier for outcome in fresh) / len(fresh),
        )
        for agent in answer.track_records:
            if agent.ece is not None:
                record(CalibrationError=agent.ece)


route = ApiFunction(Settings, compose, respond, action="evaluate")
schedule = ScheduledFunction(Settings, lambda _settings: route.parts, nightly)


def handler(event: Mapping[str, Any], context: Any) -> dict[str, Any]:
    """The Lambda handler of both: a request has a method, a schedule has none."""
    return route(event, context) if "httpMethod" in event else schedule(event, context)
