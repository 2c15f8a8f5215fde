"""Tracing records whose parts are gone, and reading no more of the lake than is needed."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest

from bellwether.domain.items import item_id
from bellwether.domain.problems import NotFound
from bellwether.usecases.trace import TraceNode, tree_lines
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, outcome_of, part, post


def find(node: TraceNode, kind: str) -> list[TraceNode]:
    below = [found for child in node.children for found in find(child, kind)]
    return [node, *below] if node.kind == kind else below


def test_an_outcome_whose_score_has_an_odd_name_says_it_is_missing() -> None:
    desk = MemoryDesk()
    desk.take_in([post()])
    outcome = outcome_of(desk.score(), subject="no score at all")
    desk.ports.outcomes.put([outcome])
    (subject,) = desk.trace(outcome.outcome_id, now=NOW).children
    assert (subject.kind, subject.missing, subject.title) == ("score", True, "not found")
    assert any("(not found)" in line for line in tree_lines(desk.trace(outcome.outcome_id, now=NOW)))


def test_of_several_forecasts_kept_at_once_the_one_asked_for_is_shown() -> None:
    desk = MemoryDesk()
    desk.take_in([post()])
    near, far = desk.score(), desk.score(horizon=5)
    for asked in (near, far):
        tree = desk.trace(asked.score_id, now=NOW)
        assert (tree.id, tree.missing, tree.intact) == (asked.score_id, False, True)


def test_a_batch_that_is_gone_leaves_its_items_without_words() -> None:
    desk = MemoryDesk()
    desk.take_in([post()])
    signal_id = part(desk.score()).signal_ids[0]

    class Emptied:
        def keys(self, _since: Any) -> list[str]:
            return []

    object.__setattr__(desk.trace, "raw", Emptied())
    tree = desk.trace(signal_id, now=NOW)
    assert tree.intact is None
    (item,) = find(tree, "item")
    assert (item.title, item.missing, item.at) == ("not found", True, None)


def test_the_lake_is_read_until_all_items_are_found() -> None:
    desk = MemoryDesk()
    for minute in range(4):
        desk.take_in([post(source_id=f"p{minute}")], at=NOW + timedelta(minutes=minute))
    read = []
    raw = desk.ports.raw

    class Counting:
        def keys(self, since: Any) -> Any:
            return raw.keys(since)

        def get(self, key: str) -> Any:
            read.append(key)
            return raw.get(key)

    object.__setattr__(desk.trace, "raw", Counting())
    later = NOW + timedelta(minutes=9)
    assert desk.trace(item_id("x", "p1"), now=later).title.startswith("$BEACON")
    assert len(read) == 1


def test_a_decision_that_was_never_made_is_not_found() -> None:
    desk = MemoryDesk()
    with pytest.raises(NotFound, match="nothing has the id"):
        desk.trace("01ARYZ6S410000000000000000#3", now=NOW)


def test_a_signal_made_of_no_item_has_no_words_to_compare() -> None:
    desk = MemoryDesk()
    desk.take_in([post()])
    (signal,) = desk.ports.signals.of_day("BEACON", "20261120", until=NOW)
    own = msgspec.structs.replace(signal, item_ids=())
    desk.ports.signals.put([own], NOW)
    tree = desk.trace(own.signal_id, now=NOW)
    assert (tree.kind, tree.children, tree.intact) == ("signal", (), None)
