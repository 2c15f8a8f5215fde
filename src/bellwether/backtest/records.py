"""What a replay is asked, what it counts, and one forecast of it on its own."""

from datetime import date, datetime

from msgspec import Struct

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


class Part(Struct, frozen=True, kw_only=True):
    """One agent's part in a forecast (see `forecasts.Forecasts`)."""

    agent_id: str
    version: int
    p_up: float
    weight: float
    raw: float | None
    moved: float


class Prediction(Struct, frozen=True, kw_only=True):
    """A forecast, made at the end of the trading day `day`."""

    asset: str
    day: date
    as_of: datetime
    p_up: float
    base_rate: float
    parts: tuple[Part, ...]


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
