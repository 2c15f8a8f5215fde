"""What the sentiment model looks at: one definition for training and for inference.

A sentence is reduced to *observations*, each a (table, key) pair: a word in a zone relative to the entity,
two neighbouring tokens, a run of word classes. `expand` turns an observation into weighted feature names.
Training expands into a sparse matrix; inference sums the expansion's weights once and keeps the sum, so that
a word seen before costs one dictionary look-up.
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from zlib import crc32

from bellwether.agents.text.lexicon import CLASS_OF, CLAUSE_BREAKS, POLAR, SKELETON
from bellwether.agents.text.tokens import END, ENTITY, START

Observations = Mapping[str, Sequence[object]]
"""Keys by table. Zone tables hold tokens; the others hold tuples of tokens or classes, or one string."""

ZONES = ("left", "right", "far_left", "far_right", "whole")
"""Before and after the entity within its clause, the same beyond it, and a text read without an entity."""

WORD, CHARACTERS, PAIR, CLASS = 0.6, 1.2, 1.0, 0.6
"""Prior scale of each family (under an L2 penalty a larger value is a weaker penalty)."""


def character_grams(token: str, shortest: int = 3, longest: int = 5) -> list[str]:
    """Substrings of `<token>` of 3 to 5 characters: what an unknown inflection shares with known ones."""
    word = f"<{token}>"
    return [
        word[start : start + size]
        for size in range(shortest, longest + 1)
        for start in range(len(word) - size + 1)
    ]


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


def observe(tokens: Sequence[str]) -> dict[str, Sequence[object]]:
    """Observations of a text read as a whole, without an entity."""
    sequence = [START, *tokens, END]
    classes = [START, *_classes(tokens), END]
    sketch = [START, *[name for name in classes if name in SKELETON], END]
    return {
        "whole": tokens,
        "whole_pairs": list(pairwise(sequence)),
        "whole_classes": _runs(classes),
        "whole_sketch": _runs(sketch),
    }


def observe_entity(
    before: Sequence[str], after: Sequence[str], entity: Sequence[str]
) -> dict[str, Sequence[object]]:
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
    sequence = [START, *before, ENTITY, *after, END]
    left, right = _classes(before), _classes(after)
    classes = [START, *left, ENTITY, *right, END]
    sketch = [name for name in classes if name in SKELETON or name in (START, ENTITY, END)]
    polar_left = [name for name in left if name in POLAR][::-1]
    polar_right = [name for name in right if name in POLAR]
    nearest = (" ".join(polar_left[:1]), " ".join(polar_right[:1]))
    relation = [
        ("left", *nearest[:1]),
        ("left two", " ".join(polar_left[:2])),
        ("right", *nearest[1:]),
        ("right two", " ".join(polar_right[:2])),
        ("both", *nearest),
        *((zone, *[name for name in _classes(words) if name in POLAR][:3]) for zone, words in zones.items()),
    ]
    return {
        **zones,
        "pairs": list(pairwise(sequence)),
        "classes": _runs(classes),
        "sketch": _runs(sketch),
        "relation": relation,
        "entity": _classes(entity),
    }


def _expand_token(zone: str, token: str) -> Iterator[tuple[str, float]]:
    yield f"w {token}", WORD
    yield f"w {zone} {token}", WORD
    if name := CLASS_OF.get(token):
        yield f"c {zone} {name}", CLASS
    if len(token) > 2 and token[0].isalpha():
        grams = character_grams(token)
        # a token's substrings weigh the same together whether it is long or short
        value = float(CHARACTERS / len(grams) ** 0.5)
        for gram in grams:
            yield f"g {gram}", value
            yield f"g {zone} {gram}", value


def _expand_run(table: str, run: Sequence[str]) -> Iterator[tuple[str, float]]:
    kind = "k" if "sketch" in table else "r"
    pair, triple = f"{kind} {run[0]} {run[1]}", f"{kind} {run[0]} {run[1]} {run[2]}"
    yield pair, CLASS
    if run[2]:
        yield triple, CLASS
    if table.startswith("whole"):
        yield f"whole {pair}", CLASS
        yield f"whole {triple}", CLASS


def expand(table: str, key: object) -> Iterator[tuple[str, float]]:
    """The weighted feature names of one observation. Features named alike are shared between the two readings
    (with and without an entity); those named after a zone or `whole` are a reading's own (Daumé III 2007).
    """
    if isinstance(key, str):
        if table == "entity":
            yield f"e {key}", CLASS
        else:
            yield from _expand_token(table, key)
    elif isinstance(key, tuple):
        if table.endswith("pairs"):
            yield f"p {key[0]} {key[1]}", PAIR
            if table == "whole_pairs":
                yield f"p whole {key[0]} {key[1]}", PAIR / 2
        elif table == "relation":
            yield "n " + " ".join(key), CLASS
        else:
            yield from _expand_run(table, key)


def bucket(name: str, size: int) -> int:
    """Index of a feature in a table of `size` (a power of two) hashed weights (Weinberger et al. 2009)."""
    return crc32(name.encode()) & (size - 1)
