"""Folding signals into an asset's day: the one function behind the live sums and the replay of a part of a
day.

The weight of a signal (formula 2): a further copy of a cluster adds nothing, word for word or lightly edited;
an author's k-th cluster on an asset's day adds quality/k, so that n posts of one author add no more than the
harmonic number H_n; the young accounts of an asset's day (see `accounts`) count as one author between them,
because anybody can make a hundred of them; items without an author are taken for different people's (the
concentration figures show how much is known about authors).
"""

import math
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar

import msgspec

from bellwether.domain.decay import day_start, hours_between
from bellwether.domain.heavy_hitters import at_least, count_in
from bellwether.domain.log_odds import log_odds
from bellwether.domain.seen_texts import SeenTexts, account_bit
from bellwether.domain.signals import BareSignal, Signal
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

_NOTHING = (0,) * 24
_in_order = attrgetter("observed_time", "item_ids", "agent_id")

_Weighed = TypeVar("_Weighed", Signal, BareSignal)


def fold(
    state: AssetDay, signals: Iterable[Signal], *, earlier: AssetDay | None = None
) -> tuple[AssetDay, list[Signal]]:
    """The day's state after `signals`, one version on, and the signals with their `evidence` filled in.

    `earlier` is the asset's day before: copies of what was said then are known for copies.

    All signals must be of the state's asset and day, and an item's signals of all agents must come in one
    call, so that the item counts once. Order of the argument does not matter: signals are taken by observed
    time and item. Signals given in several calls add up to the same sums when each call's were observed after
    those of the call before. Otherwise the order they are folded in decides how the clusters of an author and
    of young accounts diminish, and which of several edited copies is the one that counts.
    """
    tally = _Tally(state, earlier)
    weighed = [
        msgspec.structs.replace(signal, evidence=evidence, near_copy_of=near_copy_of)
        for signal, evidence, near_copy_of in tally.weigh(signals)
    ]
    return tally.state(_top(state.top, weighed)), weighed


def folded(state: AssetDay, signals: Iterable[_Weighed], *, earlier: AssetDay | None = None) -> AssetDay:
    """`fold` for who needs the sums alone: the signals that moved the day most are not named."""
    tally = _Tally(state, earlier)
    for _ in tally.weigh(signals):
        pass
    return tally.state(state.top)


class _Tally:
    """The state while it is being added to."""

    def __init__(self, state: AssetDay, earlier: AssetDay | None) -> None:
        self.before = state
        self.texts = SeenTexts(state.texts, earlier.texts if earlier else ())
        self.start = day_start(state.day)
        self.sums = {key: _Sums(sums) for key, sums in state.agents.items()}
        self.authors = dict(state.authors)
        self.clusters = dict(state.clusters)
        self.hours = list(state.mentions_by_hour or _NOTHING)
        self.young_hours = list(state.young_by_hour or _NOTHING)
        self.young_accounts = list(state.young_accounts_by_hour or _NOTHING)
        self.young_mentions = state.young_mentions
        self.items, self.mentions = state.items, state.mentions
        self.young_items, self.author_items = state.young_items, state.author_items
        self.last_event = datetime.fromisoformat(state.last_event) if state.last_event else None

    def weigh(self, signals: Iterable[_Weighed]) -> Iterator[tuple[_Weighed, float, str | None]]:
        """Adds signals; gives each with its evidence, and the item it is a lightly edited copy of."""
        at = ids = near_copy_of = agent_id = half_life = None
        known = share = 0.0
        sums = None
        for signal in sorted(signals, key=_in_order):
            if signal.observed_time != at or signal.item_ids != ids:
                at, ids = signal.observed_time, signal.item_ids
                known = hours_between(self.start, at)
                share, near_copy_of = self.count_item(signal, known)
            evidence = signal.quality * share if share > 0 and not signal.abstained else 0.0
            # most signals of a replay hold the same two objects
            if sums is None or signal.agent_id is not agent_id or signal.half_life is not half_life:
                agent_id, half_life = signal.agent_id, signal.half_life
                sums = self.sums_of(agent_id, half_life)
            sums.add(evidence, log_odds(signal.p_up), self.happened(signal, known))
            yield signal, evidence, near_copy_of

    def count_item(self, signal: Signal | BareSignal, known: float) -> tuple[float, str | None]:
        """Counts a signal's item, `known` so many hours into the day: the share of its quality that is
        evidence (0 for a copy), and the item it is a lightly edited copy of.
        """
        self.items += 1
        cluster, text = signal.cluster_id, None
        if signal.sketch is not None and signal.item_ids:
            text = self.texts.see(
                item_id=signal.item_ids[0],
                sketch=signal.sketch,
                author=signal.author,
                young=signal.young_author,
                copy=signal.copy,
                hour=known,
            )
            cluster = text.item_id if text else signal.item_ids[0]
        if cluster is not None:
            count_in(self.clusters, cluster, MOST_CLUSTERS)
        if signal.young_author:
            self.young_items += 1
        if signal.copy:
            return 0.0, None
        if text is not None and text.counted:
            return 0.0, text.item_id
        return 1.0 / (self._count_mention(signal, math.floor(known) % 24) + 1), None

    def _count_mention(self, signal: Signal | BareSignal, hour: int) -> int:
        """Counts a cluster: how many of its author, or of young accounts, were counted before it."""
        self.mentions += 1
        self.hours[hour] += 1
        earlier = 0
        if signal.author is not None:
            if signal.author in self.authors:
                earlier = at_least(self.authors, signal.author, MOST_AUTHORS)
            count_in(self.authors, signal.author, MOST_AUTHORS)
            self.author_items += 1
        if signal.young_author:
            self.young_hours[hour] += 1
            self.young_accounts[hour] |= account_bit(signal.author or signal.signal_id)
            earlier = max(earlier, self.young_mentions)
            self.young_mentions += 1
        return earlier

    def happened(self, signal: Signal | BareSignal, known: float) -> float:
        """When a signal's event was, in hours of the day: never after it was `known`."""
        event, hours = signal.event_time, known
        if event > signal.observed_time:
            event = signal.observed_time
        elif event < signal.observed_time:
            hours = hours_between(self.start, event)
        if self.last_event is None or event > self.last_event:
            self.last_event = event
        return hours

    def sums_of(self, agent_id: str, half_life: float) -> "_Sums":
        """The sums of an agent's signals of one half-life."""
        key = _key(agent_id, half_life)
        if key not in self.sums:
            self.sums[key] = _Sums(AgentSums(half_life=half_life))
        return self.sums[key]

    def state(self, top: tuple[TopSignal, ...]) -> AssetDay:
        """The state one version on; `top` are the signals that moved it most."""
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
            top=top,
            last_event=self.last_event.isoformat() if self.last_event else None,
            mentions_by_hour=tuple(self.hours),
            young_mentions=self.young_mentions,
            young_by_hour=tuple(self.young_hours),
            young_accounts_by_hour=tuple(self.young_accounts),
            texts=self.texts.record(),
        )


