"""Sketches of texts, and whether two of them are copies of one another with light edits.

A sketch is the set of a text's words as short hashes, so that comparing two gives their resemblance
(Jaccard's share of common words; Broder, "On the resemblance and containment of documents", 1997): exact for
a post or a headline, and estimated from the smallest hashes for what is longer (bottom-k sketches: Cohen &
Kaplan, "Summarizing data using bottom-k sketches", PODC 2007).

What copies change does not count: who is quoted, links, cashtags, case, marks, a word that was cut off. What
makes another sentence of the same words does: a number or a direction replaced by another, a negation more or
less. "Beats by 3 cents" and "misses by 3 cents" share most of their words and are not copies.
"""

import re
import unicodedata
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from itertools import islice
from zlib import crc32

LEAST_RESEMBLANCE = 2 / 3
"""A text of eight words keeps it when one is replaced, and when two are dropped or four added."""
FEWEST_WORDS = 4
"""Texts of fewer distinct words are copies when all are the same: one more is much of what they say."""
MOST_HASHES = 24
MOST_CHARACTERS = 600
"""Read from the start: what is copied is copied from there."""

_PLAIN, _NUMBER, _DIRECTION, _TURN = range(4)
_KINDS = 3
_NONE, _SEVERAL = -1, -2
_CACHED_WORDS, _CACHED_RUNS, _LONGEST_CACHED = 16_384, 50_000, 32
"""What is remembered: some ten megabytes at the most."""
_SAID_BY_COPIES = frozenset({"rt", "mt", "via"})

_LEFT_OUT = r"https?://\S*|www\.\S+|[@$][^\W\d]\w*|&\w+;"
_WORD = r"(\d+(?:[.,]\d+)*|[^\W\d_]+(?:'[^\W\d_]+)?)"
_WORDS = re.compile(f"{_LEFT_OUT}|{_WORD}").findall
_WORDS_BUT_CUT_ONES = re.compile(rf"{_LEFT_OUT}|\w+\.\.\.|{_WORD}").findall

# links as the patterns above find them: not where a word or a tag runs into one; what comes before is looked
# at after four plain characters, so that the search can go from one `http` to the next
_LINK = re.compile(r"http(?<![\w@$']http)s?://\S*")
_IN_WORDS = re.compile(r"[\w@$&;.,']")
_GAPS = bytes(code if code > 127 or _IN_WORDS.match(chr(code)) else 32 for code in range(256))
"""What is part of no word in plain text without links, as blanks."""

_UNSEEN = re.compile(
    "[\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164"
    "\ufe00-\ufe0f\ufeff\uffa0\U000e0000-\U000e0fff\u0300-\u036f\u1ab0-\u1aff\u1dc0-\u1dff\u20d0-\u20ff"
    "\ufe20-\ufe2f]+"
)
"""Characters without ink (Unicode's default ignorable ones) and the accents of Latin, Greek and Cyrillic:
with one of them inside each word the same text would be another one every time."""
_LOOKALIKES = str.maketrans(
    "\u2019\u0430\u0432\u0435\u043a\u043c\u043d\u043e\u0440\u0441\u0442\u0443\u0445\u0455\u0456\u0458\u04bb\u04cf"
    "\u0501\u051b\u051d"
    "\u03b1\u03b2\u03b5\u03b7\u03b9\u03ba\u03bd\u03bf\u03c1\u03c4\u03c5\u03c7\u0131",
    "'abekmhopctyxsijhldqwabenikvoptuxi",
)
"""Case-folded Cyrillic and Greek letters by the Latin ones they look like (of Unicode's confusables)."""


def words_of(text: str) -> set[str]:
    """The words of a text that copies keep, case-folded."""
    return _words_in(_folded(text[:MOST_CHARACTERS]))


def _folded(text: str) -> str:
    if not text.isascii():
        # normalised, an ellipsis is three dots
        text = unicodedata.normalize("NFKD", text.replace("\u2019", "'"))
    if text.isascii():
        return text.lower()
    # composed again: marks that spell a word in other scripts belong to it
    return unicodedata.normalize("NFC", _UNSEEN.sub("", text)).casefold().translate(_LOOKALIKES)


def _words_in(folded: str) -> set[str]:
    found = _WORDS_BUT_CUT_ONES if "..." in folded else _WORDS
    words = {folded} if folded.isalpha() else set(found(folded))
    words.discard("")
    return words - _SAID_BY_COPIES


