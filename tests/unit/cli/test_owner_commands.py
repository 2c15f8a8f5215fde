"""`track`, `portfolio` and `prices import`: what an administrator writes directly."""

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.adapters.memory import MemoryPorts
from bellwether.cli.asset_files import clean_symbol
from bellwether.cli.bar_files import bar_of
from bellwether.domain.entities import Asset
from bellwether.domain.equity import EquityDay
from bellwether.domain.items import RejectedItem
from bellwether.usecases.equity import EquityRecord
from tests.unit.cli.conftest import DATA, Done

Typed = Callable[..., Done]


def test_an_asset_is_tracked_listed_and_removed(typed: Typed, ports: MemoryPorts) -> None:
    done = typed(
        "track",
        "add",
        "$ko",
        "--name",
        "Coca-Cola Company",
        "--alias",
        "Coke",
        "--alias",
        "Coca-Cola",
        "--sector",
        "S",
    )
    assert done.code == 0
    assert ports.entities.assets() == [
        Asset(symbol="KO", name="Coca-Cola Company", aliases=("Coke", "Coca-Cola"), sector="S")
    ]
    listed = typed("track", "list", "--json").document
    assert [asset["symbol"] for asset in listed["assets"]] == ["KO"]
    assert "Coca-Cola Company" in typed("track", "list").out
    assert typed("track", "remove", "KO").code == 0
    gone = typed("track", "remove", "KO", "--json")
    assert gone.code == 1
    assert "not tracked" in gone.document["error"]["detail"]


def test_a_symbol_that_is_none_is_wrong_use(typed: Typed, ports: MemoryPorts) -> None:
    assert typed("track", "add", "two words", "--name", "X").code == 2
    assert ports.entities.assets() == []


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("a.tsv", b"Sector\tSymbol\tCompany\nEnergy\t$XOM\tExxon Mobil\n\t\tNo symbol\nTech\t$AAPL\tApple\n"),
        (
            "a.csv",
            "ticker;name;aliases;sector\nxom;Exxon Mobil;;Energy\n;No symbol;;\nAAPL;Apple;;Tech\n".encode(
                "utf-16"
            ),
        ),
        (
            "a.json",
            b'{"0": {"ticker": "XOM", "title": "Exxon Mobil"}, "1": {"title": "No"}, '
            b'"2": {"ticker": "AAPL", "title": "Apple"}}',
        ),
        (
            "a.ndjson",
            b'{"symbol": "XOM", "name": "Exxon Mobil"}\n{"name": "No"}\n'
            b'{"symbol": "AAPL", "company": "Apple"}\n',
        ),
    ],
)
def test_a_list_of_any_form_goes_in_but_for_its_bad_row(
    typed: Typed, ports: MemoryPorts, tmp_path: Path, name: str, content: bytes
) -> None:
    (tmp_path / name).write_bytes(content)
    done = typed("track", "import", str(tmp_path / name), "--json")
    assert done.code == 0
    assert done.document["imported"] == 2
    assert [told["row"] for told in done.document["refused"]] == [2]
    assert [(asset.symbol, asset.name) for asset in ports.entities.assets()] == [
        ("AAPL", "Apple"),
        ("XOM", "Exxon Mobil"),
    ]


def test_aliases_and_restrictions_are_read_and_repeats_named(
    typed: Typed, ports: MemoryPorts, tmp_path: Path
) -> None:
    file = tmp_path / "a.csv"
    file.write_text(
        "symbol,name,aliases,restricted\nKO,Coca-Cola,Coke; Coca Cola |Coke,yes\n"
        "ko,Again,,\nPEP,Pepsi,,maybe\n"
    )
    refused = typed("track", "import", str(file), "--json").document["refused"]
    assert [(told["row"], told["code"]) for told in refused] == [(2, "repeated"), (3, "invalid_asset")]
    (asset,) = ports.entities.assets()
    assert (asset.aliases, asset.restricted) == (("Coke", "Coca Cola"), True)


def test_a_list_without_any_asset_is_a_failure(typed: Typed, ports: MemoryPorts, tmp_path: Path) -> None:
    (tmp_path / "a.csv").write_text("symbol,name\n,Nobody\n")
    assert typed("track", "import", str(tmp_path / "a.csv")).code == 1
    (tmp_path / "b.csv").write_text("colour,name\nred,Nobody\n")
    done = typed("track", "import", str(tmp_path / "b.csv"), "--json")
    assert done.code == 1
    assert "colour" in done.document["error"]["detail"]


def test_feeds_and_subreddits_are_tracked(typed: Typed, ports: MemoryPorts) -> None:
    url = "https://example.org/" + "x" * 1_900
    assert typed("track", "feed", "add", url, "--unchecked").code == 0
    assert typed("track", "subreddit", "add", "r/stocks").code == 0
    assert typed("track", "feed", "add", "not a url").code == 2
    assert ports.entities.records("feed") == [{"url": url}]
    assert ports.entities.records("subreddit") == [{"name": "stocks"}]
    assert typed("track", "feed", "remove", url).code == 0
    assert typed("track", "subreddit", "remove", "stocks").code == 0
    assert typed("track", "subreddit", "remove", "stocks").code == 1


