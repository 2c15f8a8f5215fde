"""Daily bars of a file, checked row by row and gathered by symbol.

A row that is no bar (a missing or impossible figure, a day to come, a high below the low) is held back and
listed. A day without trade (`volume` 0) is kept: its price is the last one known, its liquidity is nil, which
is what the checks on liquidity have to see. Such days are counted.
"""

import math
from array import array
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, tzinfo
from typing import IO, Any

import msgspec

from bellwether.cli.asset_files import clean_symbol
from bellwether.cli.readers import open_document
from bellwether.cli.readers.fields import plain_name
from bellwether.cli.readers.formats import FileRefused, format_of, opened
from bellwether.cli.readers.tables import batch_rows, parquet_batches, table_rows
from bellwether.cli.readers.times import NoTime, read_time
from bellwether.domain.items import RejectedItem
from bellwether.domain.prices import Bar, History

COLUMNS = ("open", "high", "low", "close", "adj_close", "volume")
MOST_LISTED = 10_000
_NAMES = {
    "symbol": ("symbol", "ticker"),
    "date": ("date", "day"),
    "open": ("open",),
    "high": ("high",),
    "low": ("low",),
    "close": ("close",),
    "adj_close": ("adj_close", "adjusted_close", "adjclose"),
    "volume": ("volume",),
}
# Adjusted and rounded prices may leave the day's range by a rounding step.
_ROUNDING = 1e-4


@dataclass
class _Columns:
    """One symbol's bars while they are read: the figures of bar after bar, some 60 bytes each."""

    dates: list[date] = field(default_factory=list)
    figures: "array[float]" = field(default_factory=lambda: array("d"))

    def append(self, day: date, figures: Sequence[float]) -> None:
        """One bar, its figures in the order of `COLUMNS`."""
        self.dates.append(day)
        self.figures.extend(figures)

    def history(self, symbol: str) -> History:
        """Ascending, one row a date; of two rows of one date the later one in the file stands."""
        rows = sorted({day: row for row, day in enumerate(self.dates)}.items())
        order = [row * len(COLUMNS) for _, row in rows]
        columns = ([self.figures[first + place] for first in order] for place in range(len(COLUMNS)))
        return History(symbol, [day for day, _ in rows], *columns)


@dataclass
class BarFile:
    """What a file came to. `held_back` lists the first ten thousand rows that are no bar."""

    read: int = 0
    held: int = 0
    held_back: list[dict[str, Any]] = field(default_factory=list)
    without_trade: int = 0
    repeated: int = 0
    unadjusted: bool = False
    columns: dict[str, _Columns] = field(default_factory=dict)

    def add(self, symbol: str, day: date, figures: Sequence[float]) -> None:
        """Takes a bar, its figures in the order of `COLUMNS`."""
        columns = self.columns.get(symbol)
        if columns is None:
            columns = self.columns[symbol] = _Columns()
        columns.append(day, figures)

    def histories(self) -> Iterator[History]:
        """The bars of each symbol, by symbol."""
        for symbol in sorted(self.columns):
            found = self.columns[symbol]
            history = found.history(symbol)
            self.repeated += len(found.dates) - len(history.dates)
            yield history

    def require(self, names: list[str]) -> None:
        """Refuses a header that lacks a column (`FileRefused`); adjusted closes may be lacking."""
        known = {plain_name(name) for name in names}
        lacking = [target for target, named in _NAMES.items() if not known & set(named)]
        self.unadjusted = lacking == ["adj_close"]
        if lacking and not self.unadjusted:
            raise FileRefused(
                f"it has no column {', '.join(lacking)}; its columns are: {', '.join(names)[:300]}"
            )

    def hold_back(self, position: int, cells: Mapping[str, Any], fault: RejectedItem) -> None:
        """Counts and lists a row."""
        self.held += 1
        if len(self.held_back) < MOST_LISTED:
            told = {"row": position, "symbol": _shown(cells.get("symbol")), "date": _shown(cells.get("date"))}
            self.held_back.append({**told, "code": fault.code, "detail": fault.detail})


