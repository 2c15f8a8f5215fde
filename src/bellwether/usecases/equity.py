"""The record of the portfolios' equity in the lake: one object a portfolio and year, one line a day."""

import logging
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import quote

import msgspec

from bellwether.domain.entities import Portfolio
from bellwether.domain.equity import EquityDay, next_day
from bellwether.domain.portfolio_value import Market, valued
from bellwether.usecases.ports import Entities, Lake, Prices

EQUITY = "eval/equity/"
SPARE_DAYS = 5
LOOKED_BACK = 250
"""Trading days after which a record that was not continued is begun again."""
_decoder = msgspec.json.Decoder(EquityDay)
_log = logging.getLogger(__name__)


class DamagedRecord(ValueError):
    """An object of the record, `key`, is there and cannot be read: what it held is not known."""

    def __init__(self, key: str) -> None:
        super().__init__(f"{key} cannot be read")
        self.key = key
        _log.error("the recorded equity in %s cannot be read", key, extra={"object_key": key})


@dataclass(frozen=True, kw_only=True)
class EquityRecord:
    """Reads the record, and adds a day to it. Raises `DamagedRecord`."""

    lake: Lake

    def days(self, portfolio: str, as_of: datetime, most: int) -> list[EquityDay]:
        """What was written by `as_of` of the last `most` trading days and a little before, oldest first."""
        first = as_of - timedelta(days=most * 7 / 5 + SPARE_DAYS)
        found = [day for year in range(first.year, as_of.year + 1) for day in self._year(portfolio, year)]
        return [day for day in found if day.recorded_at <= as_of]

    def add(self, portfolio: str, day: EquityDay) -> None:
        """Adds a day to its year; a day that is there stays as it is."""
        earlier = self._year(portfolio, day.day.year)
        if any(known.day == day.day for known in earlier):
            return
        lines = [msgspec.json.encode(one) for one in [*earlier, day]]
        self.lake.put(key_of(portfolio, day.day.year), b"\n".join(lines) + b"\n", "application/x-ndjson")

    def _year(self, portfolio: str, year: int) -> list[EquityDay]:
        key = key_of(portfolio, year)
        content = self.lake.get(key) or b""
        try:
            return [_decoder.decode(line) for line in content.splitlines() if line.strip()]
        except msgspec.DecodeError as fault:
            raise DamagedRecord(key) from fault


def key_of(portfolio: str, year: int) -> str:
    """Where a portfolio's year lies; a name may hold anything, a key may not."""
    return f"{EQUITY}{quote(portfolio, safe='').replace('.', '%2E')}/{year:04d}.ndjson"


@dataclass(frozen=True, kw_only=True)
class RecordEquity:
    """Part of every evaluation: writes down each portfolio's last complete day, once."""

    entities: Entities
    prices: Prices
    lake: Lake

    def __call__(self, *, now: datetime) -> dict[str, EquityDay]:
        """The newest day of each portfolio whose equity is known, written now or before.

        A damaged record is left as it is, and its portfolio out.
        """
        newest = dict[str, EquityDay]()
        for portfolio in self.entities.portfolios():
            with suppress(DamagedRecord):
                day = self._newest(portfolio, now)
                if day is not None:
                    newest[portfolio.name] = day
        return newest

    def _newest(self, portfolio: Portfolio, now: datetime) -> EquityDay | None:
        record = EquityRecord(lake=self.lake)
        earlier = record.days(portfolio.name, now, LOOKED_BACK)
        last = earlier[-1] if earlier else None
        made = next_day(last, valued(self._market(portfolio, last, now), portfolio))
        if made is not None:
            record.add(portfolio.name, made)
        return made or last

    def _market(self, portfolio: Portfolio, last: EquityDay | None, now: datetime) -> Market:
        symbols = {p.symbol for p in portfolio.positions} | set(last.values if last else ())
        histories = {symbol: self.prices.history(symbol) for symbol in sorted(symbols)}
        return Market(as_of=now, histories=histories, assets={}, days=1)
