"""From the items of a day to each asset's sums, with the functions the desk's signal workers use.

What a text says does not depend on when it is read. Items are read some days ahead and one kind of work after
another, because tables that stay in the processor's cache answer in a fraction of the time. What a reading is
worth depends on the day: the configuration in force, what was folded before.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain, groupby
from typing import NamedTuple

from bellwether.agents.copies import sketch_of
from bellwether.agents.mentions import Mentions
from bellwether.agents.readings import Mention, Reading
from bellwether.agents.sentiment import SentimentAgent, TextModel
from bellwether.backtest.records import Counts
from bellwether.domain.day_sums import folded
from bellwether.domain.entities import Asset
from bellwether.domain.items import StoredItem
from bellwether.domain.signals import Signal, day_before
from bellwether.domain.state import AssetDay
from bellwether.usecases.agent_versions import AgentVersions
from bellwether.usecases.process_batch import signal_from

AT_ONCE = 10_000
"""Items read ahead: enough for the tables, a few megabytes of readings."""

_COPY = Reading(abstained="a copy of what was read before")


class ReadItem(NamedTuple):
    """An item, the mentions of assets in it, and what the agent makes of each (nothing of a copy's)."""

    item: StoredItem
    mentions: Sequence[Mention]
    readings: Sequence[Reading]
    sketch: bytes | None
    copy: bool


class DayReader:
    """Links and reads items; remembers which clusters were seen before. Items must come in order."""

    def __init__(self, assets: Iterable[Asset], model: TextModel, counts: Counts) -> None:
        self._mentions = Mentions(assets)
        self._agent = SentimentAgent(model)
        self._clusters: set[str] = set()
        self._newest: dict[str, AssetDay] = {}
        self._counts = counts

    def days(self, items: Sequence[StoredItem]) -> Iterator[tuple[date, list[ReadItem]]]:
        """The items by day, read ahead by some thousands."""
        batches = (items[first : first + AT_ONCE] for first in range(0, len(items), AT_ONCE))
        read = chain.from_iterable(map(self.read, batches))
        for day, group in groupby(read, key=lambda one: one.item.known_at.date()):
            yield day, list(group)

    def read(self, items: Sequence[StoredItem]) -> list[ReadItem]:
        """What the items say."""
        mentions = list(map(self._mentions.of, items))
        sketches = [sketch_of(item.words) if of else None for item, of in zip(items, mentions, strict=True)]
        copies = [bool(of) and self._is_copy(item) for item, of in zip(items, mentions, strict=True)]
        readings = [
            # a copy adds no evidence whatever it says, so it need not be read
            [_COPY] * len(of) if copy else list(map(self._agent.read, of))
            for of, copy in zip(mentions, copies, strict=True)
        ]
        return list(map(ReadItem, items, mentions, readings, sketches, copies))

    def _is_copy(self, item: StoredItem) -> bool:
        seen = item.cluster_id in self._clusters
        self._clusters.add(item.cluster_id)
        return seen

    def day(self, day: str, items: Sequence[ReadItem], versions: AgentVersions) -> dict[str, AssetDay]:
        """What the day's items add up to, by asset. `items` must all be of that day, in order."""
        by_asset: dict[str, list[Signal]] = defaultdict(list)
        for item, mentions, readings, sketch, copy in items:
            config = versions.at(self._agent.agent_id, item.known_at)
            if not config.enabled:
                continue
            for mention, reading in zip(mentions, readings, strict=True):
                signal = signal_from(mention, config, reading, copy=copy, sketch=sketch, hashed=False)
                by_asset[signal.asset].append(signal)
        self._counts.linked += sum([bool(read.mentions) for read in items])
        self._counts.copies += sum([read.copy for read in items])
        self._counts.signals += sum(map(len, by_asset.values()))
        return {asset: self._folded(asset, day, signals) for asset, signals in by_asset.items()}

    def _folded(self, asset: str, day: str, signals: Sequence[Signal]) -> AssetDay:
        before = self._newest.get(asset)
        earlier = before if before is not None and before.day == day_before(day) else None
        state = self._newest[asset] = folded(AssetDay(asset=asset, day=day), signals, earlier=earlier)
        return state
