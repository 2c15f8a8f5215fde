"""From the items of a day to each asset's sums, with the functions the desk's signal workers use.

What a text says does not depend on when it is read. Items are read some days ahead and one kind of work after
another, because tables that stay in the processor's cache answer in a fraction of the time. What a reading is
worth depends on the day: the configuration in force, what was folded before.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from itertools import chain, groupby, islice
from typing import NamedTuple

from bellwether.agents.copies import sketch_of
from bellwether.agents.mentions import Mentions
from bellwether.agents.readings import Mention
from bellwether.agents.sentiment import SentimentAgent, TextModel
from bellwether.agents.sentiment_many import raw_readings
from bellwether.backtest.records import Counts
from bellwether.domain.accounts import is_young
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.day_sums import folded
from bellwether.domain.decay import expiry
from bellwether.domain.entities import Asset
from bellwether.domain.items import StoredItem
from bellwether.domain.log_odds import probability
from bellwether.domain.reliability import calibrated, slope_of
from bellwether.domain.signals import BareSignal, day_before
from bellwether.domain.state import AssetDay
from bellwether.usecases.agent_versions import AgentVersions

AT_ONCE = 10_000
"""Items read ahead: enough for the tables, a few megabytes of readings."""


class ReadItem(NamedTuple):
    """An item, the mentions of assets in it, and the agent's raw reading of each: `None` where it abstained,
    and of a copy, which adds no evidence whatever it says.
    """

    item: StoredItem
    mentions: Sequence[Mention]
    raws: Sequence[float | None]
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
        sketches = [sketch_of(of[0].text) if of else None for of in mentions]
        copies = [bool(of) and self._is_copy(item) for item, of in zip(items, mentions, strict=True)]
        first = [of for of, copy in zip(mentions, copies, strict=True) if not copy]
        raws = iter(raw_readings(self._agent, list(chain.from_iterable(first))))
        by_item = [
            [None] * len(of) if copy else list(islice(raws, len(of)))
            for of, copy in zip(mentions, copies, strict=True)
        ]
        return list(map(ReadItem, items, mentions, by_item, sketches, copies))

    def _is_copy(self, item: StoredItem) -> bool:
        seen = item.cluster_id in self._clusters
        self._clusters.add(item.cluster_id)
        return seen

    def day(self, day: str, items: Sequence[ReadItem], versions: AgentVersions) -> dict[str, AssetDay]:
        """What the day's items add up to, by asset. `items` must all be of that day, in order."""
        by_asset: defaultdict[str, list[BareSignal]] = defaultdict(list)
        agent_id = self._agent.agent_id
        maker = None
        for read in items:
            config = versions.at(agent_id, read.item.known_at)
            if maker is None or config is not maker.config:
                maker = SignalMaker(config)
            if config.enabled:
                maker.add(read, by_asset)
        self._counts.linked += sum([bool(read.mentions) for read in items])
        self._counts.copies += sum([read.copy for read in items])
        self._counts.signals += sum(map(len, by_asset.values()))
        return {asset: self._folded(asset, day, signals) for asset, signals in by_asset.items()}

    def _folded(self, asset: str, day: str, signals: Sequence[BareSignal]) -> AssetDay:
        before = self._newest.get(asset)
        earlier = before if before is not None and before.day == day_before(day) else None
        state = self._newest[asset] = folded(AssetDay(asset=asset, day=day), signals, earlier=earlier)
        return state


class SignalMaker:
    """Makes of what was read what is added up: `usecases.process_batch.signal_from` for a replay, where
    nobody asks what a signal was made from and when it expires.
    """

    def __init__(self, config: AgentConfig) -> None:
        self.config = config
        self._intercept = config.intercept if calibrated(config) else 0.0
        self._slope = slope_of(config)

    def add(self, read: ReadItem, by_asset: defaultdict[str, list[BareSignal]]) -> None:
        """One signal for each mention, abstentions included."""
        item, mentions, raws, sketch, copy = read
        agent_id, half_life = self.config.agent_id, self.config.half_life
        published_at, known_at = item.published_at, item.known_at
        faded = expiry(published_at, half_life) <= known_at
        item_ids, young = (item.item_id,), is_young(item.engagement)
        for mention, raw in zip(mentions, raws, strict=True):
            symbol, quality = mention.asset.symbol, mention.confidence
            if raw is None or faded:
                abstained, p_up, quality = True, 0.5, 0.0
            else:
                abstained, p_up = False, probability(self._intercept + self._slope * raw)
                if not 0.0 <= quality <= 1.0:
                    quality = min(1.0, max(0.0, quality))
            by_asset[symbol].append(
                BareSignal(
                    symbol,
                    agent_id,
                    item_ids,
                    published_at,
                    known_at,
                    half_life,
                    p_up,
                    quality,
                    abstained,
                    item.cluster_id,
                    item.author,
                    young,
                    copy,
                    sketch,
                )
            )
