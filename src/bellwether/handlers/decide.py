"""`POST /decision`: approve, reject or revoke a proposal; a new revision, or a 409 that says what changed."""

from dataclasses import dataclass

from bellwether.adapters.composition import Composition
from bellwether.handlers.answers import Answer, json_answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.idempotency import Occasion, once
from bellwether.handlers.request import Call, body_of, decode
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.decide import Decide, DecisionRequest
from bellwether.usecases.ports import Answers, Clock

FIGURE = {"approve": "Approvals", "reject": "Rejections", "revoke": "Revocations"}


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    proposals_table: str
    tracked_entities_table: str
    agents_config_table: str
    lake_bucket: str
    ledger_bucket: str
    decisions_queue_url: str
    claims_table: str
    events_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    decide: Decide
    answers: Answers
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        decide=Decide(
            entities=make.entities(settings.tracked_entities_table),
            prices=make.prices(settings.lake_bucket),
            controls=make.desk_controls(settings.agents_config_table),
            lake=make.lake(settings.lake_bucket),
            ledger=make.ledger(settings.ledger_bucket),
            proposals=make.proposals(settings.proposals_table),
            announce=make.announcements(settings.decisions_queue_url),
            counts=make.counts(settings.events_table),
        ),
        answers=make.answers(settings.claims_table),
    )


def respond(call: Call, parts: Parts) -> Answer:
    body = body_of(call)
    request = decode(body, DecisionRequest)

    def work(occasion: Occasion) -> Answer:
        answer = parts.decide(request, user=call.user, now=occasion.now, first_at=occasion.first_at)
        record(**{FIGURE[request.action]: 1})
        return json_answer(answer)

    return once(call, body, parts.answers, parts.clock, work)


handler = ApiFunction(Settings, compose, respond, action="decide")
