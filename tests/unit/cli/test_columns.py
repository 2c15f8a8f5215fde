"""Parquet read column by column gives what reading it row by row gives, whatever is in it."""

import io
import math
from datetime import UTC, date, datetime
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from bellwether.cli import bar_columns
from bellwether.cli.bar_files import BarFile, read_bars
from bellwether.cli.readers import Document, RowReader, item_columns, read_items

ROWS = 60
PLAIN: dict[str, list[Any]] = {
    "id": [f"p{n}" for n in range(ROWS)],
    "created_at": [f"2024-01-{n % 28 + 1:02}T10:00:{n % 60:02}Z" for n in range(ROWS)],
    "author": [f"a{n % 7}" if n % 5 else "" for n in range(ROWS)],
    "followers": list(range(ROWS)),
    "text": [f"$AAPL rises for the {n}th time" for n in range(ROWS)],
}
ODD: dict[str, list[Any]] = {
    "id": [None, " ", "a" * 513, "nul\x00"],
    "created_at": [None, "", "2024-02-30T10:00:00Z", "2024-01-01 10:00", "20240102", "yesterday"],
    "author": [None, "  ", "b" * 257],
    "followers": [None],
    "text": [None, "", " \n", "x" * 100_001, "a\x00b", "İstanbul 🚀"],
}


def read(table: pa.Table) -> tuple[list[Any], RowReader]:
    content = io.BytesIO()
    pq.write_table(table, content)
    content.seek(0)
    reader = RowReader()
    lines = read_items(Document(name="t", stream=content, size=0), reader)
    return [(at, item, fault and (fault.code, fault.detail), kind) for at, item, fault, kind in lines], reader


def both_ways(table: pa.Table, monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    by_column, one = read(table)
    with monkeypatch.context() as patch:
        patch.setattr(item_columns, "items_of", lambda *_: None)
        by_row, other = read(table)
    assert by_column == by_row
    assert (one.zoneless, one.ignored) == (other.zoneless, other.ignored)
    return by_column


@pytest.mark.parametrize("seed", range(25))
def test_odd_cells(seed: int, monkeypatch: pytest.MonkeyPatch) -> None:
    random = Random(seed)
    columns = {name: list(cells) for name, cells in PLAIN.items()}
    for _ in range(random.randrange(3)):
        name = random.choice(list(ODD))
        columns[name][random.randrange(ROWS)] = random.choice(ODD[name])
    if random.random() < 0.4:
        del columns[random.choice(["id", "author", "followers"])]
    both_ways(pa.table(columns), monkeypatch)


@pytest.mark.parametrize(
    "more",
    [
        {"source": ["x"] * ROWS},
        {"source": ["RSS ", "reddit", None] * 20},
        {"source": ["nowhere"] * ROWS},
        {"likes": [0.5, math.nan, None, 3.0] * 15, "replies": [1] * ROWS},
        {"likes": [math.inf] * ROWS},
        {"likes": ["3", "", "many"] * 20},
        {"engagement": ['{"likes": 3}'] * ROWS},
        {"id": list(range(ROWS))},
        {"id": [1.0, None, 2.5] * 20},
        {"created_at": [datetime(2024, 1, 1, 10, tzinfo=UTC)] * ROWS},
        {"created_at": [datetime(2024, 1, 1, 10)] * ROWS},  # noqa: DTZ001 (a time without an offset)
        {"created_at": [date(2024, 1, 1)] * ROWS, "observed_at": ["2024-01-02T00:00:00Z"] * ROWS},
        {"title": ["Headline", None] * 30, "retweet_of": ["", "7"] * 30, "lang": ["en"] * ROWS},
        {"text": [b"bytes", b"\xff"] * 30},
        {"published_at": ["2024-03-01T00:00:00Z"] * ROWS, "unknown": [1] * ROWS},
        {"x" * 41: [1] * ROWS, "engagement_" + "y" * 41: [1] * ROWS},
    ],
)
def test_columns_of_every_kind(more: dict[str, list[Any]], monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(both_ways(pa.table({**PLAIN, **more}), monkeypatch)) == ROWS


def test_nothing_amiss_is_read_by_column() -> None:
    batch = pa.table(PLAIN).to_batches()[0]
    items = item_columns.items_of(batch, RowReader())
    assert items is not None
    assert len(items) == ROWS


BARS: dict[str, list[Any]] = {
    "Symbol": ["$aapl", "MSFT"] * 30,
    "date": [f"2024-01-{n % 28 + 1:02}" for n in range(ROWS)],
    "open": [10.0 + n for n in range(ROWS)],
    "high": [12.0 + n for n in range(ROWS)],
    "low": [9.0 + n for n in range(ROWS)],
    "close": [11.0 + n for n in range(ROWS)],
    "adj_close": [5.5 + n for n in range(ROWS)],
    "volume": [0 if n == 7 else 1_000 + n for n in range(ROWS)],
}


def bars(path: Path) -> tuple[list[Any], BarFile]:
    *_, found = read_bars(str(path), today=date(2024, 2, 1))
    return list(found.histories()), found


@pytest.mark.parametrize(
    "more",
    [
        {},
        {"close": [None, *BARS["close"][1:]]},
        {"open": [math.nan, *BARS["open"][1:]]},
        {"low": [0.0, *BARS["low"][1:]]},
        {"high": [1.0, *BARS["high"][1:]]},
        {"volume": [-1, *BARS["volume"][1:]]},
        {"volume": [math.inf, *map(float, BARS["volume"][1:])]},
        {"Symbol": [None, *BARS["Symbol"][1:]]},
        {"Symbol": [" $", *BARS["Symbol"][1:]]},
        {"date": ["2024-02-30", *BARS["date"][1:]]},
        {"date": ["2024-03-01", *BARS["date"][1:]]},
        {"date": ["20240103", *BARS["date"][1:]]},
        {"date": [date(2024, 1, n % 28 + 1) for n in range(ROWS)]},
        {"date": [datetime(2024, 1, n % 28 + 1, 5, tzinfo=UTC) for n in range(ROWS)]},
        {"open": [f"1,{n:03}" for n in range(ROWS)]},
        {"adj_close": None},
    ],
)
def test_bars(more: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    columns = {name: cells for name, cells in {**BARS, **more}.items() if cells is not None}
    pq.write_table(pa.table(columns), tmp_path / "b.parquet")
    by_column, one = bars(tmp_path / "b.parquet")
    with monkeypatch.context() as patch:
        patch.setattr(bar_columns, "bars_of", lambda *_: None)
        by_row, other = bars(tmp_path / "b.parquet")
    assert by_column == by_row
    assert by_column
    told = [(f.read, f.held, f.held_back, f.without_trade, f.repeated, f.unadjusted) for f in (one, other)]
    assert told[0] == told[1]