class _Sums:
    """One agent's sums while they grow (see `AgentSums`)."""

    __slots__ = (
        "clusters",
        "fades",
        "half_life",
        "newest",
        "signals",
        "squared_weight",
        "weight",
        "weighted_log_odds",
        "weighted_square",
    )

    def __init__(self, sums: AgentSums) -> None:
        self.half_life = sums.half_life
        self.fades = max(sums.half_life, SHORTEST_HALF_LIFE)
        self.weight, self.weighted_log_odds = sums.weight, sums.weighted_log_odds
        self.weighted_square, self.squared_weight = sums.weighted_square, sums.squared_weight
        self.newest, self.signals, self.clusters = sums.newest, sums.signals, sums.clusters

    def add(self, evidence: float, view: float, hours: float) -> None:
        self.signals += 1
        if evidence <= 0:
            return
        weight = evidence * 2.0 ** (hours / self.fades)
        self.clusters += 1
        self.weight += weight
        self.weighted_log_odds += weight * view
        self.weighted_square += weight * view * view
        self.squared_weight += weight * weight
        if self.newest is None or hours > self.newest:
            self.newest = hours

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


def _top(known: Sequence[TopSignal], weighed: Iterable[Signal]) -> tuple[TopSignal, ...]:
    """The signals that moved the day most; ids are made for those alone, they take time."""
    views = [(signal, log_odds(signal.p_up)) for signal in weighed if signal.evidence > 0]
    moved = [(signal.evidence * abs(view), signal) for signal, view in views if view != 0]
    pulls = sorted([pull for pull, _ in moved] + [top.pull for top in known])
    least = pulls[-MOST_TOP_SIGNALS] if len(pulls) > MOST_TOP_SIGNALS else 0.0
    found = {top.signal_id: top for top in known}
    found.update({signal.signal_id: _top_signal(signal, pull) for pull, signal in moved if pull >= least})
    return tuple(sorted(found.values(), key=lambda top: (-top.pull, top.signal_id))[:MOST_TOP_SIGNALS])


def _top_signal(signal: Signal, pull: float) -> TopSignal:
    return TopSignal(
        signal_id=signal.signal_id,
        agent_id=signal.agent_id,
        item_id=signal.item_ids[0] if signal.item_ids else "",
        p_up=signal.p_up,
        evidence=signal.evidence,
        pull=pull,
    )


def sums_key(signal: Signal) -> str:
    """Under which key of `AssetDay.agents` a signal is summed."""
    return _key(signal.agent_id, signal.half_life)


@lru_cache(maxsize=256, typed=True)  # 24 and 24.0 are written apart
def _key(agent_id: str, half_life: float) -> str:
    return f"{agent_id}@{half_life!r}"
