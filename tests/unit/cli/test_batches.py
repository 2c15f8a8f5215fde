"""Requests are bounded, keep the order, and have the same key when they are sent again."""

from datetime import UTC, datetime
from pathlib import Path

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.cli.batches import MOST_BYTES, MOST_ITEMS, Origin, batches
from bellwether.cli.import_runs import ImportRun
from bellwether.domain.items import Item, Kind

AT = datetime(2024, 1, 2, tzinfo=UTC)


def entry(number: int, kind: Kind = "social", words: int = 1) -> tuple[Item, Kind, Origin]:
    item = Item(source="upload", source_id=str(number), published_at=AT, text="w" * words)
    return item, kind, Origin("file", number)


@settings(deadline=None)
@given(
    st.lists(st.tuples(st.sampled_from(["social", "news"]), st.integers(1, 99_999)), max_size=80),
    st.integers(0, 1200),
)
def test_every_item_is_in_exactly_one_request_within_the_limits(
    shapes: list[tuple[Kind, int]], more: int
) -> None:
    entries = [entry(n, kind, words) for n, (kind, words) in enumerate(shapes)]
    entries += [entry(10_000 + n) for n in range(more)]
    made = list(batches(entries))
    assert all(len(batch.body) <= MOST_BYTES and 0 < len(batch.origins) <= MOST_ITEMS for batch in made)
    sent = {"social": [], "news": []}  # type: dict[str, list[str]]
    for batch in made:
        ids = [item["source_id"] for item in msgspec.json.decode(batch.body)["items"]]
        assert ids == [str(origin.position) for origin in batch.origins]
        sent[batch.kind] += ids
    for kind, ids in sent.items():
        assert ids == [item.source_id for item, of, _ in entries if of == kind]


def test_a_batch_has_the_same_key_in_a_run_and_another_in_the_next() -> None:
    (one,), (same,) = list(batches([entry(1)])), list(batches([entry(1)]))
    (other,) = batches([entry(2)])
    assert one.key("run") == same.key("run")
    assert len({one.key("run"), one.key("next run"), other.key("run")}) == 3
    assert len(one.key("run")) <= 255


def test_an_import_that_did_not_end_goes_on_under_its_name(tmp_path: Path) -> None:
    first = ImportRun(tmp_path, "local", ["a.csv"])
    again = ImportRun(tmp_path, "local", ["a.csv"])
    assert not first.resumed
    assert again.resumed
    assert again.name == first.name
    assert ImportRun(tmp_path, "staging", ["a.csv"]).name != first.name
    again.ended()
    assert ImportRun(tmp_path, "local", ["a.csv"]).name != first.name
