"""`POST /propose`: scores turned into proposals, and for each asset without one the reason."""

from dataclasses import dataclass

from bellwether.adapters.composition import Composition
from bellwether.handlers import score
from bellwether.handlers.answers import Answer, json_answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.idempotency import Occasion, once
from bellwether.handlers.request import Call, body_of, decode
from bellwether.usecases.ports import Answers, Clock
from bellwether.usecases.propose import Propose, ProposeRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(score.Settings):
    proposals_table: str
    ledger_bucket: str
    decisions_queue_url: str
    claims_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    propose: Propose
    answers: Answers
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    scoring = score.score_assets(settings, make)
    return Parts(
        propose=Propose(
            score=scoring,
            entities=scoring.entities,
            prices=scoring.prices,
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
    request = decode(body, ProposeRequest)

    def work(occasion: Occasion) -> Answer:
        answer = parts.propose(request, user=call.user, now=occasion.now, first_at=occasion.first_at)
        record(Proposals=len(answer.proposals))
        return json_answer(answer, 201 if answer.proposals else 200)

    return once(call, body, parts.answers, parts.clock, work)


handler = ApiFunction(Settings, compose, respond, action="propose")
