"""What a score costs, and how large its state is, with a hundred and with a million signals behind it.

    uv run python benchmarks/score.py [--most 1000000] [--rounds 300]

One asset, five days, signals of two agents on items with authors, clusters and texts of their own (one author
and one cluster stand out), folded in batches of 500 by the function the signal workers use; then the real use
case of `POST /score` over the ports in memory, forecasts kept and changes published as in service. Prints

- processor time of a score, the median of many with the sizes taking turns; target: with the most signals at
  most 1.5 times what it is with a hundred
- how many rows (`AssetDay`) a score reads
- bytes of the largest stored row, and of the same row with all its bounded parts full and counts of twelve
  digits

A score of a past moment (`as_of`) is *not* bounded: it reads the full days before from the same rows, but
folds the signals of its own day up to that moment. What that costs, and how many it reads, is printed too.
"""

import argparse
import random
import time
from array import array
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from statistics import median

import msgspec
from msgspec.structs import replace

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.memory.signals import MemoryAssetStates, MemorySignalStore
from bellwether.domain.day_sums import fold
from bellwether.domain.decay import expiry
from bellwether.domain.entities import Asset
from bellwether.domain.prices import History
from bellwether.domain.seen_texts import MOST_TEXTS
from bellwether.domain.signals import Signal, day_of
from bellwether.domain.state import MOST_AUTHORS, MOST_CLUSTERS, AssetDay
from bellwether.usecases.score import ScoreAssets, ScoreRequest

ASSET = "BEACON"
AGENTS = ("sentiment", "llm")
DAYS = 5
BATCH = 500
WORDS = 12
NOW = datetime(2026, 3, 5, 20, tzinfo=UTC)
REPLAYED = datetime(2026, 3, 3, 20, tzinfo=UTC)
TARGET = 1.5
DIGITS = 10**12 - 1


class CountedStates(MemoryAssetStates):
    """Counts the rows handed out."""

    rows = 0

    def days(self, asset: str, first_day: str, last_day: str) -> list[AssetDay]:
        found = super().days(asset, first_day, last_day)
        self.rows += len(found)
        return found


class CountedSignals(MemorySignalStore):
    """Counts the signals handed out."""

    read = 0

    def of_day(self, asset: str, day: str, until: datetime | None = None) -> Iterator[Signal]:
        found = list(super().of_day(asset, day, until))
        self.read += len(found)
        return iter(found)


@dataclass
class Desk:
    """A desk in memory with one asset and `count` signals of the last five days."""

    count: int
    states: CountedStates = field(default_factory=CountedStates)
    signals: CountedSignals = field(default_factory=CountedSignals)
    folding: float = 0.0

    def __post_init__(self) -> None:
        ports = MemoryPorts(states=self.states, signals=self.signals)
        ports.entities.put("asset", ASSET, Asset(symbol=ASSET, name="Beacon Industries"))
        ports.prices.merge(bars())
        self.fill()
        self.score = ScoreAssets(
            states=ports.states,
            signals=ports.signals,
            entities=ports.entities,
            configs=ports.configs,
            prices=ports.prices,
            forecasts=ports.forecasts,
            changes=ports.changes,
            readers=1,
        )

    def fill(self) -> None:
        """Folds the signals, and stores those of the day that will be replayed."""
        a_day = self.count // DAYS
        earlier: AssetDay | None = None
        for back in reversed(range(DAYS)):
            last = NOW - timedelta(days=back)
            day = day_of(last)
            state = AssetDay(asset=ASSET, day=day)
            for batch in batches(last, a_day):
                started = time.process_time()
                state, weighed = fold(state, batch, earlier=earlier)
                self.folding += time.process_time() - started
                if day == day_of(REPLAYED):
                    self.signals.put(weighed, last)
            self.states.apply("all", [replace(state, version=1)])
            earlier = state

    def stored(self) -> list[AssetDay]:
        """The rows."""
        return self.states.days(ASSET, "00000000", "99999999")


