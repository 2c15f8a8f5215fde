"""What the sentiment model looks at: one definition for training and for inference.

A sentence is reduced to *observations*, each a (table, key) pair: a word in a zone relative to the entity,
two neighbouring tokens, a run of word classes. `expand` turns an observation into hashed, weighted features.
Training expands into a sparse matrix; inference sums the expansion's weights once and keeps the sum, so that
a word seen before costs one dictionary look-up.
"""

from collections.abc import Mapping, Sequence
from itertools import pairwise
from math import sqrt
from typing import Any
from zlib import crc32

from bellwether.agents.text.lexicon import CLASS_OF, CLAUSE_BREAKS, POLAR, SKELETON
from bellwether.agents.text.tokens import END, ENTITY, START

Observations = Mapping[str, Sequence[Any]]
"""Keys by table. Zone tables hold tokens; the others hold tuples of tokens or classes, or one string."""

_ZONES = frozenset({"left", "right", "far_left", "far_right", "whole"})
"""Before and after the entity within its clause, the same beyond it, and a text read without an entity."""

Feature = tuple[int, float]
"""A feature's hash (CRC-32 of its name) and value; weights are looked up by the hash's low bits, so that no
dictionary of names has to be carried (Weinberger et al. 2009)."""

WORD, CHARACTERS, PAIR, CLASS = 0.6, 1.2, 1.0, 0.6
"""Prior scale of each family (under an L2 penalty a larger value is a weaker penalty)."""


_IS_POLAR = POLAR.__contains__
_IN_SKETCH = (SKELETON | {START, ENTITY, END}).__contains__


_ANY_GRAM = crc32(b"g ")
_GRAM_PREFIX = {zone: crc32(f"g {zone} ".encode()) for zone in _ZONES}


def _feature(name: str, value: float) -> Feature:
    return crc32(name.encode()), value


def _character_grams(word: bytes) -> list[bytes]:
    """Substrings of 3 to 5 bytes of `<word>`: what an unknown inflection shares with known ones."""
    length = len(word)
    return [word[start : start + size] for size in (3, 4, 5) for start in range(length - size + 1)]


def _clause_start(tokens: Sequence[str]) -> int:
    for position in range(len(tokens) - 1, -1, -1):
        if tokens[position] in CLAUSE_BREAKS:
            return position + 1
    return 0


def _clause_end(tokens: Sequence[str]) -> int:
    for position, token in enumerate(tokens):
        if token in CLAUSE_BREAKS:
            return position
    return len(tokens)


def _classes(tokens: Sequence[str]) -> list[str]:
    return list(filter(None, map(CLASS_OF.get, tokens)))


def _runs(sequence: Sequence[str]) -> list[tuple[str, ...]]:
    """Runs of three, the last one padded: each carries its first pair too, so every pair is covered once."""
    return list(zip(sequence, sequence[1:], [*sequence[2:], ""], strict=False))


def observe(tokens: Sequence[str]) -> dict[str, Sequence[Any]]:
    """Observations of a text read as a whole, without an entity."""
    sequence = [START, *tokens, END]
    classes = [START, *_classes(tokens), END]
    sketch = list(filter(_IN_SKETCH, classes))
    return {
        "whole": tokens,
        "whole_pairs": list(pairwise(sequence)),
        "whole_classes": _runs(classes),
        "whole_sketch": _runs(sketch),
    }


def observe_entity(
    before: Sequence[str], after: Sequence[str], entity: Sequence[str]
) -> dict[str, Sequence[Any]]:
    """Observations of a text about one entity: the tokens before it, after it, and of its own name.

    Only the word classes of the name are used (an analyst, a regulator, an index), never its words: the same
    sentence about another company reads the same.
    """
    start, end = _clause_start(before), _clause_end(after)
    zones = {
        "left": before[start:],
        "right": after[:end],
        "far_left": before[:start],
        "far_right": after[end:],
    }
    classes_of = {zone: _classes(words) for zone, words in zones.items()}
    polar = {zone: list(filter(_IS_POLAR, names)) for zone, names in classes_of.items()}
    # nearest to the entity first
    polar_left = [*reversed(polar["left"]), *reversed(polar["far_left"])]
    polar_right = [*polar["right"], *polar["far_right"]]
    relation = [
        ("left", *polar_left[:1]),
        ("left two", *polar_left[:2]),
        ("right", *polar_right[:1]),
        ("right two", *polar_right[:2]),
        ("both", *polar_left[:1], ENTITY, *polar_right[:1]),
        *[(zone, *names[:3]) for zone, names in polar.items()],
    ]
    left, right = classes_of["far_left"] + classes_of["left"], classes_of["right"] + classes_of["far_right"]
    classes = [START, *left, ENTITY, *right, END]
    sequence = [START, *before, ENTITY, *after, END]
    return {
        **zones,
        "pairs": list(pairwise(sequence)),
        "classes": _runs(classes),
        "sketch": _runs(list(filter(_IN_SKETCH, classes))),
        "relation": relation,
        "entity": _classes(entity),
    }


def _expand_token(zone: str, token: str) -> list[Feature]:
    features = [_feature(f"w {token}", WORD), _feature(f"w {zone} {token}", WORD)]
    if name := CLASS_OF.get(token):
        features.append(_feature(f"c {zone} {name}", CLASS))
    if len(token) > 2 and token[0].isalpha():
        grams = _character_grams(f"<{token}>".encode())
        # a token's substrings weigh the same together whether it is long or short
        value = CHARACTERS / sqrt(len(grams))
        # CRC-32 runs on from a prefix's: the same number as for prefix and substring together
        prefix = _GRAM_PREFIX[zone]
        features += [(crc32(gram, _ANY_GRAM), value) for gram in grams]
        features += [(crc32(gram, prefix), value) for gram in grams]
    return features


def _expand_run(table: str, run: Sequence[str]) -> list[Feature]:
    kind = "k" if "sketch" in table else "r"
    names = [f"{kind} {run[0]} {run[1]}"]
    if run[2]:
        names.append(f"{kind} {run[0]} {run[1]} {run[2]}")
    if table.startswith("whole"):
        names += [f"whole {name}" for name in names]
    return [_feature(name, CLASS) for name in names]


def expand(table: str, key: Any) -> Sequence[Feature]:
    """The features of one observation. Those named alike are shared between the two readings (with and
    without an entity); those named after a zone or `whole` are a reading's own (Daumé III 2007).
    """
    if table == "pairs":
        return (_feature(f"p {key[0]} {key[1]}", PAIR),)
    if table == "whole_pairs":
        name = f"{key[0]} {key[1]}"
        return (_feature(f"p {name}", PAIR), _feature(f"p whole {name}", PAIR / 2))
    if table == "relation":
        return (_feature(f"n {' '.join(key)}", CLASS),)
    if table == "entity":
        return (_feature(f"e {key}", CLASS),)
    return _expand_token(table, key) if table in _ZONES else _expand_run(table, key)