@pytest.mark.req("A2")
def test_queries_are_tracked_listed_and_removed(typed: Typed, ports: MemoryPorts) -> None:
    assert typed("track", "query", "list").out.startswith("No query is tracked")
    assert typed("track", "query", "add", '  $KO  OR "Coca Cola" [ETF]').code == 0
    assert typed("track", "query", "add", '$KO OR "Coca Cola" [ETF]', "--json").document == {
        "query": {"text": '$KO OR "Coca Cola" [ETF]'}
    }
    assert ports.entities.records("query") == [{"text": '$KO OR "Coca Cola" [ETF]'}]
    assert typed("track", "list", "--json").document["queries"] == ports.entities.records("query")
    assert 'query      $KO OR "Coca Cola" [ETF]' in typed("track", "list").out
    assert typed("track", "query", "list", "--json").document == {"queries": ports.entities.records("query")}
    assert '$KO OR "Coca Cola" [ETF]' in typed("track", "query", "list").out
    assert typed("track", "query", "remove", '$KO OR "Coca Cola"  [ETF]').code == 0
    assert ports.entities.records("query") == []
    assert typed("track", "query", "remove", "$KO").code == 1


@pytest.mark.parametrize(("text", "code"), [("", 2), ("   ", 2), ("x", 0), ("x" * 512, 0), ("x" * 513, 2)])
def test_a_query_has_one_to_512_characters(typed: Typed, ports: MemoryPorts, text: str, code: int) -> None:
    assert typed("track", "query", "add", text).code == code
    assert len(ports.entities.records("query")) == (code == 0)


def test_a_portfolio_keeps_its_positions_when_its_cash_changes(typed: Typed, ports: MemoryPorts) -> None:
    assert typed("portfolio", "set", "core", "--cash", "1000").code == 0
    assert typed("portfolio", "position", "core", "$xom", "-100", "--cost", "110.5").code == 0
    assert typed("portfolio", "position", "core", "KO", "10", "--cost", "50").code == 0
    assert typed("portfolio", "set", "core", "--cash", "2000").code == 0
    shown = typed("portfolio", "show", "core", "--json").document
    assert (shown["cash"], shown["currency"]) == (2000.0, "USD")
    assert [(p["symbol"], p["quantity"], p["cost"]) for p in shown["positions"]] == [
        ("KO", 10.0, 50.0),
        ("XOM", -100.0, 110.5),
    ]
    assert typed("portfolio", "position", "core", "KO", "0", "--cost", "0").code == 0
    listed = typed("portfolio", "list", "--json").document["portfolios"]
    assert [[p["symbol"] for p in one["positions"]] for one in listed] == [["XOM"]]


def test_the_recorded_equity_is_shown_newest_first(typed: Typed, ports: MemoryPorts) -> None:
    typed("portfolio", "set", "core", "--cash", "1000")
    assert typed("portfolio", "equity", "nobody").code == 1
    assert "bellwether evaluate" in typed("portfolio", "equity", "core").out
    assert typed("portfolio", "equity", "core", "--json").document == {"name": "core", "days": []}
    today = datetime.now(UTC)
    for back, index in ((3, 1.0), (2, 1.25), (1, 1.0)):
        at = today - timedelta(days=back)
        day = EquityDay(
            day=at.date(), recorded_at=at, equity=1000.0, cash=1000.0, values={}, priced={}, index=index
        )
        EquityRecord(lake=ports.lake).add("core", day)
    days = typed("portfolio", "equity", "core", "--json").document["days"]
    assert [day["index"] for day in days] == [1.0, 1.25, 1.0]
    assert [day["below_best"] for day in days] == pytest.approx([0.2, 0.0, 0.0])
    shown = typed("portfolio", "equity", "core", "--days", "2").out
    assert "20.00%" in shown
    assert str((today - timedelta(days=3)).date()) not in shown


def test_figures_that_are_none_are_wrong_use(typed: Typed, ports: MemoryPorts) -> None:
    assert typed("portfolio", "set", "core", "--cash", "nan").code == 2
    assert typed("portfolio", "set", "core", "--cash", "1").code == 0
    assert typed("portfolio", "position", "core", "KO", "inf", "--cost", "1").code == 2
    assert typed("portfolio", "position", "core", "KO", "1", "--cost", "-1").code == 2
    assert typed("portfolio", "position", "nobody", "KO", "1", "--cost", "1").code == 1


