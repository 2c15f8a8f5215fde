"""Scores: the same of now and of a replay, blind to what comes later, honest about what is missing."""

from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.adapters.memory import MemoryPorts
from bellwether.agents.registry import DEFAULTS, SENTIMENT
from bellwether.domain.problems import InvalidInput
from bellwether.domain.scores import Score
from bellwether.usecases.score import ScoreRequest
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, bars, part, post

pytestmark = pytest.mark.req("A4")

WORDS = (
    "shares jump after record profit",
    "shares plunge on fraud charges",
    "profit falls short of estimates",
    "wins a large contract in the north",
)
PAST = NOW - timedelta(days=60)


def test_good_news_moves_the_score_up_and_bad_news_down() -> None:
    good, bad = MemoryDesk(), MemoryDesk()
    good.take_in([post() for _ in range(20)])
    bad.take_in([post("shares plunge on fraud charges") for _ in range(20)])
    up, down = good.score(), bad.score()
    assert up.p_up is not None
    assert down.p_up is not None
    assert up.edge is not None
    assert up.p_up > up.base_rate > down.p_up
    assert up.edge == pytest.approx(up.p_up - up.base_rate)
    assert up.interval is not None
    assert up.interval[0] < up.p_up < up.interval[1]
    assert (up.track_record, up.concentration.items) == ("unproven", 20)


def test_an_asset_nothing_is_known_of_gets_no_number_and_a_reason() -> None:
    score = MemoryDesk().score(asset="HARBOR")
    assert (score.p_up, score.edge, score.interval, score.disagreement) == (None, None, None, None)
    assert all(one.abstained for one in score.contributions)
    assert "No agent has a view of HARBOR" in score.explanation


def test_all_tracked_assets_are_scored_when_none_is_named() -> None:
    desk = MemoryDesk()
    answer = desk.scoring(ScoreRequest(), now=NOW)
    assert [score.asset for score in answer.scores] == ["BEACON", "HARBOR"]


def test_many_readers_give_the_same_answer_as_one() -> None:
    desk = MemoryDesk()
    desk.take_in([post(), post("while $HARBOR falls on weak demand")])
    one = desk.scoring(ScoreRequest(), now=NOW)
    object.__setattr__(desk.scoring, "readers", 4)
    assert desk.scoring(ScoreRequest(), now=NOW) == one


