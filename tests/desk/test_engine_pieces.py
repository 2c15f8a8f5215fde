"""A state written piece by piece is the text `json.dumps` would have made of it."""

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from bellwether.desk.engine_side.generations import pieces


class Scoped:
    """Something only the engine's own hook can write."""

    def __init__(self, content: Any) -> None:
        self.content = content


def encode(value: Any) -> Any:
    if isinstance(value, Scoped):
        return {"__scoped__": value.content}
    raise TypeError(type(value).__name__)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=4).map(tuple)
        | st.dictionaries(st.text() | st.integers() | st.booleans() | st.none(), inner, max_size=4)
        | inner.map(Scoped)
    ),
    max_leaves=40,
)


@given(VALUES, st.integers(0, 12))
def test_pieces_add_up_to_the_whole(value: Any, depth: int) -> None:
    whole = json.dumps(value, default=encode, separators=(",", ":"))
    assert "".join(pieces(value, encode, depth)) == whole
