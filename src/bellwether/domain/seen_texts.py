"""The texts an asset's day has seen of late, so that a lightly edited copy is known for one: bounded.

A text that is not one of them joins as itself; when there is no room the text that has gone longest without a
copy leaves, those that many accounts repeated last. Accounts are counted by linear counting on 64 bits
(Whang, Vander-Zanden & Taylor, "A linear-time probabilistic counting algorithm", ACM TODS 1990).
"""

import math
from collections.abc import Iterable, Sequence
from functools import lru_cache
from hashlib import blake2b
from heapq import heapify, heappop, heappush, heapreplace

from msgspec import Struct

from bellwether.domain.near_duplicates import hashes_of, near, resemble, says_otherwise
from bellwether.domain.word_bitmaps import EVERY_BIT, bitmap_of

MOST_TEXTS = 64
MOST_VARIANTS = 3
"""Texts that differ by a number, a direction or a negation alone; more are one text with something to tell
them apart, such as a count at its end, and are counted to the first of them."""
KEPT_ACCOUNTS = 8
"""A text repeated by at least so many accounts leaves after all others."""
_BITS = 64
_CACHED_ACCOUNTS = 16_384
"""An account speaks of several assets."""
_CACHED_TEXTS = 1_024
"""What is copied is copied again."""

_Standing = tuple[int, float, str]


class SeenText(Struct, frozen=True, kw_only=True, array_like=True, gc=False):
    """One text and what became of it. `item_id` is its first item; `first` and `last` in hours of the day.

    `accounts` is a bitmap (see `account_count`), `young` how many of the `items` came from young accounts and
    `young_accounts` the bitmap of these.
    `counted` says that one of them was evidence: of copies that arrive before what they copy none is.
    """

    item_id: str
    sketch: bytes
    items: int
    accounts: int
    young: int
    first: float
    last: float
    counted: bool = False
    young_accounts: int = 0


class _AccountBits(dict[str, int]):
    """By account: the bit that its hash gives it, remembered for a while."""

    def __missing__(self, author: str) -> int:
        if len(self) >= _CACHED_ACCOUNTS:
            self.clear()
        bit = self[author] = 1 << (blake2b(author.encode(), digest_size=1).digest()[0] % _BITS)
        return bit


account_bit = _AccountBits().__getitem__
"""The bit that stands for an account; several share one."""


def account_count(bitmap: int, items: int) -> int:
    """About how many accounts set the bits: −64·ln(share of bits not set), never more than the items."""
    unset = _BITS - bitmap.bit_count()
    return items if unset == 0 else min(items, round(-_BITS * math.log(unset / _BITS)))


