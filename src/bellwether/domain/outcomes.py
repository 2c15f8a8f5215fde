"""What became of a proposal or of a forecast, and the agents' track records made from it."""

import hashlib
from collections.abc import Mapping
from datetime import date
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bellwether.domain.items import Instant

Scope = Literal["proposal", "score"]


class Attribution(Struct, frozen=True, kw_only=True):
    """One agent's part in an outcome: what it forecast, and how its forecast scored (Brier, 0 is perfect).

    `return_share` is the agent's share of the raw return: positive when it pulled the way the price went.
    """

    agent_id: str
    agent_version: int
    p_up: float
    weight: float
    brier: float
    return_share: float


class Outcome(Struct, frozen=True, kw_only=True):
    """The resolved horizon of one score. Returns are decimals of adjusted prices; `None` where undefined.

    `scope` says whether a decided proposal or only a score (a forecast nobody traded on) was resolved.
    `hit`: the side was right, or for a score, p_up was on the right side of ½. `profit` is what the proposal
    made or, when it was not approved, would have made, less its expected cost. `base_rate` is the score's.
    """

    outcome_id: str
    evaluated_at: Instant
    scope: Scope
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
    base_rate: float = 0.5


class Resolved(Struct, frozen=True, kw_only=True):
    """What one ledger entry of kind `outcome` holds: outcomes that became known together."""

    outcomes: tuple[Outcome, ...]


class BrierParts(Struct, frozen=True, kw_only=True):
    """Murphy's (1973) parts of a Brier score: brier = reliability − resolution + uncertainty + within bins.

    The first three are exact when all forecasts of a bin are equal; `within` is what the bins leave over.
    """

    reliability: float
    resolution: float
    uncertainty: float
    within: float


class CalibrationBin(Struct, frozen=True, kw_only=True):
    """Forecasts of one bin: how many, their mean, and how often the price went up."""

    low: float
    high: float
    n: int
    mean_p: float | None
    frequency: float | None


class AgentTrackRecord(Struct, frozen=True, kw_only=True):
    """How an agent's resolved forecasts did. Undefined figures are `None`, never 0.

    `brier_reference` is the Brier score of the base rates known when the forecasts were made.
    `information_coefficient` is the mean over dates. `independent` is how many forecasts of `resolved` do not
    overlap in time. Every `_error` is a standard error that knows of days and overlap (see
    `domain.clustered_error`).

    Who made and who lost money: `relative_return` is the mean return a forecast, against the benchmark,
    of following the side of the agent's view for its horizon (decimal); `relative_return_net` the same
    less the round trip's spread, commission and borrowing (market impact needs a size and is not in it);
    `followed` counts forecasts that took a side and have a benchmark. `brier_gain` is the base rate's
    mean Brier score less the agent's: what it adds to what was known. `return_share` sums its shares of
    the raw returns.
    """

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
    parts: BrierParts | None = None
    information_coefficient_error: float | None = None
    information_coefficient_dates: int = 0
    independent: float = 0.0
    followed: int = 0
    relative_return: float | None = None
    relative_return_error: float | None = None
    relative_return_net: float | None = None
    brier_gain: float | None = None
    brier_gain_error: float | None = None
    return_share: float | None = None


def outcome_id(scope: Scope, subject: str) -> str:
    """The id of the outcome of a proposal or a score: the same whoever resolves it, and whenever."""
    return "o-" + hashlib.sha256(f"{scope}\x00{subject}".encode()).hexdigest()[:24]


def outcomes_of(body: Mapping[str, Any]) -> list[Outcome]:
    """The outcomes of a ledger entry's body, of one or of several. Raises `msgspec.ValidationError`."""
    if "outcomes" in body:
        return list(msgspec.convert(body, Resolved).outcomes)
    return [msgspec.convert(body, Outcome)]
