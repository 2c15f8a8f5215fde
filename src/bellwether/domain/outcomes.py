"""What became of a proposal or of a forecast, and the agents' track records made from it."""

from datetime import date
from typing import Literal

from msgspec import Struct

from bellwether.domain.items import Instant


class Attribution(Struct, frozen=True, kw_only=True):
    """One agent's part in an outcome: what it forecast, and how its forecast scored (Brier, 0 is perfect)."""

    agent_id: str
    agent_version: int
    p_up: float
    weight: float
    brier: float
    return_share: float


class Outcome(Struct, frozen=True, kw_only=True):
    """The resolved horizon of one score. Returns are decimals from adjusted closes; `None` where undefined.

    `scope` says whether a decided proposal or only a score (a forecast nobody traded on) was resolved.
    """

    outcome_id: str
    evaluated_at: Instant
    scope: Literal["proposal", "score"]
    subject: str
    asset: str
    as_of: Instant
    horizon: int
    entry_date: date
    exit_date: date
    p_up: float
    raw_return: float
    benchmark_return: float | None
    relative_return: float | None
    went_up: bool
    hit: bool
    brier: float
    status: str | None
    side: str | None
    profit: float | None
    attribution: tuple[Attribution, ...]


class AgentTrackRecord(Struct, frozen=True, kw_only=True):
    """How an agent's resolved forecasts did. Undefined figures are `None`, never 0."""

    agent_id: str
    resolved: int
    brier: float | None
    brier_reference: float | None
    brier_skill: float | None
    reliability: float | None
    hit_rate: float | None
    information_coefficient: float | None
    ece: float | None
    version: int
