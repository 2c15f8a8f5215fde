"""The texts an asset's day has seen of late, so that a lightly edited copy is known for one: bounded.

A text that is not one of them joins as itself; when there is no room the text that has gone longest without a
copy leaves, those that many accounts repeated last. Accounts are counted by linear counting on 64 bits
(Whang, Vander-Zanden & Taylor, "A linear-time probabilistic counting algorithm", ACM TODS 1990).
"""

import math
from collections.abc import Iterable
from hashlib import blake2b

from msgspec import Struct

from bellwether.domain.near_duplicates import hashes_of, near, probe, resemble, says_otherwise

MOST_TEXTS = 64
MOST_VARIANTS = 3
"""Texts that differ by a number, a direction or a negation alone; more are one text with something to tell
them apart, such as a count at its end, and are counted to the first of them."""
KEPT_ACCOUNTS = 8
"""A text repeated by at least so many accounts leaves after all others."""
_BITS = 64


class SeenText(Struct, frozen=True, kw_only=True, array_like=True):
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


def account_bit(author: str) -> int:
    """The bit that stands for an account; several share one."""
    return 1 << (blake2b(author.encode(), digest_size=1).digest()[0] % _BITS)


def account_count(bitmap: int, items: int) -> int:
    """About how many accounts set the bits: −64·ln(share of bits not set), never more than the items."""
    unset = _BITS - bitmap.bit_count()
    return items if unset == 0 else min(items, round(-_BITS * math.log(unset / _BITS)))


class SeenTexts:
    """A day's texts while it is being added to; `earlier` are those of the day before, to join copies to."""

    def __init__(self, texts: Iterable[SeenText], earlier: Iterable[SeenText] = ()) -> None:
        self._texts = {text.item_id: text for text in texts}
        self._hashes = {name: hashes_of(text.sketch) for name, text in self._texts.items()}
        # all of them: a text that joined today may leave again, and its next copy is one all the same
        self._earlier = [(text, hashes_of(text.sketch)) for text in earlier]

    def see(
        self, *, item_id: str, sketch: bytes, author: str | None, young: bool, copy: bool, hour: float
    ) -> SeenText:
        """Counts an item; returns its text as it was before, with the item's own id when nobody had said it.

        An item without an author counts as an account of its own. A `copy`, word for word, of what may not
        have been seen yet is no evidence; the next item that is not one will be.
        """
        hashes = hashes_of(sketch)
        text = self._known(hashes) or _new(item_id, sketch)
        bit = account_bit(author or item_id)
        if text.item_id not in self._texts:
            self._make_room()
            self._hashes[text.item_id] = hashes_of(text.sketch)
        self._texts[text.item_id] = SeenText(
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
        return text

    def _known(self, hashes: frozenset[int]) -> SeenText | None:
        """The text these words are a copy of: today's newest, else one of the day before, else the first of
        many that are told apart by a number, a direction or a negation.
        """
        variants: list[str] = []
        some = probe(hashes)
        for name, known in reversed(self._hashes.items()):
            if not known.isdisjoint(some) and resemble(known, hashes):
                if not says_otherwise(known, hashes):
                    return self._texts[name]
                variants.append(name)
        for text, known in self._earlier:
            if not known.isdisjoint(some) and near(known, hashes):
                return _new(text.item_id, text.sketch, counted=text.counted)
        return self._texts[variants[-1]] if len(variants) >= MOST_VARIANTS else None

    def _make_room(self) -> None:
        while len(self._texts) >= MOST_TEXTS:
            leaving = min(self._texts.values(), key=_standing)
            del self._texts[leaving.item_id], self._hashes[leaving.item_id]

    def record(self) -> tuple[SeenText, ...]:
        """The texts, oldest first."""
        return tuple(self._texts.values())


def _new(item_id: str, sketch: bytes, *, counted: bool = False) -> SeenText:
    return SeenText(
        item_id=item_id,
        sketch=sketch,
        items=0,
        accounts=0,
        young=0,
        first=math.inf,
        last=-math.inf,
        counted=counted,
    )


def _standing(text: SeenText) -> tuple[int, float, str]:
    """What stays longest compares greatest."""
    accounts = account_count(text.accounts, text.items)
    return accounts if accounts >= KEPT_ACCOUNTS else 0, text.last, text.item_id
