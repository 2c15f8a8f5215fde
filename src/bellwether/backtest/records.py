"""What a replay is asked and what it leaves: settings, forecasts, resolved forecasts, counts."""

from datetime import date, datetime

from msgspec import Struct

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.limits import CostModel


class Settings(Struct, frozen=True, kw_only=True):
    """`first` and `last` bound the days forecasts are made at; `horizon` in trading days.

    `capital` is what the pictured strategy starts with, for the size of its orders against the volume.
    """

    first: date | None = None
    last: date | None = None
    horizon: int = 1
    seed: int = 0
    replicates: int = 1_000
    capital: float = 1_000_000.0
    least_edge: float = 0.002
    costs: CostModel = CostModel()


class Part(Struct, frozen=True, kw_only=True, gc=False):
    """One agent's part in a forecast: its own probability, its weight, the reading behind it.

    `moved` is its weight times its log-odds, what it moved the pool by but for a factor common to all.
    """

    agent_id: str
    version: int
    p_up: float
    weight: float
    raw: float | None
    moved: float = 0.0


class Prediction(Struct, frozen=True, kw_only=True):
    """A forecast before its horizon has passed. `day` is the trading day at whose end it was made."""

    asset: str
    day: date
    as_of: datetime
    p_up: float
    base_rate: float
    parts: tuple[Part, ...]


class Resolved(Struct, frozen=True, kw_only=True):
    """A forecast and what came of it. Returns are decimals from open to open, adjusted."""

    forecast: Prediction
    entry: date
    leave: date
    value: float
    benchmark: float | None

    @property
    def went_up(self) -> bool:
        """Whether the price rose."""
        return self.value > 0


class Counts(Struct, kw_only=True):
    """What was read, and what could not be used and why."""

    items: int = 0
    duplicates: int = 0
    rejected: int = 0
    linked: int = 0
    copies: int = 0
    signals: int = 0
    forecasts: int = 0
    abstained: int = 0
    missing_bars: int = 0
    ended_assets: int = 0
    no_entry_price: int = 0
    without_trade: int = 0
    late_exits: int = 0
    closed_at_last_price: int = 0
    open: int = 0


class Replayed(Struct, kw_only=True):
    """Everything a replay found, in order of time; `versions` are the agents' configurations as learned.

    `open` forecasts are not over, `unused` ones could not be entered.
    """

    resolved: list[Resolved]
    open: list[Prediction]
    unused: list[Prediction]
    versions: dict[str, list[AgentConfig]]
    counts: Counts
    days: list[date]
