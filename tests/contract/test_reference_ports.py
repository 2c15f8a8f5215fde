"""Entities, configurations, controls, prices and named objects."""

from datetime import UTC, date, datetime, timedelta
from functools import partial

import msgspec
import pytest

from bellwether.adapters.aws.prices import S3Prices
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.corporate_actions import Actions, Dividend, Split
from bellwether.domain.entities import Asset, Feed, Portfolio, Position
from bellwether.domain.prices import History
from bellwether.domain.problems import Conflict
from tests.contract.conftest import Ports, ServicePorts, at_once
from tests.contract.records import NOON, WORDS, history


def test_entities_are_listed_by_name_and_replaced_by_id(ports: Ports) -> None:
    for symbol in ("MSFT", "AAPL", "BRK.B"):
        ports.entities.put("asset", symbol, Asset(symbol=symbol, name=WORDS, aliases=("ä",)))
    ports.entities.put("asset", "AAPL", Asset(symbol="AAPL", name="Apple", restricted=True))
    assert [one.symbol for one in ports.entities.assets()] == ["AAPL", "BRK.B", "MSFT"]
    assert ports.entities.assets()[0].restricted
    assert ports.entities.assets()[1].name == WORDS


def test_portfolios_keep_their_figures_exactly(ports: Ports) -> None:
    held = Portfolio(
        name="main", cash=0.1 + 0.2, positions=(Position(symbol="AAPL", quantity=-1e-7, cost=1 / 3),)
    )
    ports.entities.put("portfolio", "main", held)
    assert ports.entities.portfolio("main") == held
    assert ports.entities.portfolios() == [held]
    assert ports.entities.portfolio("none") is None
    assert ports.entities.portfolio("") is None


def test_records_of_a_type_are_plain_values(ports: Ports) -> None:
    assert ports.entities.records("feed") == []
    ports.entities.put("feed", "f1", Feed(url="https://example.org/feed", title=WORDS))
    assert ports.entities.records("feed") == [{"url": "https://example.org/feed", "title": WORDS}]
    assert ports.entities.records("subreddit") == []


def test_removing_says_whether_there_was_anything(ports: Ports) -> None:
    ports.entities.put("asset", "AAPL", Asset(symbol="AAPL", name="Apple"))
    assert ports.entities.remove("asset", "AAPL")
    assert not ports.entities.remove("asset", "AAPL")
    assert ports.entities.assets() == []


def config(agent_id: str, version: int, slope: float = 0.1) -> AgentConfig:
    return AgentConfig(agent_id=agent_id, version=version, created_at=NOON, slope=slope, reason=WORDS)


@pytest.mark.req("D2")
def test_versions_follow_each_other_and_the_newest_is_current(ports: Ports) -> None:
    assert ports.configs.current() == {}
    assert ports.configs.versions("sentiment") == []
    made = [config("sentiment", number, slope=number / 3) for number in (1, 2, 10)]
    for one in (made[0], made[2], made[1], config("llm", 1)):
        ports.configs.put(one)
    assert ports.configs.versions("sentiment") == made
    assert ports.configs.current() == {"sentiment": made[2], "llm": config("llm", 1)}


def test_a_version_is_never_changed(ports: Ports) -> None:
    ports.configs.put(config("sentiment", 1))
    with pytest.raises(Conflict):
        ports.configs.put(config("sentiment", 1, slope=9.0))
    assert ports.configs.current() == {"sentiment": config("sentiment", 1)}


def test_of_writers_of_one_version_one_wins_and_no_newest_is_lost(ports: Ports) -> None:
    def write(number: int) -> bool:
        try:
            ports.configs.put(config("sentiment", 1 + number % 3, slope=float(number)))
        except Conflict:
            return False
        return True

    assert sum(at_once([partial(write, number) for number in range(9)])) == 3
    assert ports.configs.current()["sentiment"].version == 3


def test_agents_configured_at_the_same_time_are_all_current(ports: Ports) -> None:
    agents = [f"agent {number}" for number in range(8)]
    at_once([partial(ports.configs.put, config(agent, 1)) for agent in agents])
    assert sorted(ports.configs.current()) == agents


def test_controls_are_replaced_whole_and_are_no_agent(ports: Ports) -> None:
    assert ports.controls.controls() == {}
    ports.configs.put(config("sentiment", 1))
    limits = {"state": "HALTED", "limits": {"VAR_95": 0.1 + 0.2}, "restricted": ["GME"], "note": WORDS}
    assert ports.controls.change({"state": "ACTIVE", "old": True}, NOON) == 1
    assert ports.controls.change(limits, NOON) == 2
    assert ports.controls.controls() == limits
    assert list(ports.configs.current()) == ["sentiment"]


def test_no_change_of_controls_is_lost(ports: Ports) -> None:
    versions = at_once([partial(ports.controls.change, {"by": number}, NOON) for number in range(6)])
    assert sorted(versions) == [1, 2, 3, 4, 5, 6]
    assert ports.controls.controls() == {"by": versions.index(6)}


