"""`GET /dashboard/summary`: what the desk is and does, in a bounded number of reads."""

from dataclasses import dataclass

from bellwether.adapters.composition import Composition
from bellwether.handlers.answers import Answer, json_answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.clock import now
from bellwether.handlers.provider_terms import read_terms
from bellwether.handlers.request import Call
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock
from bellwether.usecases.summarise import Summarise


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    proposals_table: str
    outcomes_table: str
    agents_config_table: str
    tracked_entities_table: str
    events_table: str
    lake_bucket: str
    provider_terms: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    summarise: Summarise
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    make = Composition()
    return Parts(
        summarise=Summarise(
            entities=make.entities(settings.tracked_entities_table),
            configs=make.agent_configs(settings.agents_config_table),
            controls=make.desk_controls(settings.agents_config_table),
            proposals=make.proposals(settings.proposals_table),
            outcomes=make.outcomes(settings.outcomes_table),
            forecasts=make.forecasts(settings.lake_bucket),
            lake=make.lake(settings.lake_bucket),
            counts=make.counts(settings.events_table),
            records=make.provider_records(settings.events_table),
            terms=read_terms(settings.provider_terms),
        )
    )


def respond(_call: Call, parts: Parts) -> Answer:
    return json_answer(parts.summarise(now=parts.clock()))


handler = ApiFunction(Settings, compose, respond, action="read")
