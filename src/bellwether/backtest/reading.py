"""From the items of a day to each asset's sums, with the functions the desk's signal workers use."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

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

_COPY = Reading(abstained="a copy of what was read before")


class DayReader:
    """Links and reads a day's items; remembers which clusters were seen before."""

    def __init__(self, assets: Iterable[Asset], model: TextModel, counts: Counts) -> None:
        self._mentions = Mentions(assets)
        self._agent = SentimentAgent(model)
        self._clusters: set[str] = set()
        self._newest: dict[str, AssetDay] = {}
        self._counts = counts

    def day(self, day: str, items: Sequence[StoredItem], versions: AgentVersions) -> dict[str, AssetDay]:
        """What the day's items add up to, by asset. `items` must all be of that day, in order."""
        by_asset: dict[str, list[Signal]] = defaultdict(list)
        for item in items:
            mentions = self._mentions.of(item)
            if not mentions:
                continue
            copy = item.cluster_id in self._clusters
            self._clusters.add(item.cluster_id)
            self._counts.linked += 1
            self._counts.copies += copy
            sketch = sketch_of(item.words)
            for mention in mentions:
                signal = self._signal(mention, versions, copy=copy, sketch=sketch)
                if signal is not None:
                    by_asset[signal.asset].append(signal)
        self._counts.signals += sum(map(len, by_asset.values()))
        return {asset: self._folded(asset, day, signals) for asset, signals in by_asset.items()}

    def _folded(self, asset: str, day: str, signals: Sequence[Signal]) -> AssetDay:
        before = self._newest.get(asset)
        earlier = before if before is not None and before.day == day_before(day) else None
        state = self._newest[asset] = folded(AssetDay(asset=asset, day=day), signals, earlier=earlier)
        return state

    def _signal(
        self, mention: Mention, versions: AgentVersions, *, copy: bool, sketch: bytes | None
    ) -> Signal | None:
        config = versions.at(self._agent.agent_id, mention.item.known_at)
        if not config.enabled:
            return None
        # a copy adds no evidence whatever it says, so it need not be read
        reading = _COPY if copy else self._agent.read(mention)
        return signal_from(mention, config, reading, copy=copy, sketch=sketch)
