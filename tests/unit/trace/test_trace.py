"""Walking back: from any id to the posts behind it, and noticing what was changed since."""

from datetime import date, timedelta
from typing import Any

import msgspec
import pytest

from bellwether.domain.outcomes import Outcome, outcome_id
from bellwether.domain.problems import NotFound
from bellwether.domain.scores import Score
from bellwether.usecases.trace import TraceNode, tree_lines
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, part, post


def kinds(node: TraceNode) -> set[str]:
    return {node.kind}.union(*(kinds(child) for child in node.children))


def find(node: TraceNode, kind: str) -> list[TraceNode]:
    below = [found for child in node.children for found in find(child, kind)]
    return [node, *below] if node.kind == kind else below


def outcome_of(score: Score, **fields: Any) -> Outcome:
    assert score.p_up is not None
    values: dict[str, Any] = {
        "outcome_id": outcome_id("score", score.score_id),
        "evaluated_at": NOW + timedelta(days=3),
        "scope": "score",
        "subject": score.score_id,
        "asset": score.asset,
        "as_of": score.as_of,
        "horizon": 1,
        "entry_date": date(2026, 11, 23),
        "exit_date": date(2026, 11, 24),
        "p_up": score.p_up,
        "raw_return": 0.012,
        "benchmark_return": None,
        "relative_return": None,
        "went_up": True,
        "hit": True,
        "brier": (1 - score.p_up) ** 2,
        "status": None,
        "side": None,
        "profit": None,
        "attribution": (),
        **fields,
    }
    return Outcome(**values)


@pytest.fixture
def desk() -> MemoryDesk:
    made = MemoryDesk()
    made.take_in(
        [post() for _ in range(3)]
        + [post(observed_at=NOW - timedelta(days=2), published_at=NOW - timedelta(days=2))]
    )
    return made


def test_an_outcome_leads_to_the_posts(desk: MemoryDesk) -> None:
    outcome = outcome_of(desk.score())
    desk.ports.outcomes.put([outcome])
    tree = desk.trace(outcome.outcome_id, now=NOW)
    assert kinds(tree) == {"outcome", "score", "agent", "signal", "item"}
    items = find(tree, "item")
    assert len(items) == 4
    assert all("$BEACON shares jump" in item.title for item in items)
    assert all(signal.intact for signal in find(tree, "signal"))
    assert "rose (+1.20%)" in tree.title


def test_each_agent_of_a_score_has_its_signals_or_its_reason(desk: MemoryDesk) -> None:
    score = desk.score()
    tree = desk.trace(score.score_id, now=NOW)
    agents = {node.id: node for node in tree.children}
    assert len(agents["sentiment@0"].children) == 4
    assert agents["momentum@0"].children == ()
    assert agents["momentum@0"].title == part(score, "momentum").abstained


def test_a_signal_and_an_item_can_be_asked_for(desk: MemoryDesk) -> None:
    signal_id = part(desk.score()).signal_ids[0]
    tree = desk.trace(signal_id, now=NOW)
    assert (tree.kind, tree.id, tree.intact) == ("signal", signal_id, True)
    (item,) = tree.children
    assert desk.trace(item.id, now=NOW).title == item.title


def test_a_forecast_that_was_replaced_still_leads_to_what_was_known(desk: MemoryDesk) -> None:
    first = desk.score(now=NOW + timedelta(minutes=1))
    desk.take_in([post()], at=NOW + timedelta(minutes=2))
    desk.score(now=NOW + timedelta(minutes=3))
    tree = desk.trace(first.score_id, now=NOW + timedelta(minutes=4))
    assert tree.missing
    assert len(find(tree, "item")) == 4


def test_words_changed_in_the_lake_show(desk: MemoryDesk) -> None:
    score = desk.score()
    (key,) = desk.ports.raw.keys(NOW - timedelta(hours=1))
    batch = desk.ports.raw.get(key)
    forged = msgspec.structs.replace(batch.items[0], text="$BEACON is a fraud")
    changed = msgspec.structs.replace(batch, items=[forged, *batch.items[1:]])

    class Forged:
        """A lake in which one post was edited."""

        def get(self, _key: str) -> Any:
            return changed

        def keys(self, since: Any) -> Any:
            return desk.ports.raw.keys(since)

    object.__setattr__(desk.trace, "raw", Forged())
    tree = desk.trace(score.score_id, now=NOW)
    assert sorted(str(signal.intact) for signal in find(tree, "signal")) == ["False", "True", "True", "True"]
    assert any("changed since" in line for line in tree_lines(tree))


def test_only_the_heaviest_signals_are_shown_and_the_rest_counted(desk: MemoryDesk) -> None:
    object.__setattr__(desk.trace, "most_signals", 2)
    tree = desk.trace(desk.score().score_id, now=NOW)
    assert len(find(tree, "signal")) == 2
    assert tree.left_out == 2
    assert any("2 further signals" in line for line in tree_lines(tree))


def test_a_subject_that_is_gone_is_said_to_be_missing(desk: MemoryDesk) -> None:
    outcome = outcome_of(desk.score(), scope="proposal", subject="01ARYZ6S410000000000000000")
    desk.ports.outcomes.put([outcome])
    (subject,) = desk.trace(outcome.outcome_id, now=NOW).children
    assert (subject.kind, subject.missing) == ("proposal", True)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "nonsense",
        "x-" + "0" * 32,
        "01ARYZ6S410000000000000000",
        "01ARYZ6S410000000000000000/1",
        "score:BEACON:20200101T000000.000000Z:1:0123456789abcdef",
        "BEACON#20261120#2026-11-20T12:00:00.000000Z#sentiment#x-0",
        "o-" + "0" * 24,
    ],
)
def test_an_id_of_nothing_is_not_found(desk: MemoryDesk, name: str) -> None:
    with pytest.raises(NotFound):
        desk.trace(name, now=NOW)
