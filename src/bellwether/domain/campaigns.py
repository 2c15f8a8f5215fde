"""Coordinated campaigns: many young accounts that repeat one text, or that turn up together, within hours.

What gives a campaign away is who repeats, not how often: a headline is repeated by accounts of every age, a
rumour that somebody pushes by accounts made for it. So both figures here are of young accounts (see
`accounts`), and each names what it was found in, so that it can be looked at.
"""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime, timedelta

from msgspec import Struct

from bellwether.domain.decay import day_start, hours_between
from bellwether.domain.items import Instant
from bellwether.domain.seen_texts import SeenText, account_count
from bellwether.domain.state import AssetDay

REMEMBERED = timedelta(hours=72)
"""How long after its last post a campaign still speaks against a score."""
BURST_HOURS = 6


class RepeatedText(Struct, frozen=True, kw_only=True):
    """A text and its copies: about how many accounts repeated it, what share of the posts came from young
    ones, and over how many hours. `item_id` is the first post of it that day.
    """

    item_id: str
    items: int
    accounts: int
    young_share: float
    hours: float
    last: Instant

    @property
    def young_accounts(self) -> float:
        """About how many young accounts repeated it."""
        return self.accounts * self.young_share


class Burst(Struct, frozen=True, kw_only=True):
    """The six hours in which most young accounts spoke up: how many, and their share of the texts of these
    hours, copies counted once.
    """

    start: Instant
    texts: int
    young_accounts: int
    young_share: float


def repeated_text(days: Sequence[AssetDay], as_of: datetime) -> RepeatedText | None:
    """Of the texts repeated within the last 72 hours, the one that most young accounts repeated.

    A text of two days in a row is taken as one: copies join across midnight.
    """
    found: dict[str, list[tuple[float, SeenText]]] = defaultdict(list)
    for day in days:
        start = day_start(day.day)
        if start > as_of or start + timedelta(days=1) + REMEMBERED < as_of:
            continue
        for text in day.texts:
            if text.items > 1 or text.young:
                found[text.item_id].append((hours_between(start, as_of), text))
    joined = [_joined(parts, as_of) for parts in found.values()]
    recent = [text for text in joined if text.last + REMEMBERED >= as_of]
    return max(recent, key=lambda text: (text.young_accounts, text.accounts, text.item_id), default=None)


def _joined(parts: Sequence[tuple[float, SeenText]], as_of: datetime) -> RepeatedText:
    items = sum(text.items for _, text in parts)
    bitmap = 0
    for _, text in parts:
        bitmap |= text.accounts
    first = max(age - text.first for age, text in parts)
    last = min(age - text.last for age, text in parts)
    return RepeatedText(
        item_id=parts[0][1].item_id,
        items=items,
        accounts=account_count(bitmap, items),
        young_share=sum(text.young for _, text in parts) / items,
        hours=round(first - last, 4),
        last=as_of - timedelta(hours=last),
    )


def burst(days: Sequence[AssetDay], as_of: datetime) -> Burst | None:
    """The six hours of the last 72 in which most young accounts spoke up, `None` when none did."""
    hours: dict[datetime, tuple[int, int]] = {}
    for day in days:
        start = day_start(day.day)
        if not start <= as_of <= start + timedelta(days=1) + REMEMBERED:
            continue
        for hour, counts in enumerate(zip(day.mentions_by_hour, day.young_by_hour, strict=False)):
            hours[start + timedelta(hours=hour)] = counts
    windows = [
        _window(hours, start)
        for start, (_, young) in hours.items()
        if young and as_of - REMEMBERED <= start <= as_of
    ]
    return max(windows, key=lambda window: (window.young_accounts, window.young_share), default=None)


def _window(hours: dict[datetime, tuple[int, int]], start: datetime) -> Burst:
    within = [hours.get(start + timedelta(hours=hour), (0, 0)) for hour in range(BURST_HOURS)]
    texts, young = sum(texts for texts, _ in within), sum(young for _, young in within)
    return Burst(start=start, texts=texts, young_accounts=young, young_share=young / texts)
