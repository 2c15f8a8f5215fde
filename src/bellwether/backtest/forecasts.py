"""Forecasts and what came of them, as columns: in order of time, forecasts of one day in order of asset."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from math import isnan
from typing import Self

import numpy as np
from msgspec import Struct

from bellwether.backtest.columns import Flags, Floats, Ints
from bellwether.backtest.records import Counts, Part, Prediction
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.prices import known_from


class Forecasts(Struct, frozen=True, kw_only=True, eq=False):
    """`asset` is a place among `assets`, `day` the ordinal of the trading day at whose end it was made, `row`
    that day's place among the replay's bars.

    What agents said has a row for each of `agents`: `agent_p_up` its own probability (NaN where it made no
    forecast), `agent_version`, `weight`, `raw` the reading behind it (NaN where there is none), and `moved`,
    its weight times its log-odds: what it moved the pool by but for a factor common to all.
    """

    assets: Sequence[str]
    agents: Sequence[str]
    asset: Ints
    row: Ints
    day: Ints
    p_up: Floats
    base_rate: Floats
    agent_p_up: Floats
    agent_version: Ints
    weight: Floats
    raw: Floats
    moved: Floats

    def __len__(self) -> int:
        return len(self.day)

    @property
    def spoke(self) -> Flags:
        """Which agent made a forecast."""
        return ~np.isnan(self.agent_p_up)

    def take(self, places: Ints) -> Self:
        """Some of them."""
        return type(self)(
            assets=self.assets,
            agents=self.agents,
            **{name: getattr(self, name)[..., places] for name in COLUMNS},
        )

    def records(self) -> Iterator[Prediction]:
        """One after another."""
        for n, (asset, ordinal) in enumerate(zip(self.asset.tolist(), self.day.tolist(), strict=True)):
            day = date.fromordinal(ordinal)
            yield Prediction(
                asset=self.assets[asset],
                day=day,
                as_of=known_from(day),
                p_up=float(self.p_up[n]),
                base_rate=float(self.base_rate[n]),
                parts=tuple(self._parts(n)),
            )

    def _parts(self, n: int) -> Iterator[Part]:
        for row, agent in enumerate(self.agents):
            p_up, raw = float(self.agent_p_up[row, n]), float(self.raw[row, n])
            if not isnan(p_up):
                yield Part(
                    agent_id=agent,
                    version=int(self.agent_version[row, n]),
                    p_up=p_up,
                    weight=float(self.weight[row, n]),
                    raw=None if isnan(raw) else raw,
                    moved=float(self.moved[row, n]),
                )


COLUMNS = tuple(name for name in Forecasts.__struct_fields__ if name not in {"assets", "agents"})
"""All that has a place for each forecast, on its last axis."""


class Outcomes(Struct, frozen=True, kw_only=True, eq=False):
    """Forecasts that are over. Days are ordinals, returns decimals from open to open, adjusted.

    `benchmark` is NaN where no other asset has both bars.
    """

    forecasts: Forecasts
    entry: Ints
    leave: Ints
    value: Floats
    benchmark: Floats

    def __len__(self) -> int:
        return len(self.value)

    @property
    def went_up(self) -> Flags:
        """Whether the price rose."""
        rose: Flags = self.value > 0
        return rose

    def take(self, places: Ints) -> Self:
        """Some of them."""
        return type(self)(
            forecasts=self.forecasts.take(places),
            entry=self.entry[places],
            leave=self.leave[places],
            value=self.value[places],
            benchmark=self.benchmark[places],
        )


class Made:
    """The forecasts of a replay while it goes on; `most` bounds their number."""

    def __init__(self, assets: Sequence[str], agents: Sequence[str], most: int) -> None:
        by_agent = len(agents), most
        self._size = 0
        self._columns = Forecasts(
            assets=assets,
            agents=agents,
            asset=np.empty(most, np.int64),
            row=np.empty(most, np.int64),
            day=np.empty(most, np.int64),
            p_up=np.empty(most),
            base_rate=np.empty(most),
            agent_p_up=np.empty(by_agent),
            agent_version=np.empty(by_agent, np.int64),
            weight=np.empty(by_agent),
            raw=np.empty(by_agent),
            moved=np.empty(by_agent),
        )

    def add(self, made: Forecasts) -> Ints:
        """Adds a day's; gives their places."""
        first, self._size = self._size, self._size + len(made)
        for name in COLUMNS:
            getattr(self._columns, name)[..., first : self._size] = getattr(made, name)
        return np.arange(first, self._size)

    def take(self, places: Ints) -> Forecasts:
        """Some of them."""
        return self._columns.take(places)


NO_FORECASTS = Made([], [], 0).take(np.empty(0, np.int64))
NO_OUTCOMES = Outcomes(
    forecasts=NO_FORECASTS,
    entry=np.empty(0, np.int64),
    leave=np.empty(0, np.int64),
    value=np.empty(0),
    benchmark=np.empty(0),
)


class Replayed(Struct, frozen=True, kw_only=True, eq=False):
    """Everything a replay found; `versions` are the agents' configurations as learned.

    `open` forecasts are not over, `unused` ones could not be entered.
    """

    resolved: Outcomes
    open: Forecasts
    unused: Forecasts
    versions: Mapping[str, Sequence[AgentConfig]]
    counts: Counts
    days: Sequence[date]
