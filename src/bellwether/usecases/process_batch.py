"""From a stored batch to signals and the sums a score reads, exactly once however often it is delivered.

Killed anywhere and delivered again, the batch ends in the same state: items and clusters stay claimed,
signals have keys of their own, and each asset's day takes the batch's signals together with a marker in one
transaction. Delivered twice at once, one worker has the batch and the other waits (`leases`).
"""

import hashlib
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from threading import Lock

from msgspec import Struct

from bellwether.agents.copies import sketch_of
from bellwether.agents.mentions import Mentions
from bellwether.agents.readings import ItemAgent, Mention, Reading
from bellwether.agents.sentiment import SentimentAgent, TextModel
from bellwether.domain.accounts import is_young
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.day_sums import fold
from bellwether.domain.decay import expiry
from bellwether.domain.ids import ulid
from bellwether.domain.items import RawBatch, StoredItem
from bellwether.domain.log_odds import probability
from bellwether.domain.problems import Unavailable
from bellwether.domain.reliability import log_odds_from
from bellwether.domain.signals import Signal, day_before, day_of
from bellwether.domain.state import AssetDay
from bellwether.usecases.agent_versions import AgentVersions
from bellwether.usecases.leases import leased
from bellwether.usecases.ports import (
    AgentConfigs,
    AssetStates,
    BatchMessage,
    Change,
    Changes,
    Counts,
    Entities,
    ItemClaims,
    RawBatches,
    SignalStore,
)

REMEMBERED = timedelta(seconds=30)
MOST_ATTEMPTS = 50

AssetDayKey = tuple[str, str]


class Failure(Struct, frozen=True, kw_only=True):
    """An agent that raised on one mention: it counts as an abstention, and someone should look at it.

    `item_id` and `asset` are empty when it raised while it prepared for the whole batch.
    """

    item_id: str
    asset: str
    agent_id: str
    error: str


class Processed(Struct, frozen=True, kw_only=True):
    """What a batch became: signals stored and assets touched now (0 when it was all there already)."""

    signals: int
    assets: int
    items: int = 0
    failures: tuple[Failure, ...] = ()


