"""A day's items become the sums that folding each signal with the desk's own function gives."""

from datetime import timedelta

import pytest
from msgspec.structs import replace

from bellwether.adapters.memory import MemoryAgentConfigs
from bellwether.agents.text import SentimentModel
from bellwether.backtest import reading
from bellwether.backtest.intake import in_order
from bellwether.backtest.reading import DayReader
from bellwether.backtest.records import Counts
from bellwether.domain.day_sums import fold, folded
from bellwether.domain.items import author_hash, item_id, settle
from bellwether.domain.signals import Signal
from bellwether.domain.state import AssetDay
from bellwether.usecases.agent_versions import AgentVersions
from tests.unit.backtest.history import ASSETS, FIRST, posts


def test_the_sums_of_a_day_are_the_fold_s(monkeypatch: pytest.MonkeyPatch) -> None:
    seen: list[tuple[AssetDay, list[Signal], AssetDay | None]] = []

    def watching(state: AssetDay, signals: list[Signal], *, earlier: AssetDay | None) -> AssetDay:
        seen.append((state, signals, earlier))
        return folded(state, signals, earlier=earlier)

    monkeypatch.setattr(reading, "folded", watching)
    counts = Counts()
    items = in_order(posts(FIRST, 1, a_day=60), counts)
    reader = DayReader(ASSETS, SentimentModel.load(), counts)
    versions = AgentVersions(MemoryAgentConfigs())
    found = reader.day("20240101", reader.read(items), versions)
    assert sum(len(signals) for _, signals, _ in seen) == counts.signals == 60
    for state, signals, _ in seen:
        whole, _ = fold(state, signals)
        assert whole.top
        assert found[state.asset] == replace(whole, top=())
    seen.clear()
    later = reader.read(in_order(posts(FIRST + timedelta(days=1), 1, a_day=9), counts))
    reader.day("20240102", later, versions)
    assert all(earlier == found[state.asset] for state, _, earlier in seen)


def test_items_are_settled_as_the_desk_settles_them() -> None:
    pairs = posts(FIRST, 2, a_day=50)
    found = in_order([*pairs, pairs[3]], counts := Counts())
    assert counts.duplicates == 1
    by_id = {item.item_id: item for item in found}
    assert len(by_id) == 100
    for item, kind in pairs:
        stored = by_id[item_id(item.source, item.source_id)]
        assert item.author is not None
        assert stored.author == author_hash(b"bellwether backtest", item.source, item.author)
        settled = settle(item, kind=kind, received_at=stored.observed_at, salt=b"bellwether backtest")
        assert stored == settled
