"""What agents are given and what they give back, before calibration turns it into a probability."""

from collections.abc import Sequence
from math import isfinite
from typing import Protocol

from msgspec import Struct

from bellwether.domain.entities import Asset
from bellwether.domain.items import StoredItem


class Mention(Struct, frozen=True, kw_only=True):
    """One item about one tracked asset: `text[start:end]` is where it is named, `confidence` in [0, 1] that
    it is.
    """

    item: StoredItem
    asset: Asset
    text: str
    start: int
    end: int
    confidence: float


class Reading(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent makes of one mention: `raw` in the agent's own unit, `quality` in [0, 1].

    `abstained` says why there is no reading; abstaining is not neutral. Raises `ValueError` when `raw` or
    `quality` is no such number: one NaN would make an asset's sums unreadable for as long as they live.
    """

    raw: float = 0.0
    quality: float = 0.0
    rationale: str = ""
    abstained: str | None = None

    def __post_init__(self) -> None:
        if not (isfinite(self.raw) and 0 <= self.quality <= 1):
            raise ValueError(f"a reading of {self.raw} with quality {self.quality} says nothing")


class Stance(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What an agent makes of an asset as a whole (its prices, its volume of mentions) at a moment.

    `evidence` is in the unit of formula 2's M: how many fresh independent observations stand behind it.
    """

    raw: float = 0.0
    evidence: float = 0.0
    rationale: str = ""
    abstained: str | None = None


class ItemAgent(Protocol):
    """An agent that reads items. It may raise: the caller records an abstention and goes on."""

    @property
    def agent_id(self) -> str:
        """The agent's id in `agents_config`."""

    def prepare(self, mentions: Sequence[Mention]) -> None:
        """Told once what it is going to read of a batch, for agents that read many mentions in one call."""

    def read(self, mention: Mention) -> Reading:
        """Reads one mention."""
