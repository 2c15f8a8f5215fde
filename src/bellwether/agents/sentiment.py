"""The sentiment agent: the project's own text model, per entity, in-process."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from bellwether.agents.readings import Mention, Reading
from bellwether.domain.entities import Asset


class Polarity(Protocol):
    """Probabilities of the three labels."""

    @property
    def p_negative(self) -> float: ...

    @property
    def p_neutral(self) -> float: ...

    @property
    def p_positive(self) -> float: ...


class TextModel(Protocol):
    """What the agent needs of `agents.text.SentimentModel`."""

    def read(
        self,
        text: str,
        entity: str | None = None,
        *,
        names: Sequence[str] = (),
        span: tuple[int, int] | None = None,
    ) -> Polarity:
        """Reads a text about one entity."""


@dataclass(frozen=True)
class SentimentAgent:
    """Reads p(positive) − p(negative) in [−1, 1]; the quality of a reading is the confidence of its link.

    The model's doubt is in the reading already: a text it finds neutral reads near 0 and pulls the mean
    there.
    """

    model: TextModel
    agent_id: str = "sentiment"

    def prepare(self, mentions: Sequence[Mention]) -> None:
        """Nothing: the model reads one mention in microseconds."""

    def read(self, mention: Mention) -> Reading:
        """Abstains from texts that are not English and from those that say nothing but the name."""
        if why := abstention(mention):
            return Reading(abstained=why)
        asset = mention.asset
        polarity = self.model.read(
            mention.text,
            names=names_of(asset),
            span=(mention.start, mention.end),
        )
        return Reading(
            raw=polarity.p_positive - polarity.p_negative,
            quality=min(1.0, max(0.0, mention.confidence)),
            rationale=(
                f"{polarity.p_positive:.0%} positive, {polarity.p_negative:.0%} negative about {asset.symbol}"
            ),
        )


def names_of(asset: Asset) -> tuple[str, ...]:
    """The names the model recognises as the same asset."""
    return (asset.symbol, asset.name, *asset.aliases)


def abstention(mention: Mention) -> str | None:
    """Why a mention is not read, or None: only English is, and only what says more than the name."""
    lang = (mention.item.lang or "en").lower()
    if not lang.startswith(("en", "und")):
        return f"the model reads English, the text is marked {mention.item.lang}"
    if _has_words(mention.text[: mention.start]) or _has_words(mention.text[mention.end :]):
        return None
    return "the text says nothing but the name"


def _has_words(text: str) -> bool:
    return any(map(str.isalpha, text.split()))
