"""`bellwether backtest` on files."""

import csv
import json
from pathlib import Path
from typing import Any, NamedTuple

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import typer
from typer.testing import CliRunner

from bellwether.backtest import files as written
from bellwether.backtest.intake import in_order
from bellwether.backtest.records import Counts
from bellwether.cli import backtest as command
from bellwether.cli.main import Commands
from tests.unit.backtest.history import market, posts, weekdays

app = typer.Typer(cls=Commands)
command.register(app)
app.command("other")(lambda: None)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    lines = [msgspec.json.encode(item) for item, _ in posts(weekdays(330)[285], 60)]
    (tmp_path / "items.ndjson").write_bytes(b"\n".join([*lines, lines[0], b'{"text": "no time"}']))
    with (tmp_path / "prices.csv").open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["symbol", "date", "open", "high", "low", "close", "adj_close", "volume"])
        for h in market().values():
            for row in range(len(h.dates)):
                bar = (h.open, h.high, h.low, h.close, h.adj_close, h.volume)
                writer.writerow([h.symbol, h.dates[row], *(column[row] for column in bar)])
        writer.writerow(["BEACON", "2024-01-06", "", "", "", "", "", ""])
    (tmp_path / "companies.tsv").write_text("Symbol\tCompany\n$BEACON\tBeacon\n$HARBOR\tHarbor\n$ZZZ\tNone\n")
    return tmp_path


def run(folder: Path, *more: object, items: str = "items.ndjson", json_: bool = True) -> Any:
    arguments = ["backtest", "--items", folder / items, "--prices", folder / "prices.csv", *more]
    return CliRunner().invoke(app, [*map(str, arguments), *(["--json"] if json_ else [])])


def test_the_answer_has_every_figure_with_its_interval(folder: Path) -> None:
    done = run(folder, "--out", folder / "out", "--companies", folder / "companies.tsv")
    assert done.exit_code == 0, done.output
    document = json.loads(done.stdout)
    for name in ("n", "accuracy", "mcc", "ic", "brier", "ece"):
        assert set(document[name]) == {"value", "ci95"}
    assert document["edge"] == "none"
    assert document["n"]["value"] > 20
    low, high = document["accuracy"]["ci95"]
    assert low <= document["accuracy"]["value"] <= high
    assert document["period"]["assets"] == 2
    assert document["counts"]["duplicates"] == 1
    assert document["counts"]["rejected"] == 1
    assert document["counts"]["bars_held_back"] == 1
    assert {agent["agent_id"] for agent in document["agents"]} == {"attention", "momentum", "sentiment"}
    assert len(document["trading"]["strategies"]) == 4


def test_the_same_seed_gives_the_same_bytes(folder: Path) -> None:
    for name in ("one", "two"):
        assert run(folder, "--out", folder / name, "--seed", 7).exit_code == 0
    for file in written.FILES:
        assert (folder / "one" / file).read_bytes() == (folder / "two" / file).read_bytes()
    assert run(folder, "--out", folder / "three", "--seed", 8).exit_code == 0
    one, three = (json.loads((folder / n / "report.json").read_bytes()) for n in ("one", "three"))
    assert one["accuracy"]["value"] == three["accuracy"]["value"]
    assert one["accuracy"]["ci95"] != three["accuracy"]["ci95"]


def test_the_page_needs_nothing_else(folder: Path) -> None:
    assert run(folder, "--out", folder / "out", json_=False).exit_code == 0
    page = (folder / "out" / "report.html").read_text()
    assert page.count("<svg") == 5
    assert "http" not in page
    assert "<script" not in page
    forecasts = pq.read_table(folder / "out" / "forecasts.parquet")
    assert forecasts.num_rows == json.loads((folder / "out" / "report.json").read_bytes())["n"]["value"]
    assert {"asset", "as_of", "p_up", "raw_return", "sentiment_weight"} <= set(forecasts.column_names)


def test_columns_as_platforms_name_them(folder: Path) -> None:
    rows = [item for item, _ in posts(weekdays(330)[285], 60)]
    columns = {
        "id": [item.source_id for item in rows],
        "created_at": [item.published_at.isoformat() for item in rows],
        "author": [item.author for item in rows],
        "followers": [5] * len(rows),
        "retweet_of": [""] * len(rows),
        "lang": ["en"] * len(rows),
        "text": [item.text for item in rows],
    }
    pq.write_table(pa.table(columns), folder / "posts.parquet")
    done = run(folder, "--out", folder / "out", items="posts.parquet")
    counts = json.loads(done.stdout)["counts"]
    assert (counts["items"], counts["rejected"]) == (len(rows), 0)
    assert counts["linked"] > 100