def read_bars(name: str, *, today: date | None = None) -> Iterator[BarFile]:
    """Reads a file; yields the same growing result every few thousand rows, for progress, and at the end.

    Raises `FileRefused` when it is no table or lacks a column.
    """
    found = BarFile()
    last_day = today or datetime.now(UTC).date()
    with open_document(name) as document:
        stream = opened(document.stream)
        kind, encoding = format_of(stream)
        if kind == "parquet":
            yield from _take_batches(found, stream, last_day)
        elif kind == "table":
            for position, row in table_rows(stream, encoding, found.require):
                found.read += 1
                _take(found, position, row, last_day)
                if found.read % 5_000 == 0:
                    yield found
        else:
            raise FileRefused("bars are read from CSV, TSV or Parquet")
    yield found


def _take_batches(found: BarFile, stream: IO[bytes], last_day: date) -> Iterator[BarFile]:
    from bellwether.cli.bar_columns import bars_of

    for first, batch in parquet_batches(stream, found.require):
        found.read += batch.num_rows
        cells = _named(dict(zip(batch.schema.names, batch.columns, strict=True)))
        columns = {name: column for name, column in cells.items() if column is not None}
        bars = bars_of(columns, COLUMNS, last_day, _ROUNDING)
        if bars is None:
            for position, row in batch_rows(first, batch):
                _take(found, position, row, last_day)
        else:
            found.without_trade += bars.without_trade
            for symbol, day, figures in bars.rows():
                found.add(symbol, day, figures)
        yield found


def _take(found: BarFile, position: int, row: Mapping[str, Any] | RejectedItem, last_day: date) -> None:
    cells: dict[str, Any] = {}
    try:
        cells = _named(row)
        bar = bar_of(cells, last_day)
    except RejectedItem as fault:
        found.hold_back(position, cells, fault)
        return
    found.without_trade += bar.volume == 0
    figures = [getattr(bar, name) for name in COLUMNS]
    found.add(bar.symbol, bar.date, figures)


def _named(row: Mapping[str, Any] | RejectedItem) -> dict[str, Any]:
    if isinstance(row, RejectedItem):
        raise row
    cells = {plain_name(str(name)): cell for name, cell in row.items()}
    return {target: next((cells[n] for n in names if n in cells), None) for target, names in _NAMES.items()}


def bar_of(cells: Mapping[str, Any], last_day: date) -> Bar:
    """One bar from cells named like its fields. Raises `RejectedItem`."""
    figures = {name: _figure(name, cells.get(name)) for name in COLUMNS if name != "adj_close"}
    adjusted = cells.get("adj_close")
    figures["adj_close"] = figures["close"] if adjusted is None else _figure("adj_close", adjusted)
    day = _day(cells.get("date"))
    if day > last_day:
        raise RejectedItem("in_the_future", f"{day} is still to come")
    try:
        bar = msgspec.convert(
            {"symbol": clean_symbol(_shown(cells.get("symbol")) or ""), "date": day, **figures}, Bar
        )
    except msgspec.ValidationError as fault:
        raise RejectedItem("invalid_bar", str(fault)) from None
    if not bar.symbol:
        raise RejectedItem("no_symbol", "there is no symbol")
    if bar.high < bar.low * (1 - _ROUNDING):
        raise RejectedItem("impossible", f"high {bar.high:g} is below low {bar.low:g}")
    return bar


def _figure(name: str, cell: Any) -> float:
    try:
        figure = float(str(cell).replace(",", "") if isinstance(cell, str) else cell)
    except (TypeError, ValueError):
        raise RejectedItem(
            "no_figure", f"{name} is {'missing' if cell in {None, ''} else 'no number'}"
        ) from None
    if not math.isfinite(figure):
        raise RejectedItem("no_figure", f"{name} is missing")
    return figure


def _day(cell: Any) -> date:
    if isinstance(cell, date) and not isinstance(cell, datetime):
        return cell
    if isinstance(cell, datetime):
        return cell.date()
    # The calendar day as written counts: a zone's offset must not move a bar to the day before.
    zone: tzinfo = UTC
    try:
        at, _ = read_time(cell, zone)
        text = str(cell).strip()
        day = date.fromisoformat(text[:10]) if text[4:5] == "-" else at.date() if at else None
    except (NoTime, ValueError) as fault:
        raise RejectedItem("no_date", str(fault)) from None
    if day is None:
        raise RejectedItem("no_date", "date is missing")
    return day


def _shown(cell: Any) -> str | None:
    return None if cell is None else str(cell)[:60]
