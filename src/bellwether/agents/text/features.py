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

Group = tuple[float, list[int]]
"""Features of one value, by their hashes (CRC-32 of their names); weights are looked up by a hash's low bits,
so that no dictionary of names has to be carried (Weinberger et al. 2009)."""

WORD, CHARACTERS, PAIR, CLASS = 0.6, 1.2, 1.0, 0.6
"""Prior scale of each family (under an L2 penalty a larger value is a weaker penalty)."""


_IS_POLAR = POLAR.__contains__
_IN_SKETCH = (SKELETON | {START, ENTITY, END}).__contains__


SHARED = dict.fromkeys(_ZONES, "token") | {
    "whole_pairs": "pairs",
    "whole_classes": "classes",
    "whole_sketch": "sketch",
}
"""The table whose features a table's keys have besides their own (Daumé III 2007): what is learned in one
zone, or in one of the two readings (with and without an entity), serves in the others."""

_GRAM_PREFIX = {prefix: crc32(f"g {prefix}".encode()) for prefix in ("", *(f"{zone} " for zone in _ZONES))}


def _group(value: float, *names: str) -> Group:
    return value, [crc32(name.encode()) for name in names]


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


def _grams(token: str, prefix: int) -> Group:
    grams = _character_grams(f"<{token}>".encode())
    # a token's substrings weigh the same together whether it is long or short; CRC-32 runs on from a
    # prefix's, which gives the number of prefix and substring together
    return CHARACTERS / sqrt(len(grams)), [crc32(gram, prefix) for gram in grams]


def _expand_token(prefix: str, token: str) -> list[Group]:
    groups = [_group(WORD, f"w {prefix}{token}")]
    if prefix and (name := CLASS_OF.get(token)):
        groups.append(_group(CLASS, f"c {prefix}{name}"))
    if len(token) > 2 and token[0].isalpha():
        groups.append(_grams(token, _GRAM_PREFIX[prefix]))
    return groups


def _expand_run(table: str, run: Sequence[str]) -> Group:
    kind = table.replace("sketch", "k").replace("classes", "r").replace("_", " ")
    names = [f"{kind} {run[0]} {run[1]}"]
    if run[2]:
        names.append(f"{kind} {run[0]} {run[1]} {run[2]}")
    return _group(CLASS, *names)


def expand(table: str, key: Any) -> Sequence[Group]:
    """The features of one observation that are the table's own; `SHARED` says where the others are."""
    if table in _ZONES:
        return _expand_token(f"{table} ", key)
    if table == "token":
        return _expand_token("", key)
    if table == "pairs":
        return (_group(PAIR, f"p {key[0]} {key[1]}"),)
    if table == "whole_pairs":
        return (_group(PAIR / 2, f"p whole {key[0]} {key[1]}"),)
    if table == "relation":
        return (_group(CLASS, f"n {' '.join(key)}"),)
    if table == "entity":
        return (_group(CLASS, f"e {key}"),)
    return (_expand_run(table, key),)