def test_every_version_of_the_controls_is_kept_and_a_named_one_is_written_once(ports: Ports) -> None:
    assert ports.controls.versions() == []
    assert ports.controls.change({"state": "HALTED"}, NOON, version=1) == 1
    assert ports.controls.change({"state": "ACTIVE"}, NOON + timedelta(hours=1), version=1) == 1
    assert ports.controls.controls() == {"state": "HALTED"}, "a version is never written over"
    assert ports.controls.change({"state": "ACTIVE"}, NOON + timedelta(hours=1)) == 2
    told = [(version.version, version.at, version.controls) for version in ports.controls.versions()]
    assert told == [(1, NOON, {"state": "HALTED"}), (2, NOON + timedelta(hours=1), {"state": "ACTIVE"})]


@pytest.mark.req("D5")
def test_bars_are_added_replaced_and_counted(ports: Ports) -> None:
    assert ports.prices.history("AAPL") == History("AAPL")
    assert ports.prices.merge(history(days=3)) == 3
    assert ports.prices.merge(history(days=3)) == 0
    assert ports.prices.merge(history(first_day=4, days=3, close=102.1)) == 2, "the first is there already"
    merged = ports.prices.history("AAPL")
    assert merged.dates == [date(2026, 11, day) for day in range(2, 7)]
    assert merged.close == [100.1, 101.1, 102.1, 103.1, 104.1]
    assert ports.prices.merge(history(first_day=3, days=1, close=0.1 + 0.2)) == 1
    assert ports.prices.history("AAPL").adj_close[1] == 0.1 + 0.2
    assert ports.prices.merge(History("AAPL")) == 0
    assert ports.prices.history("MSFT") == History("MSFT")


@pytest.mark.req("D5")
def test_splits_and_dividends_are_kept_beside_the_bars(ports: Ports) -> None:
    assert ports.prices.actions("AAPL") == Actions("AAPL")
    split = Split(date=date(2014, 6, 9), ratio=7.0)
    paid = Dividend(date=date(2014, 8, 7), cash=0.1 + 0.2)
    assert ports.prices.keep_actions(Actions("AAPL", (split,), (paid,))) == 2
    assert ports.prices.keep_actions(Actions("AAPL", (split,))) == 0
    earlier = Dividend(date=date(2014, 5, 8), cash=3.29)
    assert ports.prices.keep_actions(Actions("AAPL", (), (earlier,))) == 1
    assert ports.prices.actions("AAPL") == Actions("AAPL", (split,), (earlier, paid))
    assert ports.prices.actions("MSFT") == Actions("MSFT")
    assert ports.prices.history("AAPL") == History("AAPL")


def test_older_bars_go_before_newer_ones(ports: Ports) -> None:
    ports.prices.merge(history(first_day=10))
    ports.prices.merge(history(first_day=2))
    assert ports.prices.history("AAPL").dates == sorted(ports.prices.history("AAPL").dates)


@pytest.mark.parametrize("symbol", ["^GSPC", "BRK.B", "EURUSD=X", "RDS-A"])
def test_any_symbol_has_its_own_bars(ports: Ports, symbol: str) -> None:
    ports.prices.merge(history(symbol))
    assert ports.prices.history(symbol) == history(symbol)


def test_merges_that_race_lose_no_bar(ports: Ports) -> None:
    at_once([partial(ports.prices.merge, history(first_day=2 + 3 * number)) for number in range(6)])
    assert ports.prices.history("AAPL").dates == [date(2026, 11, day) for day in range(2, 20)]


def test_processes_that_race_lose_no_bar_and_see_it_within_a_minute(service_ports: ServicePorts) -> None:
    seconds = 0.0
    s3 = service_ports.make.clients.s3()
    stores = [S3Prices(s3, service_ports.bucket, lambda: seconds) for _ in range(4)]
    for store in stores:
        assert store.history("AAPL") == History("AAPL")
    at_once([partial(one.merge, history(first_day=2 + 3 * n)) for n, one in enumerate(stores)])
    seconds += 60
    assert [len(store.history("AAPL").dates) for store in stores] == [12] * 4
    before = stores[0].history("AAPL")
    seconds += 61
    assert stores[0].history("AAPL") is before, "unchanged by its ETag, so not decoded again"
    stores[1].merge(history(first_day=20, days=1))
    assert stores[0].history("AAPL") is before, "believed for a minute"
    seconds += 60
    assert len(stores[0].history("AAPL").dates) == 13


def test_objects_of_the_lake(ports: Ports) -> None:
    assert ports.lake.get("eval/none.json") is None
    for key in ("eval/b.json", "eval/a.json", "eval-other.json", "backtests/ü 1.json"):
        ports.lake.put(key, b"old")
        ports.lake.put(key, f"{key} {WORDS}".encode(), "text/plain")
    assert ports.lake.get("backtests/ü 1.json") == f"backtests/ü 1.json {WORDS}".encode()
    assert list(ports.lake.list("eval/")) == ["eval/a.json", "eval/b.json"]
    assert list(ports.lake.list("none/")) == []


def test_controls_written_by_hand_keep_their_time(service_ports: ServicePorts) -> None:
    service_ports.controls.change({"state": "HALTED"}, datetime(2026, 1, 2, tzinfo=UTC))
    (row,) = service_ports.make.clients.dynamodb().scan(TableName=service_ports.table("agents_config"))[
        "Items"
    ]
    assert row["agent_id"] == {"S": "desk"}
    assert row["created_at"] == {"S": "2026-01-02T00:00:00.000000Z"}
    assert msgspec.json.decode(row["body"]["S"]) == {"state": "HALTED"}
