"""`POST /risk/check`: a proposal as things are now, or orders of one's own, against the desk's limits."""

from dataclasses import dataclass

from bellwether.adapters.composition import Composition
from bellwether.handlers.answers import Answer, json_answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.clock import now
from bellwether.handlers.request import Call, body_of, decode
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.check_risk import CheckRisk, RiskRequest
from bellwether.usecases.ports import Clock


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    proposals_table: str
    tracked_entities_table: str
    agents_config_table: str
    lake_bucket: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    check_risk: CheckRisk
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        check_risk=CheckRisk(
            entities=make.entities(settings.tracked_entities_table),
            prices=make.prices(settings.lake_bucket),
            controls=make.desk_controls(settings.agents_config_table),
            lake=make.lake(settings.lake_bucket),
            proposals=make.proposals(settings.proposals_table),
        )
    )


def respond(call: Call, parts: Parts) -> Answer:
    request = decode(body_of(call), RiskRequest)
    return json_answer(parts.check_risk(request, now=parts.clock()))


handler = ApiFunction(Settings, compose, respond, action="risk")