BARS = """symbol,date,open,high,low,close,adj_close,volume
$KO,2024-01-03,60,61,59,60.5,58,1000
KO,2024-01-02,60,61,59,60.2,57.9,0
KO,2024-01-04,,61,59,60,58,1000
KO,2024-01-05,60,58,59,60,58,1000
KO,2024-01-08,60,61,59,-1,58,1000
KO,not a day,60,61,59,60,58,1000
KO,2999-01-01,60,61,59,60,58,1000
KO,2024-01-03,60,61,59,60.6,58.1,2000
PEP,2024-01-02,160,161,159,160,158,nan
"""


def test_bars_are_gathered_by_symbol_and_bad_rows_held_back(
    typed: Typed, ports: MemoryPorts, tmp_path: Path
) -> None:
    (tmp_path / "bars.csv").write_text(BARS)
    done = typed("prices", "import", str(tmp_path / "bars.csv"), "--json")
    assert done.code == 0
    told = done.document
    assert (told["read"], told["bars"], told["changed"]) == (9, 2, 2)
    assert (told["without_trade"], told["repeated"], told["untracked"]) == (1, 1, ["KO"])
    assert [(r["row"], r["code"]) for r in told["held_back"]] == [
        (3, "no_figure"),
        (4, "impossible"),
        (5, "invalid_bar"),
        (6, "no_date"),
        (7, "in_the_future"),
        (9, "no_figure"),
    ]
    history = ports.prices.history("KO")
    assert history.dates == [date(2024, 1, 2), date(2024, 1, 3)]
    assert history.close == [60.2, 60.6]
    assert history.adj_close == [57.9, 58.1]
    assert history.volume == [0.0, 2000.0]
    again = typed("prices", "import", str(tmp_path / "bars.csv"), "--json").document
    assert (again["bars"], again["changed"]) == (2, 0)


def test_a_file_without_prices_is_refused_with_its_columns(
    typed: Typed, ports: MemoryPorts, tmp_path: Path
) -> None:
    (tmp_path / "bars.csv").write_text("symbol,date,close\nKO,2024-01-02,60\n")
    done = typed("prices", "import", str(tmp_path / "bars.csv"), "--json")
    assert done.code == 1
    assert "open, high, low" in done.document["files"][0]["refused"]


@settings(deadline=None)
@given(st.dates(date(1950, 1, 1), date(2024, 1, 1)), st.floats(0.01, 1e6), st.integers(0, 10**12))
def test_a_bar_is_read_as_it_was_written(day: date, price: float, volume: int) -> None:
    cells = {"symbol": "$ko", "date": day.isoformat(), "volume": str(volume)}
    cells |= dict.fromkeys(("open", "high", "low", "close", "adj_close"), repr(price))
    bar = bar_of(cells, date(2024, 1, 1))
    assert (bar.symbol, bar.date, bar.close, bar.volume) == ("KO", day, price, float(volume))


@pytest.mark.parametrize("stamp", ["2024-01-02T00:00:00+02:00", "2024-01-02 23:00:00", "20240102"])
def test_the_calendar_day_as_written_counts(stamp: str) -> None:
    cells = {"symbol": "KO", "date": stamp, **dict.fromkeys(("open", "high", "low", "close", "volume"), "1")}
    assert bar_of(cells, date(2024, 6, 1)).date == date(2024, 1, 2)


@settings(deadline=None)
@given(st.text(max_size=12))
def test_any_symbol_is_a_bar_or_a_reason(text: str) -> None:
    cells = {
        "symbol": text,
        "date": "2024-01-02",
        **dict.fromkeys(("open", "high", "low", "close", "volume"), 1.0),
    }
    try:
        symbol = bar_of(cells, date(2024, 6, 1)).symbol
    except RejectedItem as fault:
        symbol = None
        told = fault.detail
        assert told
    assert symbol in {None, clean_symbol(text)}


@pytest.mark.skipif(not (DATA / "stocknet").is_dir(), reason=f"no data in {DATA}")
def test_real_companies_and_prices_go_in(typed: Typed, ports: MemoryPorts) -> None:
    companies = typed("track", "import", str(DATA / "stocknet" / "companies.tsv"), "--json").document
    assert (companies["imported"], companies["refused"]) == (88, [])
    told = typed("prices", "import", str(DATA / "stocknet" / "prices.parquet"), "--json").document
    assert (told["read"], told["bars"] + told["held_back_total"]) == (66_100, 66_100)
    assert told["without_trade"] == 92
    assert len(ports.prices.history("AAPL").dates) > 700


def test_what_is_reported_as_done_was_made_durable(typed: Typed, ports: MemoryPorts, kept: list[str]) -> None:
    """A kill right after the command must not take the asset, and then its posts' signals, with it."""
    typed("track", "list")
    typed("track", "add", "two words", "--name", "X")
    assert kept == []
    typed("track", "add", "KO", "--name", "Coca-Cola Company")
    typed("portfolio", "set", "core", "--cash", "100")
    typed("track", "remove", "KO")
    assert kept == ["local", "local", "local"]
