"""Posts that are gone at their source: what the desk forgets of them, and what stays.

X's developer policy and Reddit's data terms ask that what people delete there is deleted here. What stays of
such a post says nothing of it: that it was there, when, in which cluster, and what it weighed, so that sums
and decisions can still be followed.
"""

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from msgspec.structs import replace

from bellwether.domain.items import StoredItem
from bellwether.domain.signals import Signal

AGED = "aged"
HELD_FOR = timedelta(days=170)
"""How long words of posts are held at all: after 180 days the lake's objects lie where they cannot be changed
at once, and what cannot be changed cannot be forgotten."""
FRESH = timedelta(days=2)
FRESH_EVERY = timedelta(minutes=50)
OLD_EVERY = timedelta(hours=20)
"""How often posts are asked about: most that are deleted are so within two days, and a day is the longest."""

CHECKABLE: Mapping[str, re.Pattern[str]] = {
    "x": re.compile(r"[0-9]{1,19}"),
    "reddit": re.compile(r"t3_[0-9a-z]{1,13}"),
}
"""Sources that are asked about their posts, and what their ids look like."""

_OF_THE_AUTHOR = {"author_followers", "author_age_days"}
_TOLD: Mapping[str, str] = {
    "deleted": "deleted at the source",
    "removed": "removed at the source",
    "edited": "changed at the source",
    "protected": "made private by its author",
    "suspended": "gone with its author's account",
    "deactivated": "gone with its author's account",
    AGED: "past the time posts are held",
}


def is_checkable(item: StoredItem) -> bool:
    """Whether this is a post whose source can be asked about it, and that still has its words."""
    ids = CHECKABLE.get(item.source)
    return item.deleted_at is None and ids is not None and ids.fullmatch(item.source_id) is not None


def forgotten(item: StoredItem, because: str, at: datetime) -> StoredItem:
    """The item without its words, link and author. One that was forgotten before stays as it is."""
    if item.deleted_at is not None:
        return item
    return replace(
        item,
        title=None,
        text=None,
        url=None,
        author=None,
        engagement={name: told for name, told in item.engagement.items() if name not in _OF_THE_AUTHOR},
        deleted_at=at,
        deleted_because=because,
    )


def gone_words(item: StoredItem) -> str:
    """What is said where the words of such an item would stand: `deleted at the source on 2026-11-25`."""
    told = _TOLD.get(item.deleted_because or "", _TOLD["deleted"])
    return f"{told} on {item.deleted_at:%Y-%m-%d}" if item.deleted_at else ""


def without_words(signals: Iterable[Signal], gone: Mapping[str, str]) -> list[Signal]:
    """Those of the signals that were read from items in `gone` (id to reason), their reasons forgotten.

    The author's salted hash and the sketch stay: neither says a word, and both are what copies and authors
    are counted by.
    """
    changed = []
    for signal in signals:
        because = next((gone[name] for name in signal.item_ids if name in gone), None)
        if because is None:
            continue
        told = f"the post is {_TOLD.get(because, _TOLD['deleted'])}"
        if signal.rationale != told:
            changed.append(replace(signal, rationale=told))
    return changed


def is_due(day_end: datetime, checked_at: datetime | None, now: datetime) -> bool:
    """Whether the posts that came in on a day that ended then are to be asked about again."""
    if checked_at is None:
        return True
    return now - checked_at >= (FRESH_EVERY if now - day_end < FRESH else OLD_EVERY)