class Sketcher:
    """Sketches texts. `directions` are the words that say which way something goes, `turns` negate them.

    Safe to share between threads: sketching only adds to a cache, whose size is bounded.
    """

    def __init__(self, directions: Collection[str] = (), turns: Collection[str] = ()) -> None:
        kinds = dict.fromkeys(directions, _DIRECTION) | dict.fromkeys(turns, _TURN)
        self._hash = _Hashes(kinds).__getitem__
        self._hash_of_run = _HashesOfRuns(self._hash).__getitem__

    def __call__(self, text: str) -> bytes | None:
        """Two bytes a word, 48 at most, in order; `None` without any word."""
        folded = _folded(text[:MOST_CHARACTERS])
        runs = _runs(folded)
        hashes = set(map(self._hash, _words_in(folded))) if runs is None else self._hashes_of(runs)
        return array("H", sorted(hashes)[:MOST_HASHES]).tobytes() if hashes else None

    def _hashes_of(self, runs: Sequence[bytes]) -> set[int]:
        hashes = set(map(self._hash_of_run, runs))
        hashes.discard(_NONE)
        if _SEVERAL in hashes:
            hashes.remove(_SEVERAL)
            several = [run.decode() for run in runs if self._hash_of_run(run) == _SEVERAL]
            hashes.update(map(self._hash, _words_in(" ".join(several))))
        return hashes


def _runs(folded: str) -> list[bytes] | None:
    """Plain text in runs that no word reaches out of; `None` where the words are not to be had run by run."""
    if not folded.isascii():
        return None
    text = _LINK.sub("", folded) if "://" in folded else folded
    return None if "://" in text or "www." in text else text.encode().translate(_GAPS).split()


class _Hashes(dict[str, int]):
    """By word: fourteen bits of its hash, then two that say what kind of word it is."""

    def __init__(self, kinds: Mapping[str, int]) -> None:
        super().__init__()
        self._kinds = kinds

    def __missing__(self, word: str) -> int:
        kind = _NUMBER if word[0].isdigit() else self._kinds.get(word, _PLAIN)
        hashed = crc32(word.encode("utf-8", "surrogatepass")) >> 18 << 2 | kind
        if len(self) >= _CACHED_WORDS:
            self.clear()
        if len(word) <= _LONGEST_CACHED:
            self[word] = hashed
        return hashed


class _HashesOfRuns(dict[bytes, int]):
    """By run of characters without a gap: the hash of its word, or that it has none or several."""

    def __init__(self, hashed: Callable[[str], int]) -> None:
        super().__init__()
        self._hashed = hashed

    def __missing__(self, run: bytes) -> int:
        text = run.decode()
        if text[0] == "@" and text[1:].isidentifier():
            return _NONE
        words = _words_in(text)
        hashed = _SEVERAL if len(words) > 1 else self._hashed(words.pop()) if words else _NONE
        if len(self) >= _CACHED_RUNS:
            self.clear()
        if len(run) <= _LONGEST_CACHED:
            self[run] = hashed
        return hashed


def hashes_of(sketch: bytes) -> frozenset[int]:
    """A sketch as a set, ready to be compared."""
    return frozenset(memoryview(sketch).cast("H"))


def probe(hashes: frozenset[int]) -> frozenset[int]:
    """Some of a text's words, of which every text that resembles it has one: at most a third is missing.

    A prefix filter (Chaudhuri, Ganti & Kaushik, "A primitive operator for similarity joins", ICDE 2006): most
    of the texts that do not resemble it are told by it at once.
    """
    return frozenset(islice(hashes, len(hashes) // 3 + 1))


def near(one: frozenset[int], other: frozenset[int]) -> bool:
    """Whether two sketched texts are copies of one another, lightly edited at most."""
    return resemble(one, other) and not says_otherwise(one, other)


def resemble(one: frozenset[int], other: frozenset[int]) -> bool:
    """Whether two sketched texts share most of their words: copies, or another sentence made of one."""
    if min(len(one), len(other)) < FEWEST_WORDS:
        return one == other
    if len(one & other) < LEAST_RESEMBLANCE * max(len(one), len(other)):
        return False
    return resemblance(one, other) >= LEAST_RESEMBLANCE


def resemblance(one: frozenset[int], other: frozenset[int]) -> float:
    """The share of common words among all words of two texts, 0 to 1 (0 for two empty ones)."""
    union = one | other
    if not union:
        return 0.0
    if len(one) < MOST_HASHES and len(other) < MOST_HASHES:
        return len(one & other) / len(union)
    smallest = sorted(union)[:MOST_HASHES]
    return len(one & other & set(smallest)) / len(smallest)


def says_otherwise(one: frozenset[int], other: frozenset[int]) -> bool:
    """Whether the words that only one of two texts has make it another sentence.

    A number or a direction that is only added, or only cut off, does not: the rest is a copy all the same.
    """
    kinds, others = {h & _KINDS for h in one - other}, {h & _KINDS for h in other - one}
    if _TURN in kinds | others or _NUMBER in kinds & others:
        return True
    return bool(kinds and others) and _DIRECTION in kinds | others
