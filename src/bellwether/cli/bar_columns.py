"""Bars of a whole batch of Parquet rows, column by column: what `bar_files.bar_of` makes of them, faster.

Only where every row is a bar. Anything missing, impossible or written in another way gives the whole batch
back to be read row by row, which says what is wrong with which row.
"""

from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import TYPE_CHECKING, Any, NamedTuple

from bellwether.cli.asset_files import clean_symbol

if TYPE_CHECKING:
    import pyarrow as pa

_DAY = len("2024-01-31")


class BarColumns(NamedTuple):
    """The rows' symbols, days and figures, the figures in the order they were asked for."""

    symbols: list[str]
    days: list[date]
    figures: Sequence[list[float]]
    without_trade: int

    def rows(self) -> Iterator[tuple[str, date, tuple[float, ...]]]:
        """Row by row."""
        return zip(self.symbols, self.days, zip(*self.figures, strict=True), strict=True)


def bars_of(
    columns: Mapping[str, "pa.Array[Any]"], names: Sequence[str], last_day: date, rounding: float
) -> BarColumns | None:
    """The bars of columns named like their fields; `None` when each row has to be looked at."""
    figures = {name: _figures(columns.get(name)) for name in names if name != "adj_close"}
    figures["adj_close"] = _figures(columns["adj_close"]) if "adj_close" in columns else figures["close"]
    symbols, days = _symbols(columns["symbol"]), _days(columns["date"], last_day)
    if symbols is None or days is None or not _possible(figures, rounding):
        return None
    return BarColumns(
        symbols,
        days,
        [figures[name].to_pylist() for name in names],
        sum(volume == 0 for volume in figures["volume"].to_pylist()),
    )


def _figures(column: Any) -> Any:
    """As doubles; `None` unless they are numbers, all of them there and finite."""
    import pyarrow as pa
    import pyarrow.compute as pc

    if column is None or column.null_count or not len(column):
        return None
    if not (pa.types.is_floating(column.type) or pa.types.is_integer(column.type)):
        return None
    figures = column.cast(pa.float64(), safe=False)
    return figures if pc.all(pc.is_finite(figures)).as_py() else None


def _possible(figures: Mapping[str, Any], rounding: float) -> bool:
    """Whether all prices are above 0, no volume below it, and no high below its low."""
    import pyarrow.compute as pc

    if any(column is None for column in figures.values()):
        return False
    least = {name: pc.min(column).as_py() for name, column in figures.items()}
    if least.pop("volume") < 0 or min(least.values()) <= 0:
        return False
    ordered = pc.greater_equal(figures["high"], pc.multiply(figures["low"], 1 - rounding))
    return bool(pc.all(ordered).as_py())


def _is_text(column: Any) -> bool:
    import pyarrow as pa

    return bool(pa.types.is_string(column.type) or pa.types.is_large_string(column.type))


def _symbols(column: Any) -> list[str] | None:
    if column.null_count or not _is_text(column):
        return None
    cells = column.to_pylist()
    clean = {cell: clean_symbol(cell[:60]) for cell in set(cells)}
    return [clean[cell] for cell in cells] if all(clean.values()) else None


def _days(column: Any, last_day: date) -> list[date] | None:
    import pyarrow as pa

    if column.null_count or not (_is_text(column) or pa.types.is_date32(column.type)):
        return None
    cells = column.to_pylist()
    try:
        known = {cell: _day(cell) for cell in set(cells)}
    except ValueError:
        return None
    return [known[cell] for cell in cells] if max(known.values()) <= last_day else None


def _day(cell: str | date) -> date:
    if isinstance(cell, date):
        return cell
    if len(cell) != _DAY:
        raise ValueError(cell)
    return date.fromisoformat(cell)
