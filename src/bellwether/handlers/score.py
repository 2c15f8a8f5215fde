"""`POST /score`: what the desk believes of assets, and why."""

from dataclasses import dataclass

from bellwether.adapters.composition import Composition
from bellwether.handlers.answers import Answer, json_answer
from bellwether.handlers.api_function import ApiFunction
from bellwether.handlers.clock import now
from bellwether.handlers.figures import record
from bellwether.handlers.request import Call, body_of, decode
from bellwether.handlers.settings import FunctionSettings
from bellwether.usecases.ports import Clock
from bellwether.usecases.score import ScoreAssets, ScoreRequest


@dataclass(frozen=True, kw_only=True, slots=True)
class Settings(FunctionSettings):
    asset_state_table: str
    signals_table_prefix: str
    tracked_entities_table: str
    agents_config_table: str
    lake_bucket: str
    events_table: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Parts:
    score: ScoreAssets
    clock: Clock = now


def compose(settings: Settings) -> Parts:
    return Parts(score=score_assets(settings, Composition()))


def score_assets(settings: Settings, make: Composition) -> ScoreAssets:
    """The use case on its services; `propose` scores with the same."""
    return ScoreAssets(
        states=make.asset_states(settings.asset_state_table),
        signals=make.signals(settings.signals_table_prefix),
        entities=make.entities(settings.tracked_entities_table),
        configs=make.agent_configs(settings.agents_config_table),
        prices=make.prices(settings.lake_bucket),
        forecasts=make.forecasts(settings.lake_bucket),
        changes=make.changes(settings.events_table),
    )


def respond(call: Call, parts: Parts) -> Answer:
    request = decode(body_of(call), ScoreRequest)
    answer = parts.score(request, now=parts.clock())
    record(Scores=len(answer.scores))
    return json_answer(answer)


handler = ApiFunction(Settings, compose, respond, action="score")
