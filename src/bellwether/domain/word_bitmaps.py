"""Bitmaps of sketched texts, to tell in no time that two of them cannot be copies.

A word sets one bit, several words share one. Of a text that resembles another (`near_duplicates.resemble`) at
most a third of the words are not in the other, so at most so many of its bits are missing there. What passes
need not resemble: few do (Sandes, Teodoro, Melo, "Bitmap filter: speeding up exact set similarity joins with
bitwise operations", Information Systems 88, 2020).
"""

BITS = 59
"""A prime, because the last bits of a word's hash say what kind of word it is; two digits of Python's."""
EVERY_BIT = (1 << BITS) - 1
_CACHED = 8_192
"""A text is looked at once for each asset it names, and again the next day."""

_BIT_OF = tuple(1 << byte % BITS for byte in range(256))


class _Bitmaps(dict[bytes, int]):
    """By sketch: the bits that its words set, each by one of its two bytes."""

    def __missing__(self, sketch: bytes) -> int:
        if len(self) >= _CACHED:
            self.clear()
        bits = 0
        for byte in sketch[1::2]:
            bits |= _BIT_OF[byte]
        self[sketch] = bits
        return bits


bitmap_of = _Bitmaps().__getitem__
"""The bits that a sketch's words set."""
