"""`POST /ingest/social` and `/ingest/news`: items in, 202 once they are stored."""

from dataclasses import dataclass
from typing import get_args

from bellwether.adapters.composition import Composition
from bellwether.adapters.ulids import MonotonicUlids
from bellwether.domain.items import Kind
from bellwether.domain.problems import NotFound
from bellwether.handlers.answers import Answer, json_answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.idempotency import Occasion, once
from bellwether.handlers.request import Call, body_of, decode
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ingest import Ingest, IngestRequest
from bellwether.usecases.ports import Answers, Clock

new_batch_id = MonotonicUlids()


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    lake_bucket: str
    claims_table: str
    events_table: str
    ingest_queue_url: str
    author_salt_secret_arn: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    ingest: Ingest
    answers: Answers
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        ingest=Ingest(
            raw=make.raw_batches(settings.lake_bucket),
            claims=make.item_claims(settings.claims_table),
            queue=make.batch_queue(settings.ingest_queue_url),
            counts=make.counts(settings.events_table),
            salt=make.secrets().text(settings.author_salt_secret_arn).encode(),
        ),
        answers=make.answers(settings.claims_table),
    )


def respond(call: Call, parts: Parts) -> Answer:
    kind = kind_of(call.route)
    body = body_of(call)
    request = decode(body, IngestRequest)

    def work(occasion: Occasion) -> Answer:
        taken = parts.ingest(
            kind=kind,
            items=request.items,
            batch_id=occasion.batch_id or new_batch_id(),
            submitted_by=call.user.username,
            received_at=occasion.first_at,
        )
        record(
            ItemsAccepted=taken.accepted, ItemsDuplicate=taken.duplicates, ItemsRejected=len(taken.rejected)
        )
        return json_answer(taken, 202)

    return once(call, body, parts.answers, parts.clock, work)


def kind_of(route: str) -> Kind:
    """The last part of the route. Raises `NotFound` for another one."""
    found: Kind | None = next((kind for kind in get_args(Kind) if route == f"/ingest/{kind}"), None)
    if found is None:
        raise NotFound("Items are social or news.")
    return found


handler = ApiFunction(Settings, compose, respond, action="ingest")
