"""Rows on disk come back as they were; what is not a row is refused, not mangled."""

from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.desk.engine_side.generations import Generations
from bellwether.desk.engine_side.rows import Rows, read_rows

TEXT = st.text(max_size=40)
ATTRIBUTE = st.recursive(
    st.dictionaries(st.sampled_from(["S", "N", "B"]), TEXT, min_size=1, max_size=1) | st.just({"NULL": True}),
    lambda inner: (
        st.lists(inner, max_size=3).map(lambda v: {"L": v})
        | st.dictionaries(TEXT, inner, max_size=3).map(lambda v: {"M": v})
    ),
    max_leaves=8,
)
ROW = st.dictionaries(TEXT, ATTRIBUTE, max_size=4)
PARTITIONS = st.dictionaries(TEXT, st.dictionaries(TEXT, ROW, max_size=4), max_size=6)


@given(PARTITIONS, PARTITIONS)
def test_tables_share_a_file_and_come_back_whole(one: dict[str, Any], other: dict[str, Any]) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "tables.rows"
        places = [Rows(table).write(path) for table in (one, other)]
        assert [read_rows(path, *place) for place in places] == [one, other]


def refuse(value: Any) -> Any:
    raise TypeError(type(value).__name__)


def test_a_generation_keeps_rows_beside_the_state_that_names_them(tmp_path: Path) -> None:
    generations = Generations(tmp_path, refuse, lambda value: value)
    rows = {"p": {"s": {"pk": {"S": "p"}, "words": {"S": "grüezi \ud83d\ude80 \x00"}}}}
    for _ in range(2):
        generations.write({"tables": lambda: {"t": {"items": Rows(rows)}}})
        assert generations.load("tables") == {"t": {"items": rows}}


def test_a_row_that_cannot_be_written_leaves_the_generation_before_in_force(tmp_path: Path) -> None:
    generations = Generations(tmp_path, refuse, lambda value: value)
    good, bad = {"p": {"s": {"n": {"N": "1"}}}}, {"p": {"s": {"n": object()}}}
    generations.write({"tables": lambda: {"items": Rows(good)}})
    generations.write({"tables": lambda: {"items": Rows(bad)}, "other": lambda: {"a": 1}})
    assert generations.load("tables") == {"items": good}
    assert generations.load("other") == {"a": 1}


def test_a_file_cut_short_is_not_read_as_fewer_rows(tmp_path: Path) -> None:
    path = tmp_path / "tables.rows"
    place = Rows({"p": {"s": {"n": {"N": "1"}}}}).write(path)
    path.write_bytes(path.read_bytes()[:-3])
    with pytest.raises((EOFError, ValueError)):
        read_rows(path, *place)
