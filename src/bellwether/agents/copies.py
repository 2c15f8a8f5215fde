"""What tells copies of a text from another text: sketches that know the words of direction."""

from bellwether.agents.text.lexicon import CLASS_OF
from bellwether.domain.near_duplicates import Sketcher

_DIRECTED = frozenset({"up", "down", "good", "bad", "burden"})

DIRECTIONS = frozenset(word for word, name in CLASS_OF.items() if name in _DIRECTED)
"""Words that say which way something goes: one in the place of another makes another sentence."""
TURNS = frozenset(word for word, name in CLASS_OF.items() if name == "not")
"""Words that turn it."""

sketch_of = Sketcher(DIRECTIONS, TURNS)