@pytest.mark.parametrize("name", ["posts.parquet", "posts.csv"])
def test_rows_that_are_no_items_are_counted_and_progress_told(name: str, tmp_path: Path) -> None:
    """Parquet is read two thousand rows at a time, other files row by row."""
    rows = [(f"p{n}", "2024-01-02T10:00:00Z" if n % 1_500 else "", f"Beacon rises {n}") for n in range(4_500)]
    columns = dict(zip(("id", "date", "text"), zip(*rows, strict=True), strict=True))
    pq.write_table(pa.table(columns), tmp_path / "posts.parquet")
    with (tmp_path / "posts.csv").open("w", newline="") as file:
        csv.writer(file).writerows([tuple(columns), *rows])
    counts, told = Counts(), Told([])
    batches = list(command._items(str(tmp_path / name), counts, told))
    found = [item.source_id for batch in batches for item, _ in batch]
    assert (counts.items, counts.rejected) == (3, 3)
    assert found == [row[0] for row in rows if row[1]]
    if name == "posts.csv":
        assert told.advanced == 4 * [1_000]
    else:
        assert told.advanced == 2 * [2_000]
    taken = in_order((pair for batch in batches for pair in batch), counts)
    assert (counts.items, counts.rejected, len(taken)) == (4_500, 3, 4_497)


class Told(NamedTuple):
    """Stands in for a progress bar."""

    advanced: list[int]

    def advance(self, count: int) -> None:
        self.advanced.append(count)


def test_days_and_horizon_bound_the_forecasts(folder: Path) -> None:
    days = weekdays(330)
    first, last = days[290], days[300]
    done = run(folder, "--out", folder / "out", "--from", first, "--to", last, "--horizon", 5)
    period = json.loads(done.stdout)["period"]
    assert (period["first"], period["last"], period["days"]) == (str(first), str(last), 11)


def test_what_cannot_be_used_is_said(folder: Path) -> None:
    assert run(folder, "--from", "2024-05-02", "--to", "2024-05-01").exit_code == 2
    assert run(folder, items="absent.ndjson").exit_code == 2
    (folder / "none.tsv").write_text("symbol\nZZZ\n")
    assert run(folder, "--companies", folder / "none.tsv").exit_code == 1
    assert run(folder, "--out", folder / "items.ndjson").exit_code == 2
    assert not (folder / "backtest").exists()


def told(done: Any) -> str:
    return str(json.loads(done.stdout)["error"]["detail"])


def test_items_that_nothing_can_be_done_with_are_said(folder: Path) -> None:
    (folder / "empty.csv").write_text("")
    assert "it is empty" in told(run(folder, items="empty.csv"))
    (folder / "header.csv").write_text("text,published_at\n")
    assert "none of the files holds an item" in told(run(folder, items="header.csv"))
    (folder / "other.csv").write_text("words,moment\nhello,2024-01-01\n")
    assert "its columns are: words, moment" in told(run(folder, items="other.csv"))
    (folder / "late.csv").write_text("text,published_at\n$BEACON up,2026-01-05T10:00:00Z\n")
    said = told(run(folder, items="late.csv"))
    assert "items from 2026-01-05" in said
    assert "bars from 2024-01-01" in said
    assert "no day in common within --to 2023-01-01" in told(run(folder, "--to", "2023-01-01"))
    assert not (folder / "backtest").exists()


def test_prices_alone_are_no_backtest_and_of_others_it_is_said(folder: Path) -> None:
    alone = CliRunner().invoke(app, ["backtest", "--prices", str(folder / "prices.csv")])
    assert alone.exit_code == 2
    day = weekdays(330)[300]
    (folder / "aside.csv").write_text(f"text,published_at\nThe weather is fine,{day}T10:00:00Z\n")
    done = run(folder, "--out", folder / "out", items="aside.csv")
    assert done.exit_code == 0
    assert "none of the items is about one of the assets" in done.stderr


def test_an_interrupted_run_leaves_the_old_report(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = folder / "out"
    assert run(folder, "--out", out).exit_code == 0
    before = {path.name: path.read_bytes() for path in out.iterdir()}

    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(written, "_write_forecasts", interrupted)
    assert run(folder, "--out", out, "--seed", 3).exit_code == 130
    assert {path.name: path.read_bytes() for path in out.iterdir()} == before
    assert run(folder, "--out", folder / "new" / "out").exit_code == 130
    assert not (folder / "new").exists()


def test_files_that_are_being_moved_are_all_moved(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Never an old page beside new figures."""
    out = folder / "out"
    assert run(folder, "--out", out).exit_code == 0
    assert run(folder, "--out", folder / "three", "--seed", 3).exit_code == 0
    replace, calls = Path.replace, 0

    def once_interrupted(self: Path, target: Path) -> Path:
        nonlocal calls
        calls += 1
        if calls == 2:
            raise KeyboardInterrupt
        return replace(self, target)

    monkeypatch.setattr(Path, "replace", once_interrupted)
    assert run(folder, "--out", out, "--seed", 3).exit_code == 130
    assert sorted(path.name for path in out.iterdir()) == sorted(written.FILES)
    for file in written.FILES:
        assert (out / file).read_bytes() == (folder / "three" / file).read_bytes()
