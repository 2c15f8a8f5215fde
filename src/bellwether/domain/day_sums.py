"""Folding signals into an asset's day: the one function behind the live sums and the replay of a part of a
day.

The weight of a signal (formula 2): a further copy of a cluster adds nothing; an author's k-th cluster on an
asset's day adds quality/k, so that n posts of one author add no more than the harmonic number H_n; items
without an author are taken for different people's (the concentration figures show how much is known about
authors).
"""

from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from functools import lru_cache
from itertools import groupby

import msgspec

from bellwether.domain.decay import day_start, hours_between
from bellwether.domain.heavy_hitters import at_least, count_in
from bellwether.domain.log_odds import log_odds
from bellwether.domain.signals import Signal
from bellwether.domain.state import (
    MOST_AUTHORS,
    MOST_CLUSTERS,
    MOST_TOP_SIGNALS,
    AgentSums,
    AssetDay,
    TopSignal,
)

SHORTEST_HALF_LIFE = 0.25
"""Hours. Below it 2^(24/h) would leave the range of a float; shorter half-lives fade as fast as this."""


def fold(state: AssetDay, signals: Iterable[Signal]) -> tuple[AssetDay, list[Signal]]:
    """The day's state after `signals`, one version on, and the signals with their `evidence` filled in.

    All signals must be of the state's asset and day, and an item's signals of all agents must come in one
    call, so that the item counts once. Order of the argument does not matter: signals are taken by observed
    time and item. Signals given in several calls add up to the same sums, except that an author's clusters
    diminish in the order they are folded.
    """
    tally = _Tally(state)
    weighed = [
        msgspec.structs.replace(signal, evidence=evidence) for signal, evidence in tally.weigh(signals)
    ]
    return tally.state(), weighed


def folded(state: AssetDay, signals: Iterable[Signal]) -> AssetDay:
    """`fold` for who needs the sums alone: the signals that moved the day most are not named."""
    tally = _Tally(state)
    deque(tally.weigh(signals), maxlen=0)
    return tally.state(named=False)