@pytest.mark.parametrize(
    ("request_", "path"),
    [
        (ScoreRequest(assets=["BEACON", "NOBODY"]), "$.assets[1]"),
        (ScoreRequest(as_of=NOW + timedelta(hours=1)), "$.as_of"),
        (ScoreRequest(as_of=datetime.fromisoformat("0001-01-01T00:00:00+14:00")), "$.as_of"),
    ],
)
def test_what_cannot_be_scored_is_named_by_its_path(request_: ScoreRequest, path: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        MemoryDesk().scoring(request_, now=NOW)
    assert refused.value.path == path


def test_a_callers_clock_may_run_a_little_ahead() -> None:
    assert MemoryDesk().score(as_of=NOW + timedelta(minutes=1)).as_of == NOW


class _Unread:
    """A signal store that must not be asked."""

    def of_day(self, *_arguments: Any, **_named: Any) -> Any:
        raise AssertionError("a score of now must not read signals")


def test_a_score_of_now_reads_sums_and_no_signals() -> None:
    desk = MemoryDesk()
    desk.take_in([post() for _ in range(5)])
    object.__setattr__(desk.scoring, "signals", _Unread())
    assert part(desk.score()).signals == 5
    with pytest.raises(AssertionError):
        desk.score(now=NOW + timedelta(hours=2), as_of=NOW + timedelta(hours=1))


ITEMS = st.lists(
    st.tuples(
        st.integers(0, 3),  # words: the same words are the same cluster
        st.sampled_from(["ann", "bob", "cem"]),
        st.integers(0, 4 * 24 * 60),  # minutes after the first day's midnight
        st.booleans(),  # words of its own
    ),
    max_size=14,
)


def sent(rows: list[tuple[int, str, int, bool]], start: datetime) -> list[tuple[datetime, dict[str, Any]]]:
    """Items with the moment each is known."""
    made = []
    for number, (words, author, minute, own) in enumerate(rows):
        text = f"$BEACON {WORDS[words]}" + (f", says number {number}" if own else " today")
        at = start + timedelta(minutes=minute)
        made.append((at, post(source_id=f"n{number}", text=text, author=author, published_at=at)))
    return made


def same(one: Score, other: Score) -> bool:
    return msgspec.json.encode(one) == msgspec.json.encode(other)


@settings(max_examples=60, deadline=None)
@given(rows=ITEMS, asked=st.lists(st.integers(0, 5 * 24 * 60), min_size=1, max_size=4))
def test_a_replay_gives_the_number_that_was_given_then(
    rows: list[tuple[int, str, int, bool]], asked: list[int]
) -> None:
    """Items and questions come in as time goes by; afterwards each question is asked again."""
    start = NOW.replace(hour=0)
    desk = MemoryDesk()
    desk.ports.prices.merge(
        bars("BEACON", [100 + n % 5 for n in range(300)], (NOW + timedelta(days=9)).date())
    )
    events: list[tuple[datetime, dict[str, Any] | None]] = [
        (at + timedelta(microseconds=n), item) for n, (at, item) in enumerate(sent(rows, start))
    ]
    events += [(start + timedelta(minutes=minute, seconds=30), None) for minute in asked]
    given_then: list[Score] = []
    for at, item in sorted(events, key=lambda event: event[0]):
        if item is None:
            given_then.append(desk.score(now=at))
        else:
            desk.take_in([{**item, "published_at": at}], at=at)
    later = start + timedelta(days=9)
    assert all(same(then, desk.score(now=later, as_of=then.as_of)) for then in given_then)


@settings(max_examples=80, deadline=None)
@given(
    rows=ITEMS,
    data=st.data(),
    cut=st.integers(0, 4 * 24 * 60),
    batch=st.integers(1, 4),
    drop=st.booleans(),
)
@pytest.mark.req("A4", "A8")
def test_nothing_known_after_as_of_changes_anything_computed_for_it(
    rows: list[tuple[int, str, int, bool]], data: st.DataObject, cut: int, batch: int, drop: bool
) -> None:
    """A history is imported in any order, and again with what came after `as_of` changed or left out."""
    start = PAST.replace(hour=0)
    as_of = start + timedelta(minutes=cut)
    order = data.draw(st.permutations(sent(rows, start)))
    changed = [
        (at, item if at <= as_of else {**item, "text": f"$BEACON {WORDS[1]} today", "author": "ann"})
        for at, item in order
        if at <= as_of or not drop
    ]
    closes = [100 + n % 5 for n in range(400)]
    scores = []
    for world, after in ((order, 0.0), (changed, 50.0)):
        desk = MemoryDesk()
        prices = bars("BEACON", closes, (start + timedelta(days=9)).date())
        moved = [c + after if d >= as_of.date() else c for c, d in zip(closes, prices.dates, strict=True)]
        desk.ports.prices.merge(bars("BEACON", moved, (start + timedelta(days=9)).date()))
        known_then = {id(item) for at, item in world if at <= as_of}
        chunk: list[dict[str, Any]] = []
        for _, item in world:
            chunk.append(item)
            # batches are cut where they are in the other world too: after each n-th item known by then
            if id(item) in known_then and len([i for i in chunk if id(i) in known_then]) == batch:
                desk.take_in(chunk)
                chunk = []
        desk.take_in(chunk)
        scores.append(desk.score(as_of=as_of))
    assert same(scores[0], scores[1])


def test_a_version_learned_later_does_not_reach_back() -> None:
    ports = MemoryPorts()
    desk = MemoryDesk(ports)
    desk.take_in([post(published_at=PAST) for _ in range(5)])
    before = desk.score(as_of=PAST + timedelta(hours=1))
    learned = msgspec.structs.replace(
        DEFAULTS[SENTIMENT], version=1, created_at=PAST + timedelta(hours=2), reliability=0.9, resolved=500
    )
    ports.configs.put(learned)
    assert same(before, desk.score(as_of=PAST + timedelta(hours=1)))
    after = part(desk.score(as_of=PAST + timedelta(hours=3)))
    assert (after.agent_version, after.reliability) == (1, 0.9)


def test_a_score_is_proven_when_proven_agents_move_it() -> None:
    ports = MemoryPorts()
    proven = msgspec.structs.replace(
        DEFAULTS[SENTIMENT],
        version=1,
        created_at=PAST,
        slope=0.2,
        resolved=500,
        brier_skill=0.05,
        reliability=0.1,
    )
    ports.configs.put(proven)
    desk = MemoryDesk(ports)
    desk.take_in([post() for _ in range(5)])
    score = desk.score()
    assert score.track_record == "proven"
    assert part(score).track_record == "proven"


def test_forecasts_are_kept_once_for_the_assets_and_the_day() -> None:
    desk = MemoryDesk()
    desk.take_in([post() for _ in range(3)])
    for minutes in (1, 2, 3):
        desk.scoring(ScoreRequest(), now=NOW + timedelta(minutes=minutes))
    kept = [
        msgspec.json.decode(line, type=Score)
        for line in desk.ports.forecasts.between(NOW, NOW + timedelta(days=1))
    ]
    assert [(score.asset, score.as_of) for score in kept] == [("BEACON", NOW + timedelta(minutes=3))]
    desk.scoring(ScoreRequest(horizon=5), now=NOW + timedelta(minutes=4))
    desk.scoring(ScoreRequest(), now=NOW + timedelta(minutes=5), keep=False)
    lines = desk.ports.forecasts.between(NOW, NOW + timedelta(days=1))
    assert sorted(msgspec.json.decode(line, type=Score).horizon for line in lines) == [1, 5]


def test_only_scores_of_now_are_announced() -> None:
    desk = MemoryDesk()
    desk.take_in([post(published_at=PAST)])
    told = len(desk.ports.changes.after(None))
    desk.score(as_of=PAST + timedelta(hours=1))
    assert len(desk.ports.changes.after(None)) == told
    desk.take_in([post()])
    desk.score(now=NOW + timedelta(minutes=1))
    change = desk.ports.changes.after(None)[-1]
    assert (change.type, change.data["scores"][0]["asset"]) == ("scores", "BEACON")


def test_a_score_names_the_same_inputs_the_same() -> None:
    desk = MemoryDesk()
    desk.take_in([post()])
    first, again = desk.score(), desk.score()
    assert first.score_id == again.score_id
    assert first.score_id.startswith("score:BEACON:20261120T120000.000000Z:1:")
    desk.take_in([post()])
    assert desk.score().score_id != first.score_id


def test_the_explanation_says_what_moved_it_and_how_sure_it_is() -> None:
    desk = MemoryDesk()
    desk.take_in([post() for _ in range(3)])
    text = desk.score().explanation
    assert "sentiment (unproven" in text
    assert "points up" in text
    assert "momentum abstains" in text
    assert "no edge is shown" in text


def test_the_most_active_author_and_cluster_show() -> None:
    desk = MemoryDesk()
    words = "$BEACON wins a large contract in the north"
    desk.take_in([post(author="ann") for _ in range(6)] + [post(text=words) for _ in range(4)])
    found = desk.score().concentration
    assert (found.items, found.authors) == (10, 2)
    assert found.top_author_share == pytest.approx(6 / 7)
    assert found.top_cluster_share == pytest.approx(0.4)


def test_what_has_faded_is_no_longer_read() -> None:
    desk = MemoryDesk()
    desk.take_in([post()])
    soon, late = desk.score(now=NOW + timedelta(days=6)), desk.score(now=NOW + timedelta(days=8))
    assert part(soon).evidence == pytest.approx(0.99 * 2**-6)
    assert soon.concentration.items == 1
    assert part(late).abstained is not None
    assert (late.p_up, late.concentration.items) == (None, 0)
