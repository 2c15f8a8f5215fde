"""Which tracked assets an item speaks of, as the agents are given it."""

from collections.abc import Iterable, Sequence

from bellwether.agents.readings import Mention
from bellwether.domain.entities import Asset
from bellwether.domain.items import StoredItem
from bellwether.domain.links import Link, Linker, LinkTarget

MOST_CHARACTERS = 20_000
"""What an article is about is said well before; the rest would only cost time."""


class Mentions:
    """Finds the mentions of a fixed set of assets; building it is linear in the assets, so keep it."""

    def __init__(self, assets: Iterable[Asset]) -> None:
        self.assets = {asset.symbol: asset for asset in assets}
        self._linker = Linker(
            LinkTarget(symbol=asset.symbol, name=asset.name, aliases=asset.aliases)
            for asset in self.assets.values()
        )

    def of(self, item: StoredItem) -> list[Mention]:
        """One mention for each tracked asset the item's first 20,000 characters are about."""
        text = item.words[:MOST_CHARACTERS]
        links: Sequence[Link] = self._linker.link(text)
        return [
            Mention(
                item=item,
                asset=self.assets[link.symbol],
                text=text,
                start=link.start,
                end=link.end,
                confidence=link.confidence,
            )
            for link in links
            if link.symbol in self.assets
        ]