class _Tally:
    """The state while it is being added to."""

    def __init__(self, state: AssetDay) -> None:
        self.before = state
        self.start = day_start(state.day)
        self.sums = {key: _Sums(sums) for key, sums in state.agents.items()}
        self.authors = dict(state.authors)
        self.clusters = dict(state.clusters)
        self.hours = list(state.mentions_by_hour or (0,) * 24)
        self.items, self.mentions = state.items, state.mentions
        self.young_items, self.author_items = state.young_items, state.author_items
        self.pulls: list[tuple[float, Signal, float]] = []
        self.last_event = datetime.fromisoformat(state.last_event) if state.last_event else None

    def weigh(self, signals: Iterable[Signal]) -> Iterator[tuple[Signal, float]]:
        """Adds signals; gives each with its evidence."""
        ordered = sorted(signals, key=lambda signal: (signal.observed_time, signal.item_ids, signal.agent_id))
        for _, group in groupby(ordered, key=lambda signal: (signal.observed_time, signal.item_ids)):
            of_one_item = list(group)
            share = self.count_item(of_one_item[0])
            for signal in of_one_item:
                evidence = signal.quality * share if share > 0 and not signal.abstained else 0.0
                self.add(signal, evidence)
                yield signal, evidence

    def count_item(self, signal: Signal) -> float:
        """Counts a signal's item; returns the share of its quality that is evidence (0 for a copy)."""
        self.items += 1
        self.young_items += signal.young_author
        if signal.cluster_id is not None:
            count_in(self.clusters, signal.cluster_id, MOST_CLUSTERS)
        if signal.copy:
            return 0.0
        self.mentions += 1
        self.hours[signal.observed_time.astimezone(UTC).hour] += 1
        if signal.author is None:
            return 1.0
        earlier = at_least(self.authors, signal.author, MOST_AUTHORS)
        count_in(self.authors, signal.author, MOST_AUTHORS)
        self.author_items += 1
        return 1.0 / (earlier + 1)

    def add(self, signal: Signal, evidence: float) -> None:
        """Adds a signal to its agent's sums and to the signals that moved the day most."""
        key = sums_key(signal)
        if key not in self.sums:
            self.sums[key] = _Sums(AgentSums(half_life=signal.half_life))
        event = min(signal.event_time, signal.observed_time)
        view = log_odds(signal.p_up)
        self.sums[key].add(evidence, view, hours_between(self.start, event))
        if self.last_event is None or event > self.last_event:
            self.last_event = event
        if evidence > 0 and view != 0:
            self.pulls.append((evidence * abs(view), signal, evidence))

    def top(self) -> tuple[TopSignal, ...]:
        """The signals that moved the day most; ids are made for those alone, they take time."""
        pulls = sorted([pull for pull, _, _ in self.pulls] + [top.pull for top in self.before.top])
        least = pulls[-MOST_TOP_SIGNALS] if len(pulls) > MOST_TOP_SIGNALS else 0.0
        found = {top.signal_id: top for top in self.before.top}
        for pull, signal, evidence in self.pulls:
            if pull >= least:
                top = _top_signal(signal, evidence, pull)
                found[top.signal_id] = top
        return tuple(sorted(found.values(), key=lambda top: (-top.pull, top.signal_id))[:MOST_TOP_SIGNALS])

    def state(self, *, named: bool = True) -> AssetDay:
        return AssetDay(
            asset=self.before.asset,
            day=self.before.day,
            version=self.before.version + 1,
            agents={key: sums.record() for key, sums in self.sums.items()},
            items=self.items,
            mentions=self.mentions,
            young_items=self.young_items,
            author_items=self.author_items,
            authors=self.authors,
            clusters=self.clusters,
            top=self.top() if named else self.before.top,
            last_event=self.last_event.isoformat() if self.last_event else None,
            mentions_by_hour=tuple(self.hours),
        )


class _Sums:
    """One agent's sums while they grow (see `AgentSums`)."""

    def __init__(self, sums: AgentSums) -> None:
        self.half_life = sums.half_life
        self.weight, self.weighted_log_odds = sums.weight, sums.weighted_log_odds
        self.weighted_square, self.squared_weight = sums.weighted_square, sums.squared_weight
        self.newest, self.signals, self.clusters = sums.newest, sums.signals, sums.clusters

    def add(self, evidence: float, view: float, hours: float) -> None:
        self.signals += 1
        if evidence <= 0:
            return
        weight = evidence * 2.0 ** (hours / max(self.half_life, SHORTEST_HALF_LIFE))
        self.clusters += 1
        self.weight += weight
        self.weighted_log_odds += weight * view
        self.weighted_square += weight * view * view
        self.squared_weight += weight * weight
        self.newest = hours if self.newest is None else max(self.newest, hours)

    def record(self) -> AgentSums:
        return AgentSums(
            half_life=self.half_life,
            weight=self.weight,
            weighted_log_odds=self.weighted_log_odds,
            weighted_square=self.weighted_square,
            squared_weight=self.squared_weight,
            newest=self.newest,
            signals=self.signals,
            clusters=self.clusters,
        )


def _top_signal(signal: Signal, evidence: float, pull: float) -> TopSignal:
    return TopSignal(
        signal_id=signal.signal_id,
        agent_id=signal.agent_id,
        item_id=signal.item_ids[0] if signal.item_ids else "",
        p_up=signal.p_up,
        evidence=evidence,
        pull=pull,
    )


def sums_key(signal: Signal) -> str:
    """Under which key of `AssetDay.agents` a signal is summed."""
    return _key(signal.agent_id, signal.half_life)


@lru_cache(maxsize=256, typed=True)  # 24 and 24.0 are written apart
def _key(agent_id: str, half_life: float) -> str:
    return f"{agent_id}@{half_life!r}"
