"""The sentiment agent over many mentions at once, for backtests and other bulk use (needs numpy)."""

from collections.abc import Sequence
from functools import lru_cache

from bellwether.agents.readings import Mention
from bellwether.agents.sentiment import SentimentAgent, abstention, names_of
from bellwether.agents.text.many import ManyReader
from bellwether.agents.text.model import SentimentModel

_reader = lru_cache(maxsize=1)(ManyReader)


def raw_readings(agent: SentimentAgent, mentions: Sequence[Mention]) -> list[float | None]:
    """What `agent.read` reads of each mention (`raw`, p(positive) − p(negative)); `None` where it abstains.

    The project's own model reads them all at once, any other one by one. Equal to `agent.read` to 1e-12: the
    sums are taken in another order.
    """
    if not isinstance(agent.model, SentimentModel):
        readings = map(agent.read, mentions)
        return [None if reading.abstained else reading.raw for reading in readings]
    read = [abstention(mention) is None for mention in mentions]
    found = _reader(agent.model).read(
        (mention.text, names_of(mention.asset), (mention.start, mention.end))
        for mention, wanted in zip(mentions, read, strict=True)
        if wanted
    )
    raw = iter((found.positive - found.negative).tolist())
    return [next(raw) if wanted else None for wanted in read]
