"""Taking items in: each judged on its own, counted once, and nothing acknowledged that is not stored."""

from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.domain.problems import TooLarge, Unavailable
from bellwether.usecases.ingest import IngestRequest
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, part, post

pytestmark = pytest.mark.req("A2", "A3")


def test_one_bad_item_never_sinks_the_rest() -> None:
    items = [
        post(),
        {"source": "x", "source_id": "no time"},
        post(text=" ", title=""),
        {**post(), "surprise": True},
        b'{"source": ',
        post(published_at=NOW + timedelta(hours=1)),
        post(observed_at=NOW - timedelta(hours=2), published_at=NOW - timedelta(hours=1)),
        {**post(), "engagement": {"likes": "many"}},
        post(),
    ]
    answer = MemoryDesk().send(items)
    assert (answer.accepted, answer.duplicates) == (2, 0)
    assert [(rejection.index, rejection.code) for rejection in answer.rejected] == [
        (1, "invalid_item"),
        (2, "no_words"),
        (3, "unknown_field"),
        (4, "malformed_json"),
        (5, "in_the_future"),
        (6, "observed_before_published"),
        (7, "invalid_item"),
    ]


@pytest.mark.parametrize("field", ["published_at", "observed_at"])
@pytest.mark.parametrize(
    "at",
    [
        "0001-01-01T00:00:00+14:00",
        "0001-01-01T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "9999-12-31T23:59:59-14:00",
    ],
)
def test_an_item_of_a_time_nobody_can_reckon_with_sinks_neither_request_nor_batch(
    field: str, at: str
) -> None:
    desk = MemoryDesk()
    answer = desk.send([post(), {**post(), field: at}, post()])
    assert answer.accepted == 2
    assert [(rejection.index, rejection.code) for rejection in answer.rejected] == [
        (1, "in_the_future" if at.startswith("9") else "too_early")
    ]
    desk.work()
    assert part(desk.score()).signals == 2


def test_a_rejection_names_the_place_of_the_fault() -> None:
    answer = MemoryDesk().send([post(), {**post(), "engagement": {"likes": "many"}}, {"source": "x"}])
    assert "`$.items[1].engagement" in answer.rejected[0].detail
    assert answer.rejected[1].detail == ("Object missing required field `source_id` - at `$.items[2]`")


def test_an_item_counts_once_within_and_across_batches() -> None:
    desk = MemoryDesk()
    same = post()
    first = desk.send([same, post(), same])
    again = desk.send([same, post()])
    assert (first.accepted, first.duplicates) == (2, 1)
    assert (again.accepted, again.duplicates) == (1, 1)
    messages = desk.messages()
    assert [message.duplicates for message in messages] == [(2,), (0,)]
    assert len(desk.ports.raw.get(messages[0].key).items) == 3


def test_the_same_batch_sent_again_gives_the_same_answer() -> None:
    desk = MemoryDesk()
    items = [post(), post(), {"source": "x"}]
    first = desk.send(items, batch_id="under-one-key")
    assert desk.send(items, batch_id="under-one-key") == first
    assert first.accepted == 2


def test_a_batch_of_nothing_new_is_finished_without_work() -> None:
    desk = MemoryDesk()
    items = [post()]
    desk.send(items)
    desk.messages()
    desk.send(items, batch_id="again")
    assert desk.messages() == []
    assert desk.ports.claims.finished(["again"]) == {"again"}


@pytest.mark.parametrize("items", [[], [{"source": "x"}]])
def test_a_batch_without_a_good_item_leaves_nothing_behind(items: list[Any]) -> None:
    desk = MemoryDesk()
    answer = desk.send(items)
    assert (answer.accepted, answer.duplicates, len(answer.rejected)) == (0, 0, len(items))
    assert desk.messages() == []
    assert list(desk.ports.raw.keys(NOW - timedelta(days=1))) == []


def test_more_than_500_items_are_too_many() -> None:
    with pytest.raises(TooLarge) as refused:
        MemoryDesk().send([b"{}"] * 501)
    assert refused.value.path == "$.items"
    assert len(msgspec.json.decode(b'{"items": [' + b"1," * 600 + b"1]}", type=IngestRequest).items) == 601


def test_no_author_is_stored_by_name() -> None:
    desk = MemoryDesk()
    desk.send([post(author="@jane_doe")])
    batch = desk.ports.raw.get(desk.messages()[0].key)
    assert b"jane_doe" not in msgspec.json.encode(batch)
    assert batch.items[0].author


def test_what_happened_is_counted() -> None:
    desk = MemoryDesk()
    same = post()
    desk.send([same, same, post(), {"source": "x"}], kind="news")
    assert desk.ports.counts.totals() == {
        'bellwether_items_total{kind="news",outcome="accepted"}': 2.0,
        'bellwether_items_total{kind="news",outcome="duplicate"}': 1.0,
        'bellwether_items_total{kind="news",outcome="rejected"}': 1.0,
    }


class _Down:
    """A port that does not answer."""

    def __getattr__(self, name: str) -> Any:
        def refuse(*_arguments: Any, **_named: Any) -> Any:
            raise Unavailable("down")

        return refuse


def test_a_counter_that_is_down_does_not_turn_stored_items_into_an_error() -> None:
    desk = MemoryDesk()
    object.__setattr__(desk.ingest, "counts", _Down())
    assert desk.send([post()]).accepted == 1
    assert len(desk.messages()) == 1


@pytest.mark.parametrize("port", ["raw", "claims", "queue"])
def test_nothing_is_acknowledged_that_is_not_stored_and_queued(port: str) -> None:
    desk = MemoryDesk()
    working = getattr(desk.ingest, port)
    object.__setattr__(desk.ingest, port, _Down())
    items = [post(), post()]
    with pytest.raises(Unavailable):
        desk.send(items, batch_id="retried")
    object.__setattr__(desk.ingest, port, working)
    assert desk.send(items, batch_id="retried").accepted == 2
    assert [done.signals for done in desk.work()] == [2]


@settings(max_examples=40)
@given(st.lists(st.lists(st.integers(0, 12), max_size=8), max_size=6))
def test_every_item_is_accepted_exactly_once_however_it_is_spread(batches: list[list[int]]) -> None:
    desk = MemoryDesk()
    answers = [desk.send([post(source_id=str(name)) for name in names]) for names in batches]
    assert sum(answer.accepted for answer in answers) == len({name for names in batches for name in names})
    assert sum(answer.accepted + answer.duplicates for answer in answers) == sum(map(len, batches))