def batches(last: datetime, count: int) -> Iterator[list[Signal]]:
    """Signals known in the twenty hours before `last`, in batches, both agents' of an item together."""
    chance = random.Random(f"{last}")
    items = count // len(AGENTS)
    for start in range(0, items, BATCH // len(AGENTS)):
        numbers = range(start, min(start + BATCH // len(AGENTS), items))
        yield [
            signal
            for n in numbers
            for signal in of_item(n, last - timedelta(hours=20) * (1 - (n + 1) / items), chance)
        ]


def of_item(number: int, known: datetime, chance: random.Random) -> list[Signal]:
    """Every agent's signal of one item; one item in fifty is of the loudest author, one in fifty a copy."""
    name = f"x-{known:%Y%m%d}{number:024x}"
    event = known - timedelta(minutes=chance.random() * 600)
    author = f"{0 if number % 50 == 0 else number + 1:064x}"
    cluster = f"w-{0 if number % 50 == 1 else number + 1:016x}"
    words = array("H", sorted(chance.sample(range(1 << 16), WORDS)))
    view = 0.5 + 0.4 * (chance.random() - 0.5)
    return [
        Signal(
            asset=ASSET,
            agent_id=agent,
            agent_version=0,
            item_ids=(name,),
            event_time=event,
            observed_time=known,
            horizon=1,
            p_up=view,
            quality=0.2 + 0.8 * chance.random(),
            half_life=24.0,
            expires_at=expiry(event, 24.0),
            input_hash=name,
            rationale="",
            cluster_id=cluster,
            author=author,
            sketch=words.tobytes(),
            copy=number % 50 == 1 and number > 1,
        )
        for agent in AGENTS
    ]


def bars() -> History:
    """A thousand days of a seeded random walk: only the amount of work matters."""
    chance = random.Random(1)
    closes = [100.0]
    for _ in range(999):
        closes.append(closes[-1] * (1 + chance.gauss(0, 0.01)))
    last = NOW.date() - timedelta(days=1)
    dates = [last - timedelta(days=n) for n in range(999, -1, -1)]
    return History(ASSET, dates, closes, closes, closes, closes, closes, [1e6] * 1000)


def processor_time(work: Callable[[], object]) -> float:
    """Seconds."""
    started = time.process_time_ns()
    work()
    return (time.process_time_ns() - started) / 1e9


def in_turns(desks: Sequence[Desk], rounds: int) -> list[float]:
    """The median processor time of a score of each desk, one after the other in every round."""
    request = ScoreRequest(assets=[ASSET])
    took: list[list[float]] = [[] for _ in desks]
    for number in range(rounds + 20):
        # Each score is of another moment, as in service; the first rounds fill the interpreter's caches.
        now = NOW + timedelta(seconds=number)
        for desk, seconds in zip(desks, took, strict=True):
            spent = processor_time(partial(desk.score, request, now=now))
            if number >= 20:
                seconds.append(spent)
    return [median(seconds) for seconds in took]


def fullest(state: AssetDay) -> AssetDay:
    """The state with every bounded part full and every count of twelve digits."""
    author, cluster = f"{0:064x}", f"w-{0:016x}"
    texts = (state.texts * MOST_TEXTS)[:MOST_TEXTS]
    return replace(
        state,
        version=DIGITS,
        agents={
            key: replace(sums, signals=DIGITS, clusters=DIGITS, newest=23.123456789012345)
            for key, sums in state.agents.items()
        },
        items=DIGITS,
        mentions=DIGITS,
        young_items=DIGITS,
        author_items=DIGITS,
        authors={f"{author}{n:02d}"[2:]: DIGITS for n in range(MOST_AUTHORS)},
        clusters={f"{cluster}{n:02d}": DIGITS for n in range(MOST_CLUSTERS)},
        mentions_by_hour=(DIGITS,) * 24,
        young_mentions=DIGITS,
        young_by_hour=(DIGITS,) * 24,
        texts=tuple(replace(text, items=DIGITS, accounts=2**64 - 1, young=DIGITS) for text in texts),
    )


def size(state: AssetDay) -> int:
    return len(msgspec.json.encode(state))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("--most", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=300)
    chosen = parser.parse_args()
    sizes = sorted({100, 10_000, chosen.most})
    desks = [Desk(count) for count in sizes]
    costs = in_turns(desks, chosen.rounds)
    print(f"{'signals':>10} {'score':>10} {'ratio':>6} {'rows':>5} {'largest row':>12} {'if full':>9}")
    for desk, cost in zip(desks, costs, strict=True):
        desk.states.rows = 0
        answer = desk.score(ScoreRequest(assets=[ASSET]), now=NOW)
        rows = desk.states.rows
        counted = sum(c.signals for c in answer.scores[0].contributions)
        if counted != desk.count:
            raise SystemExit(f"the score tells of {counted} signals, {desk.count} were folded")
        largest = max(desk.stored(), key=size)
        print(
            f"{desk.count:>10,} {cost * 1e3:>7.3f} ms {cost / costs[0]:>6.2f} {rows:>5} "
            f"{size(largest):>10,} B {size(fullest(largest)):>7,} B"
        )
    ratio = costs[-1] / costs[0]
    verdict = "met" if ratio <= TARGET else "MISSED"
    print(
        f"{sizes[-1]:,} against {sizes[0]:,} signals: {ratio:.2f} times (target at most {TARGET}: {verdict})"
    )
    print(f"folding: {desks[-1].folding / sizes[-1] * 1e6:.1f} µs a signal")
    print(f"\nreplay as of {REPLAYED:%Y-%m-%d %H:%M} (folds its own day, not bounded)")
    for desk in desks:
        desk.signals.read = 0
        request = ScoreRequest(assets=[ASSET], as_of=REPLAYED)
        desk.score(request, now=NOW)  # sorts the day's signals, which tables have in order
        desk.signals.read = 0
        spent = processor_time(partial(desk.score, request, now=NOW))
        print(f"{desk.count:>10,} {spent * 1e3:>9.3f} ms, {desk.signals.read:,} signals read")


if __name__ == "__main__":
    main()
