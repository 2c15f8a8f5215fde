"""A backtest whose files are objects of the lake."""

import csv
import io
import json
from datetime import date, timedelta

import pytest

from bellwether.adapters.memory import MemoryPorts
from bellwether.cli.backtest_job import run
from bellwether.cli.failures import WrongUse

FIRST = date(2024, 1, 1)


def bars() -> bytes:
    text = io.StringIO()
    rows = csv.writer(text)
    rows.writerow(["symbol", "date", "open", "high", "low", "close", "volume"])
    for number in range(40):
        close = 100 + number % 7
        day = FIRST + timedelta(days=number)
        if day.weekday() < 5:
            rows.writerow(["KO", day.isoformat(), close, close + 1, close - 1, close, 1_000])
    return text.getvalue().encode()


def posts() -> bytes:
    lines = [
        {
            "source": "x",
            "source_id": str(number),
            "published_at": f"{FIRST + timedelta(days=number)}T12:00:00Z",
            "author": f"a{number}",
            "text": f"$KO beats estimates, record profit number {number}",
        }
        for number in range(40)
    ]
    return "\n".join(json.dumps(line) for line in lines).encode()


@pytest.mark.req("X2", "D5")
def test_a_job_reads_the_lake_and_leaves_its_report_there() -> None:
    lake = MemoryPorts().lake
    lake.put("raw-data/posts.ndjson", posts())
    lake.put("curated-data/bars.csv", bars())
    keys = run(
        lake, ["raw-data/posts.ndjson", "curated-data/bars.csv", "-", "run-1", "--seed", "3", "--json"]
    )
    assert keys == [f"backtests/run-1/{name}" for name in ("forecasts.parquet", "report.html", "report.json")]
    report = json.loads(lake.get("backtests/run-1/report.json") or b"")
    assert report["counts"]["items"] == 40


def test_an_object_that_is_not_there_is_named() -> None:
    with pytest.raises(WrongUse, match=r"no object raw-data/none"):
        run(MemoryPorts().lake, ["raw-data/none", "x", "-", "run-1"])


@pytest.mark.parametrize("name", ["", "../other", "a/b", "-"])
def test_a_name_that_would_lead_elsewhere_is_refused(name: str) -> None:
    with pytest.raises(WrongUse, match="its name"):
        run(MemoryPorts().lake, ["a", "b", "-", name])


def test_a_replay_that_fails_leaves_no_report_and_fails_the_job(capsys: pytest.CaptureFixture[str]) -> None:
    lake = MemoryPorts().lake
    lake.put("raw-data/posts.ndjson", posts())
    lake.put("curated-data/bars.csv", b"symbol,date,open,high,low,close,volume\n")
    with pytest.raises(SystemExit):
        run(lake, ["raw-data/posts.ndjson", "curated-data/bars.csv", "-", "run-1", "--json"])
    assert list(lake.list("backtests/")) == []
