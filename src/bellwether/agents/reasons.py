"""The words behind a sentiment signal, for whoever asks why: told only if it still reads the same."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Protocol

from bellwether.agents.mentions import Mentions
from bellwether.agents.readings import Mention
from bellwether.agents.sentiment import SentimentAgent, TextModel
from bellwether.domain.entities import Asset
from bellwether.domain.items import StoredItem

MOST_WORDS = 4
_SAME = 1e-6


class Weighed(Protocol):
    """A word and what it adds to the label's log-odds."""

    @property
    def word(self) -> str: ...

    @property
    def weight(self) -> float: ...


class ExplainingModel(TextModel, Protocol):
    """What is needed of `agents.text.SentimentModel`."""

    def explain(
        self,
        text: str,
        entity: str | None = None,
        *,
        names: Sequence[str] = (),
        span: tuple[int, int] | None = None,
        limit: int = 5,
    ) -> Iterable[Weighed]:
        """The words that drove the label, strongest first."""


@dataclass(frozen=True)
class Reasons:
    """Explains signals of the sentiment agent about tracked assets."""

    mentions: Mentions
    model: ExplainingModel

    @classmethod
    def of_assets(cls, assets: Iterable[Asset], model: ExplainingModel) -> "Reasons":
        """For the assets as they are tracked now."""
        return cls(Mentions(assets), model)

    def words(self, item: StoredItem, asset: str, raw: float) -> list[str]:
        """The words that drove a reading of `raw`, strongest first, each with its log-odds: `soars +1.2`.

        Empty when the item does not read so any more: with another model, or other names of the asset, other
        words would be told than those the signal was made of.
        """
        mention = next((m for m in self.mentions.of(item) if m.asset.symbol == asset), None)
        if mention is None:
            return []
        reading = SentimentAgent(self.model).read(mention)
        if reading.abstained is not None or abs(reading.raw - raw) > _SAME:
            return []
        return spoken(self._explained(mention))

    def _explained(self, mention: Mention) -> Iterable[Weighed]:
        asset = mention.asset
        return self.model.explain(
            mention.text,
            names=(asset.symbol, asset.name, *asset.aliases),
            span=(mention.start, mention.end),
            limit=MOST_WORDS,
        )


def spoken(words: Iterable[Weighed]) -> list[str]:
    """Words with the log-odds each adds to the label, those that round to nothing left out."""
    return [f"{word.word} {word.weight:+.1f}" for word in words if abs(word.weight) >= 0.05]