class _Remembered:
    """The linker until the tracked assets change, the agents' versions for 30 seconds.

    Assets are never remembered past a change: whoever tracks one and sends posts about it right after
    means these posts, and a finished batch is not read again.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._read_at: datetime | None = None
        self._assets_revision: str | None = None
        self._mentions: Mentions | None = None
        self._versions: AgentVersions | None = None

    def at(self, now: datetime, entities: Entities, configs: AgentConfigs) -> tuple[Mentions, AgentVersions]:
        with self._lock:
            revision = entities.revision("asset")
            if self._mentions is None or revision != self._assets_revision:
                self._mentions, self._assets_revision = Mentions(entities.assets()), revision
            fresh = self._read_at is not None and abs(now - self._read_at) < REMEMBERED
            if self._versions is None or not fresh:
                self._versions, self._read_at = AgentVersions(configs), now
            return self._mentions, self._versions


@dataclass(frozen=True, kw_only=True)
class ProcessBatch:
    """`sentiment` is the text model; `others` gives further agents that read items. It is asked at
    every batch that names a tracked asset: which there are may change while a process lives.
    """

    raw: RawBatches
    claims: ItemClaims
    signals: SignalStore
    states: AssetStates
    entities: Entities
    configs: AgentConfigs
    changes: Changes
    counts: Counts
    sentiment: TextModel
    others: Callable[[], Sequence[ItemAgent]] = tuple
    _remembered: _Remembered = field(default_factory=_Remembered, init=False, repr=False)

    def __call__(self, message: BatchMessage, *, now: datetime) -> Processed:
        """Raises `NotFound` when the batch is not in the lake, `Unavailable` when to try again: `Held` while
        another worker has the batch.
        """
        if self.claims.finished([message.batch_id]):
            return Processed(signals=0, assets=0)
        with leased(self.claims, message.batch_id, now):
            return self._process(message, now)

    def _process(self, message: BatchMessage, now: datetime) -> Processed:
        batch = self.raw.get(message.key)
        items = self._own_items(batch, message.duplicates)
        mentions, versions = self._remembered.at(now, self.entities, self.configs)
        found = [(item, mentions.of(item)) for item in items]
        found = [(item, of_item) for item, of_item in found if of_item]
        others = self.others() if found else ()
        reader = _Reader((SentimentAgent(self.sentiment), *others), versions)
        firsts = self._first_of_clusters(batch.batch_id, [item for item, _ in found])
        reader.prepare([mention for _, of_item in found for mention in of_item])
        by_day: dict[AssetDayKey, list[Signal]] = defaultdict(list)
        for item, of_item in found:
            for signal in reader.signals(of_item, copy=item.item_id not in firsts):
                by_day[signal.asset, day_of(signal.observed_time)].append(signal)
        weighed = self._store(batch, by_day)
        self._tell(batch, by_day, now)
        self.claims.finish(batch.batch_id)
        self._count(len(items), weighed, reader.failures)
        return Processed(
            signals=sum(map(len, by_day.values())),
            assets=len({asset for asset, _ in by_day}),
            items=len(items),
            failures=tuple(reader.failures),
        )

    def _own_items(self, batch: RawBatch, duplicates: Sequence[int]) -> list[StoredItem]:
        """The batch's own items, by when they became known.

        The message says which are duplicates; the claims have the last word, in case they were lost and made
        again (`recover`) after the message was written.
        """
        skipped = set(duplicates)
        items = {item.item_id: item for index, item in enumerate(batch.items) if index not in skipped}
        owners = dict(self.claims.locate(list(items)))
        missing = [item_id for item_id in items if item_id not in owners]
        if missing:
            owners.update(dict.fromkeys(self.claims.claim_items(batch.batch_id, missing), batch.batch_id))
        mine = [item for item_id, item in items.items() if owners.get(item_id) == batch.batch_id]
        return sorted(mine, key=lambda item: item.known_at)

    def _first_of_clusters(self, batch_id: str, items: Sequence[StoredItem]) -> set[str]:
        """Ids of the items that are the first known of their cluster; `items` as they became known."""
        first: dict[str, StoredItem] = {}
        for item in items:
            first.setdefault(item.cluster_id, item)
        if not first:
            return set()
        known = {cluster: item.known_at for cluster, item in first.items()}
        won = self.claims.claim_clusters(batch_id, known)
        return {item.item_id for cluster, item in first.items() if cluster in won}

    def _store(self, batch: RawBatch, by_day: dict[AssetDayKey, list[Signal]]) -> list[Signal]:
        """Signals first, then the sums with the marker; what loses a race is weighed again on the newer
        state. Nobody else stores signals of this batch meanwhile (`leases`): those stored last are those in
        the sums. Returns all signals, weighed where they were not stored before.
        """
        final = dict(by_day)
        keys = list(by_day)
        pending = set(keys) - self.states.applied(batch.batch_id, keys) if keys else set()
        for _ in range(MOST_ATTEMPTS):
            if not pending:
                return [signal for signals in final.values() for signal in signals]
            states = self._weighed(pending, by_day, final)
            self.signals.put([signal for key in sorted(pending) for signal in final[key]], batch.received_at)
            pending = self.states.apply(batch.batch_id, states)
        raise Unavailable(f"the sums of {len(pending)} asset days kept changing, try the batch again")

    def _weighed(
        self,
        pending: set[AssetDayKey],
        by_day: dict[AssetDayKey, list[Signal]],
        final: dict[AssetDayKey, list[Signal]],
    ) -> list[AssetDay]:
        """The next states of asset days, their signals put weighed into `final`.

        The day before is read along: copies are known across midnight.
        """
        known = self.states.get(sorted(pending | {(asset, day_before(day)) for asset, day in pending}))
        states: list[AssetDay] = []
        for asset, day in sorted(pending):
            before = known.get((asset, day)) or AssetDay(asset=asset, day=day)
            earlier = known.get((asset, day_before(day)))
            after, final[asset, day] = fold(before, by_day[asset, day], earlier=earlier)
            known[asset, day] = after
            states.append(after)
        return states

    def _tell(self, batch: RawBatch, by_day: dict[AssetDayKey, list[Signal]], now: datetime) -> None:
        if not by_day:
            return
        assets = Counter[str]()
        for (asset, _), signals in by_day.items():
            assets[asset] += len(signals)
        identity = hashlib.sha256(f"signals\x00{batch.batch_id}".encode()).digest()
        data = {"assets": dict(assets), "batch_id": batch.batch_id}
        self.changes.publish([Change(id=ulid(now, identity), type="signals", at=now, data=data)])

    def _count(self, items: int, signals: Iterable[Signal], failures: Sequence[Failure]) -> None:
        counts = Counter[str](bellwether_items_processed_total=items)
        for signal in signals:
            copy = signal.copy or signal.near_copy_of is not None
            outcome = "copy" if copy else "abstained" if signal.abstained else "view"
            counts[f'bellwether_signals_total{{agent="{signal.agent_id}",outcome="{outcome}"}}'] += 1
        for failure in failures:
            counts[f'bellwether_agent_failures_total{{agent="{failure.agent_id}"}}'] += 1
        # the signals are stored: a counter that does not answer must not bring the batch back
        with suppress(Unavailable):
            if counts:
                self.counts.add({name: float(count) for name, count in counts.items()})


class _Reader:
    """Reads mentions with every agent, each text cluster once, and keeps what went wrong."""

    def __init__(self, agents: Sequence[ItemAgent], versions: AgentVersions) -> None:
        self.agents = agents
        self.versions = versions
        self.failures: list[Failure] = []
        self._read: dict[tuple[str, str, str], Reading] = {}

    def signals(self, mentions: Sequence[Mention], *, copy: bool) -> Iterable[Signal]:
        """One signal for each mention of an item and agent that is switched on, abstentions included."""
        sketch = sketch_of(mentions[0].item.words) if mentions else None
        for mention in mentions:
            for agent in self.agents:
                config = self.versions.at(agent.agent_id, mention.item.known_at)
                if config.enabled:
                    reading = self._reading(agent, mention)
                    yield signal_from(mention, config, reading, copy=copy, sketch=sketch)

    def prepare(self, mentions: Iterable[Mention]) -> None:
        """Tells each agent that is switched on what it is going to read, each text cluster once."""
        once = list({_text_of(mention): mention for mention in mentions}.values())
        for agent in self.agents:
            mine = [m for m in once if self.versions.at(agent.agent_id, m.item.known_at).enabled]
            try:
                agent.prepare(mine)
            except Exception as fault:  # noqa: BLE001 (then it reads them one by one, or fails on each)
                self._failed(agent, fault)

    def _reading(self, agent: ItemAgent, mention: Mention) -> Reading:
        key = (agent.agent_id, *_text_of(mention))
        if key not in self._read:
            try:
                self._read[key] = agent.read(mention)
            except Exception as fault:  # noqa: BLE001 (one bad item never sinks its batch)
                self._read[key] = Reading(abstained=f"the agent failed: {type(fault).__name__}")
                self._failed(agent, fault, mention)
        return self._read[key]

    def _failed(self, agent: ItemAgent, fault: Exception, mention: Mention | None = None) -> None:
        self.failures.append(
            Failure(
                item_id=mention.item.item_id if mention else "",
                asset=mention.asset.symbol if mention else "",
                agent_id=agent.agent_id,
                error=f"{type(fault).__name__}: {fault}",
            )
        )


def _text_of(mention: Mention) -> tuple[str, str]:
    """The same normalised words read the same; other clusters hold items with few words of their own."""
    cluster = mention.item.cluster_id
    return mention.asset.symbol, cluster if cluster.startswith("w-") else mention.item.item_id


def signal_from(
    mention: Mention,
    config: AgentConfig,
    reading: Reading,
    *,
    copy: bool,
    sketch: bytes | None,
) -> Signal:
    """A reading as a signal: calibrated by the configuration in force when the item became known.

    `sketch` is of the item's words (see `domain.near_duplicates`).
    """
    item = mention.item
    expires_at = expiry(item.published_at, config.half_life)
    abstained = reading.abstained
    if abstained is None and expires_at <= item.known_at:
        abstained = "it had faded before the desk knew it"
    return Signal(
        asset=mention.asset.symbol,
        agent_id=config.agent_id,
        agent_version=config.version,
        item_ids=(item.item_id,),
        event_time=item.published_at,
        observed_time=item.known_at,
        horizon=config.horizon,
        p_up=0.5 if abstained else probability(log_odds_from(config, reading.raw)),
        quality=0.0 if abstained else reading.quality,
        half_life=config.half_life,
        expires_at=expires_at,
        input_hash=input_hash(item, mention.asset.symbol),
        rationale=abstained or reading.rationale,
        raw=0.0 if abstained else reading.raw,
        abstained=abstained is not None,
        cluster_id=item.cluster_id,
        author=item.author,
        young_author=is_young(item.engagement),
        copy=copy,
        sketch=sketch,
    )


def input_hash(item: StoredItem, asset: str) -> str:
    """SHA-256 of what a signal was made from: the item's identity and words, and the asset."""
    return hashlib.sha256(f"{item.item_id}\x00{item.words}\x00{asset}".encode()).hexdigest()
