"""From a batch to signals and sums: exactly once, and one bad item never sinks its batch."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.adapters.memory import MemoryPorts
from bellwether.agents.readings import Mention, Reading
from bellwether.agents.registry import DEFAULTS, SENTIMENT
from bellwether.domain.entities import Asset
from bellwether.domain.problems import NotFound, Unavailable
from bellwether.domain.signals import Signal
from bellwether.domain.state import AssetDay
from bellwether.usecases.leases import LEASE
from bellwether.usecases.ports import BatchMessage
from tests.unit.score.desk_in_memory import NOW, MemoryDesk, part, post

pytestmark = pytest.mark.req("C4")


def known(desk: MemoryDesk, asset: str = "BEACON", day: str = "20261120") -> list[Signal]:
    return list(desk.ports.signals.of_day(asset, day))


def state(desk: MemoryDesk, asset: str = "BEACON", day: str = "20261120") -> AssetDay:
    return desk.ports.states.get([(asset, day)])[asset, day]


def test_each_item_becomes_a_signal_for_each_asset_it_speaks_of() -> None:
    desk = MemoryDesk()
    desk.send(
        [post(), post("and $HARBOR both rise after strong results"), post(text="nothing we track, ever")]
    )
    (done,) = desk.work()
    assert (done.signals, done.assets, done.items) == (3, 2, 3)
    assert (len(known(desk)), len(known(desk, "HARBOR"))) == (2, 1)
    assert state(desk).items == 2


def test_a_signal_carries_what_it_was_made_of() -> None:
    desk = MemoryDesk()
    desk.take_in([post(engagement={"author_age_days": 3}, published_at=NOW - timedelta(hours=2))])
    (signal,) = known(desk)
    assert signal.p_up > 0.5
    assert signal.raw > 0.5
    assert signal.evidence == signal.quality > 0.9
    assert (signal.event_time, signal.observed_time) == (NOW - timedelta(hours=2), NOW)
    assert signal.expires_at > signal.observed_time
    assert signal.young_author
    assert len(signal.input_hash) == 64
    assert desk.ports.signals.get(signal.signal_id) == signal


def test_a_second_delivery_changes_nothing() -> None:
    desk = MemoryDesk()
    desk.send([post(), post()])
    (message,) = desk.messages()
    desk.process(message, now=NOW)
    before = state(desk)
    again = desk.process(message, now=NOW)
    assert (again.signals, again.assets) == (0, 0)
    assert state(desk) == before
    assert len(desk.ports.changes.after(None)) == 1


class _Killed(BaseException):
    """The process dies here: nothing after it is done, in no `except Exception` either."""


class _DiesAt:
    """A port that works until its n-th call, and dies before or right after it."""

    def __init__(self, port: Any, budget: list[int], *, after: bool) -> None:
        self._port, self._budget, self._after = port, budget, after

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._port, name)

        def call(*arguments: Any, **named: Any) -> Any:
            self._budget[0] -= 1
            if self._budget[0] == 0 and not self._after:
                raise _Killed
            answer = method(*arguments, **named)
            if self._budget[0] == 0:
                raise _Killed
            return answer

        return call


@settings(max_examples=80, deadline=None)
@given(kills=st.lists(st.tuples(st.integers(1, 14), st.booleans()), max_size=5))
def test_killed_anywhere_and_delivered_again_everything_counts_once(kills: list[tuple[int, bool]]) -> None:
    desk, undisturbed = MemoryDesk(), MemoryDesk()
    copied = "the very same words are said by everyone here"
    items = [
        post(source_id=str(n), text=f"$BEACON number {n} rises on profit", author="ann") for n in range(5)
    ]
    items += [post(source_id=f"copy {n}", text=f"$BEACON {copied}", author=f"a{n}") for n in range(3)]
    items += [post(source_id="both", text="$BEACON and $HARBOR fall on weak demand", author="bob")]
    for one in (desk, undisturbed):
        one.send(items[:4])
        one.work()
        one.send(items)
    undisturbed.work()
    (message,) = desk.messages()
    now = NOW
    for calls, after in kills:
        now += LEASE
        budget = [calls]
        ports = ("raw", "claims", "signals", "states", "changes")
        worker = desk.processor(
            **{name: _DiesAt(getattr(desk.ports, name), budget, after=after) for name in ports}
        )
        try:
            worker(message, now=now)
        except _Killed:
            continue
    desk.process(message, now=now + LEASE)
    for asset in ("BEACON", "HARBOR"):
        assert state(desk, asset) == state(undisturbed, asset)
        assert known(desk, asset) == known(undisturbed, asset)
    assert desk.ports.claims.finished([message.batch_id]) == {message.batch_id}


class _Racing:
    """States that another worker changes between the read and the write, the first few times."""

    def __init__(self, desk: MemoryDesk, races: int) -> None:
        self._desk, self._left = desk, races

    def __getattr__(self, name: str) -> Any:
        return getattr(self._desk.ports.states, name)

    def apply(self, batch_id: str, states: Sequence[AssetDay]) -> set[tuple[str, str]]:
        if self._left:
            self._left -= 1
            self._desk.take_in([post(author="ann")])
        return self._desk.ports.states.apply(batch_id, states)


def test_a_lost_race_is_weighed_again_on_the_newer_state() -> None:
    desk = MemoryDesk()
    desk.send([post(author="ann")])
    (message,) = desk.messages()
    desk.processor(states=_Racing(desk, 3))(message, now=NOW)
    evidence = sorted((made.evidence for made in known(desk)), reverse=True)
    assert evidence == pytest.approx([0.99, 0.99 / 2, 0.99 / 3, 0.99 / 4])
    assert state(desk).agents["sentiment@24.0"].weight == pytest.approx(sum(evidence) * 2 ** (12 / 24))
    assert state(desk).version == 4


def test_races_without_end_are_given_back_to_the_queue() -> None:
    desk = MemoryDesk()
    desk.send([post()])
    (message,) = desk.messages()
    with pytest.raises(Unavailable, match="try the batch again"):
        desk.processor(states=_Racing(desk, 10_000))(message, now=NOW)
    assert desk.ports.claims.finished([message.batch_id]) == set()
    assert desk.process(message, now=NOW).signals == 1


def test_copies_count_once_within_a_batch_and_across() -> None:
    desk = MemoryDesk()
    words = "$BEACON wins a large contract in the north"
    desk.take_in([post(text=words), post(text=f"RT @someone: {words} https://t.co/1"), post()])
    desk.take_in([post(text=words.upper())], at=NOW + timedelta(days=1))
    assert sorted(made.copy for made in known(desk)) == [False, False, True]
    (later,) = known(desk, day="20261121")
    assert (later.copy, later.evidence) == (True, 0.0)
    assert part(desk.score(now=NOW + timedelta(days=1))).signals == 4


def test_the_earliest_known_item_of_a_cluster_counts_whatever_comes_in_first() -> None:
    """An import out of order must not let what was said later decide over what was said before."""
    desk = MemoryDesk()
    words = "$BEACON wins a large contract in the north"
    late, early = NOW - timedelta(days=40), NOW - timedelta(days=45)
    desk.take_in([post(text=words, published_at=late)])
    desk.take_in([post(text=words, published_at=early)])
    desk.take_in([post(text=words, published_at=late + timedelta(days=1))])
    assert [made.copy for made in known(desk, day=f"{early:%Y%m%d}")] == [False]
    assert [made.copy for made in known(desk, day=f"{late + timedelta(days=1):%Y%m%d}")] == [True]


class _Stumbles:
    """A text model that raises on one text."""

    def read(self, text: str, *_arguments: Any, **_named: Any) -> Any:
        if "poison" in text:
            raise ArithmeticError("cannot read this")
        from bellwether.agents.text import SentimentModel

        return SentimentModel.load().read(text)


def test_an_item_an_agent_fails_on_is_an_abstention_on_record() -> None:
    desk = MemoryDesk()
    desk.send([post(), post("poison"), post()])
    (message,) = desk.messages()
    done = desk.processor(sentiment=_Stumbles())(message, now=NOW)
    assert done.signals == 3
    assert [(failure.agent_id, failure.asset) for failure in done.failures] == [("sentiment", "BEACON")]
    assert done.failures[0].error == "ArithmeticError: cannot read this"
    (abstained,) = [made for made in known(desk) if made.abstained]
    assert "ArithmeticError" in abstained.rationale
    assert abstained.evidence == 0.0
    assert desk.ports.counts.totals()['bellwether_agent_failures_total{agent="sentiment"}'] == 1.0


def test_one_change_a_batch_tells_how_many_signals_each_asset_got() -> None:
    desk = MemoryDesk()
    desk.take_in([post(), post(), post("while $HARBOR falls as well")])
    (change,) = desk.ports.changes.after(None)
    assert (change.type, change.at) == ("signals", NOW)
    assert change.data == {"assets": {"BEACON": 3, "HARBOR": 1}, "batch_id": "batch-0001"}


def test_a_batch_about_nothing_we_track_is_finished_quietly() -> None:
    desk = MemoryDesk()
    desk.take_in([post(text="the weather will be fine tomorrow")])
    assert desk.ports.changes.after(None) == []
    assert desk.ports.claims.finished(["batch-0001"]) == {"batch-0001"}


def test_a_message_without_its_batch_is_an_error() -> None:
    message = BatchMessage(batch_id="lost", key="raw-data/2026/11/20/12/lost.json.gz")
    with pytest.raises(NotFound):
        MemoryDesk().process(message, now=NOW)


def test_claims_have_the_last_word_over_the_message() -> None:
    """Claims were lost and made again by another batch; the older message is still in its queue."""
    desk = MemoryDesk()
    item = post()
    desk.send([item], batch_id="first")
    desk.send([item], batch_id="second")
    (older,) = desk.messages()
    claims = MemoryPorts().claims
    item_id = desk.ports.raw.get(older.key).items[0].item_id
    assert claims.claim_items("second", [item_id]) == {item_id}
    newer = BatchMessage(batch_id="second", key=older.key.replace("first", "second"))
    worker = desk.processor(claims=claims)
    done = [worker(message, now=NOW).signals for message in (older, newer, older)]
    assert done == [0, 1, 0]
    assert len(known(desk)) == 1


def test_a_newly_tracked_asset_is_linked_from_the_next_batch_on() -> None:
    """A finished batch is not read again, so whoever tracks first and sends then must not be too early."""
    desk = MemoryDesk()
    desk.take_in([post(text="$LANTRN rises after strong results")])
    desk.ports.entities.put("asset", "LANTRN", Asset(symbol="LANTRN", name="Lantern Industries"))
    desk.take_in([post(text="$LANTRN rises after good results")], at=NOW + timedelta(milliseconds=5))
    desk.ports.entities.remove("asset", "LANTRN")
    desk.take_in([post(text="$LANTRN rises after great results")], at=NOW + timedelta(milliseconds=9))
    assert len(known(desk, "LANTRN")) == 1


def test_an_item_is_calibrated_by_what_was_known_when_it_was() -> None:
    """A slope or a half-life set yesterday does not reach into an imported history."""
    ports = MemoryPorts()
    learned = msgspec.structs.replace(
        DEFAULTS[SENTIMENT],
        version=1,
        created_at=NOW - timedelta(days=1),
        slope=-1.0,
        resolved=500,
        half_life=48.0,
    )
    ports.configs.put(learned)
    desk = MemoryDesk(ports)
    past = NOW - timedelta(days=40)
    desk.take_in([post(), post(published_at=past)])
    (fresh,) = known(desk)
    (old,) = known(desk, day=f"{past:%Y%m%d}")
    assert (fresh.agent_version, fresh.half_life) == (1, 48.0)
    assert fresh.p_up < 0.5
    assert (old.agent_version, old.half_life) == (0, 24.0)
    assert old.p_up > 0.5


def test_an_agent_that_is_switched_off_makes_no_signals() -> None:
    ports = MemoryPorts()
    off = msgspec.structs.replace(DEFAULTS[SENTIMENT], version=1, enabled=False)
    ports.configs.put(off)
    desk = MemoryDesk(ports)
    desk.send([post()])
    assert [done.signals for done in desk.work()] == [0]


def test_what_had_faded_before_it_was_known_is_an_abstention() -> None:
    desk = MemoryDesk()
    desk.take_in([post(published_at=NOW - timedelta(days=20), observed_at=NOW)])
    (signal,) = known(desk)
    assert signal.abstained
    assert signal.evidence == 0.0


@pytest.mark.parametrize("late_first", [True, False])
def test_within_a_batch_the_item_known_first_counts_wherever_it_stands(late_first: bool) -> None:
    desk = MemoryDesk()
    days = [NOW - timedelta(days=40), NOW - timedelta(days=45)]
    words = "$BEACON wins a large contract in the north"
    items = [post(text=words, published_at=at) for at in (days if late_first else days[::-1])]
    desk.take_in(items)
    assert [made.copy for made in known(desk, day=f"{days[1]:%Y%m%d}")] == [False]
    assert [made.copy for made in known(desk, day=f"{days[0]:%Y%m%d}")] == [True]


def test_workers_at_the_same_asset_at_the_same_time_lose_nothing() -> None:
    """Twelve batches, each delivered twice, to six workers at once; what they could not do comes again."""
    desk = MemoryDesk()
    for _ in range(12):
        desk.send([post(author="ann"), post(), post("and $HARBOR falls on weak demand")])
    messages = [message for message in desk.messages() for _ in range(2)]

    def deliver(message: BatchMessage) -> BatchMessage | None:
        try:
            desk.processor()(message, now=NOW)
        except Unavailable:
            return message
        return None

    with ThreadPoolExecutor(6) as pool:
        while messages:
            messages = [again for again in pool.map(deliver, messages) if again]
    for asset, count in (("BEACON", 36), ("HARBOR", 12)):
        sums = state(desk, asset).agents["sentiment@24.0"]
        evidence = [made.evidence for made in known(desk, asset)]
        assert (sums.signals, len(evidence), state(desk, asset).items) == (count, count, count)
        assert sums.weight == pytest.approx(sum(evidence) * 2 ** (12 / 24))


class _ManyAtOnce:
    """An agent that reads a whole batch in one call, as one over a network would."""

    agent_id = "llm"

    def __init__(self, *, down: bool = False) -> None:
        self.calls: list[int] = []
        self._down = down
        self._known: dict[str, float] = {}

    def prepare(self, mentions: Sequence[Mention]) -> None:
        self.calls.append(len(mentions))
        if self._down:
            raise ConnectionError("no answer")
        self._known = {mention.text: 0.5 for mention in mentions}

    def read(self, mention: Mention) -> Reading:
        return Reading(raw=self._known[mention.text], quality=1.0)


def test_an_agent_may_read_a_batch_in_one_call() -> None:
    desk = MemoryDesk()
    agent = _ManyAtOnce()
    desk.send(
        [
            post(),
            post(text="$BEACON wins a contract in the north"),
            post(text="$BEACON wins a contract in the north"),
        ]
    )
    (message,) = desk.messages()
    done = desk.processor(others=lambda: [agent])(message, now=NOW)
    assert agent.calls == [2]
    assert (done.signals, done.failures) == (6, ())
    assert state(desk).items == 3
    score = desk.score()
    assert part(score, "llm").evidence == pytest.approx(2.0)
    assert part(score, "llm").agent_version == 0


def test_an_agent_that_is_down_does_not_take_the_others_with_it() -> None:
    desk = MemoryDesk()
    desk.send([post()])
    (message,) = desk.messages()
    done = desk.processor(others=lambda: [_ManyAtOnce(down=True)])(message, now=NOW)
    assert done.failures[0].error == "ConnectionError: no answer"
    assert {made.agent_id: made.abstained for made in known(desk)} == {"llm": True, "sentiment": False}