class SeenTexts:
    """A day's texts while it is being added to; `earlier` are those of the day before, to join copies to."""

    def __init__(self, texts: Iterable[SeenText], earlier: Iterable[SeenText] = ()) -> None:
        self._texts: dict[str, SeenText] = {}
        self._sketches: dict[str, bytes] = {}
        self._missing: dict[str, int] = {}
        for text in texts:
            self._put(text)
        # all of them: a text that joined today may leave again, and its next copy is one all the same
        self._earlier = [(EVERY_BIT ^ bitmap_of(text.sketch), text) for text in earlier]
        self._queue: list[_Standing] = []

    def see(
        self, *, item_id: str, sketch: bytes, author: str | None, young: bool, copy: bool, hour: float
    ) -> SeenText | None:
        """Counts an item; returns the text that it repeats as it was before, `None` when nobody had said it.

        An item without an author counts as an account of its own. A `copy`, word for word, of what may not
        have been seen yet is no evidence; the next item that is not one will be.
        """
        known = self._known(sketch)
        bit = account_bit(author or item_id)
        if known is None:
            text = SeenText(
                item_id=item_id,
                sketch=sketch,
                items=1,
                accounts=bit,
                young=1 if young else 0,
                first=hour,
                last=hour,
                counted=not copy,
                young_accounts=bit if young else 0,
            )
        else:
            text = _with(known, bit, young, copy, hour)
        if text.item_id not in self._texts:
            self._make_room()
            self._put(text)
        else:
            self._texts[text.item_id] = text
        if text.items == 1 and self._queue:
            heappush(self._queue, _standing(text))
        return known

    def _put(self, text: SeenText) -> None:
        self._texts[text.item_id] = text
        self._sketches[text.item_id] = text.sketch
        self._missing[text.item_id] = EVERY_BIT ^ bitmap_of(text.sketch)

    def _known(self, sketch: bytes) -> SeenText | None:
        """The text these words are a copy of: today's newest, else one of the day before, else the first of
        many that are told apart by a number, a direction or a negation.
        """
        bits = bitmap_of(sketch)
        most = len(sketch) // 2 // 3  # a third of its words, which are two bytes each
        today, earlier = [], []
        for name, missing in self._missing.items():
            if (bits & missing).bit_count() <= most:
                today.append(name)
        for missing, text in self._earlier:
            if (bits & missing).bit_count() <= most:
                earlier.append(text)
        return self._copied(_hashes_of(sketch), today, earlier) if bits and (today or earlier) else None

    def _copied(
        self, hashes: frozenset[int], today: Sequence[str], earlier: Sequence[SeenText]
    ) -> SeenText | None:
        """`_known` of these texts, oldest first."""
        variants: list[str] = []
        for name in reversed(today):
            known = _hashes_of(self._sketches[name])
            if resemble(known, hashes):
                if not says_otherwise(known, hashes):
                    return self._texts[name]
                variants.append(name)
        for text in earlier:
            if near(_hashes_of(text.sketch), hashes):
                return _anew(text)
        return self._texts[variants[-1]] if len(variants) >= MOST_VARIANTS else None

    def _make_room(self) -> None:
        while len(self._texts) >= MOST_TEXTS:
            leaving = self._least()
            del self._texts[leaving], self._sketches[leaving], self._missing[leaving]

    def _least(self) -> str:
        """The text that leaves. Each has a standing in the queue, its own or an earlier one, which is less:
        so the first that is still its text's own is the least of all.
        """
        if not self._queue:
            self._queue = list(map(_standing, self._texts.values()))
            heapify(self._queue)
        while True:
            known = self._queue[0]
            text = self._texts.get(known[-1])
            standing = _standing(text) if text else known
            if standing == known:
                heappop(self._queue)
                if text:
                    return text.item_id
            else:
                heapreplace(self._queue, standing)

    def record(self) -> tuple[SeenText, ...]:
        """The texts, oldest first."""
        return tuple(self._texts.values())


_hashes_of = lru_cache(maxsize=_CACHED_TEXTS)(hashes_of)


def _anew(text: SeenText) -> SeenText:
    """A text of the day before, of which nothing was counted today."""
    return SeenText(
        item_id=text.item_id,
        sketch=text.sketch,
        items=0,
        accounts=0,
        young=0,
        first=math.inf,
        last=-math.inf,
        counted=text.counted,
    )


def _with(text: SeenText, bit: int, young: bool, copy: bool, hour: float) -> SeenText:
    """A text with one more item."""
    return SeenText(
        item_id=text.item_id,
        sketch=text.sketch,
        items=text.items + 1,
        accounts=text.accounts | bit,
        young=text.young + young,
        first=min(text.first, hour),
        last=max(text.last, hour),
        counted=text.counted or not copy,
        young_accounts=text.young_accounts | bit if young else text.young_accounts,
    )


def _standing(text: SeenText) -> _Standing:
    """What stays longest compares greatest."""
    accounts = account_count(text.accounts, text.items) if text.items >= KEPT_ACCOUNTS else 0
    return accounts if accounts >= KEPT_ACCOUNTS else 0, text.last, text.item_id
