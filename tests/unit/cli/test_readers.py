"""Whatever file people have: items come out of it, or a reason does."""

import csv
import gzip
import io
import json
from collections import Counter
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import msgspec
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.cli.readers import Document, FileRefused, Line, RowReader, open_document, read_items
from bellwether.cli.readers.fields import columns_of
from bellwether.cli.readers.times import NoTime, read_time
from bellwether.domain.items import Item
from tests.unit.cli.conftest import DATA

WORDS = st.text(
    st.characters(codec="utf-8", exclude_characters="\x00", exclude_categories=["Cs"]), max_size=60
)
TIMES = st.datetimes(datetime(1975, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001
COUNTS = st.dictionaries(st.sampled_from(["likes", "reposts", "author_followers"]), st.integers(0, 10**9))


@st.composite
def items(draw: st.DrawFn) -> Item:
    return Item(
        source=draw(st.sampled_from(["x", "rss", "upload"])),
        source_id=draw(st.from_regex(r"[a-z0-9:/_-]{1,40}", fullmatch=True)),
        published_at=draw(TIMES),
        author=draw(st.none() | st.from_regex(r"[a-z]{1,12}", fullmatch=True)),
        title=draw(st.none() | WORDS.filter(str.strip)),
        text=draw(WORDS.filter(str.strip)),
        engagement={name: float(count) for name, count in draw(COUNTS).items()},
    )


def lines_of(content: bytes, reader: RowReader | None = None) -> list[Line]:
    document = Document(name="given", stream=io.BytesIO(content), size=len(content))
    return list(read_items(document, reader or RowReader()))


def items_of(content: bytes) -> list[Item]:
    lines = lines_of(content)
    assert [line.fault for line in lines] == [None] * len(lines)
    return [line.item for line in lines if line.item]


def as_ndjson(made: list[Item]) -> bytes:
    return b"\n".join(msgspec.json.encode(item) for item in made)


def as_json(made: list[Item]) -> bytes:
    return msgspec.json.encode({"items": made})


def rows_of(made: list[Item]) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = [msgspec.to_builtins(item) for item in made]
    for row in rows:
        row["engagement"] = json.dumps(row.get("engagement", {}))
    return rows


def as_csv(made: list[Item], delimiter: str = ",") -> bytes:
    text = io.StringIO()
    names = ["source", "source_id", "published_at", "author", "title", "text", "engagement"]
    writer = csv.DictWriter(text, names, delimiter=delimiter)
    writer.writeheader()
    writer.writerows(rows_of(made))
    return text.getvalue().encode()


def as_parquet(made: list[Item]) -> bytes:
    sink = io.BytesIO()
    rows = [
        {
            "source": item.source,
            "source_id": item.source_id,
            "published_at": item.published_at,
            "author": item.author,
            "title": item.title,
            "text": item.text,
            "engagement": json.dumps(item.engagement),
        }
        for item in made
    ]
    pq.write_table(pa.Table.from_pylist(rows), sink, row_group_size=2)
    return sink.getvalue()


@pytest.mark.req("A2")
@settings(deadline=None)
@given(st.lists(items(), min_size=1, max_size=5))
def test_every_format_gives_back_the_items_that_were_written(made: list[Item]) -> None:
    assert items_of(as_ndjson(made)) == made
    assert items_of(as_json(made)) == made
    assert items_of(gzip.compress(as_ndjson(made))) == made
    assert items_of(as_parquet(made)) == made


@settings(deadline=None)
@given(st.lists(items(), min_size=1, max_size=5), st.sampled_from(",\t;|"))
def test_a_table_gives_back_what_was_written_whatever_separates_it(made: list[Item], delimiter: str) -> None:
    read = items_of(as_csv(made, delimiter))
    # The csv format itself cannot tell \r from \n within a cell of every dialect; the words are compared.
    assert [(item.source_id, item.published_at, item.text, item.engagement) for item in read] == [
        (item.source_id, item.published_at, item.text, item.engagement) for item in made
    ]


def outcome_of(content: bytes) -> list[Line] | str:
    """The lines, or the reason why there are none: anything else is a defect."""
    try:
        return lines_of(content)
    except FileRefused as reason:
        return str(reason)


def is_told(outcome: list[Line] | str) -> bool:
    """Every line is an item or has a fault, a refusal has words."""
    if isinstance(outcome, str):
        return bool(outcome)
    return all((line.item is None) != (line.fault is None) for line in outcome)


@settings(deadline=None)
@given(st.binary(max_size=400))
def test_no_content_whatsoever_ends_in_anything_but_lines_or_a_reason(content: bytes) -> None:
    assert is_told(outcome_of(content))


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | WORDS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(WORDS, inner, max_size=3),
    max_leaves=8,
)
FIELDS = st.sampled_from([*Item.__struct_fields__, "id", "engagement_likes", "followers", "mood"])


@settings(deadline=None)
@given(st.lists(st.dictionaries(FIELDS, JSON_VALUES), min_size=1, max_size=3))
def test_objects_with_anything_in_their_fields_are_items_or_have_a_fault(
    records: list[dict[str, Any]],
) -> None:
    lines = lines_of(b"\n".join(json.dumps(record).encode() for record in [{"text": "first"}, *records]))
    assert len(lines) == len(records) + 1
    assert is_told(lines)


PREFIXES = (
    b"PAR1",
    b"<rss>",
    b"<?xml version='1.0'?><feed>",
    b"{",
    b"[{",
    b"\x1f\x8b",
    b"\xff\xfe",
    b"text,date\n",
)


@settings(deadline=None)
@given(st.sampled_from(PREFIXES), st.binary(max_size=200))
def test_a_damaged_file_of_any_format_is_refused_or_read(prefix: bytes, rest: bytes) -> None:
    assert is_told(outcome_of(prefix + rest))


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "empty"),
        (b" \n\n", "blanks"),
        (b"%PDF-1.7 ...", "PDF"),
        (b"PK\x03\x04....", "spreadsheet"),
        (b"a\x00b", "binary"),
        (b"<!DOCTYPE html><html><body>", "web page"),
        (b"<?xml version='1.0'?>\n<!-- x --><html xmlns='a'>", "web page"),
        (b"PAR1 not really", "Parquet"),
        (b"symbol,price\nKO,1\n", "text or title"),
        (b"text,sentiment\nhello,1\n", "published_at"),
        (b"[1, 2", "not JSON"),
        (b'"words"', "text or title"),
    ],
)
def test_a_file_nothing_can_be_read_from_says_why(content: bytes, reason: str) -> None:
    with pytest.raises(FileRefused, match=reason):
        lines_of(content)


def test_html_inside_a_feed_does_not_make_it_a_web_page() -> None:
    feed = (
        b"<?xml version='1.0'?><feed xmlns='http://www.w3.org/2005/Atom'><entry><id>urn:1</id>"
        b"<updated>2024-01-02T03:04:05Z</updated><title>T</title>"
        b"<content type='html'>&lt;html&gt;&lt;p&gt;words</content></entry></feed>"
    )
    (line,) = lines_of(feed)
    assert line.kind == "news"
    assert line.item
    assert line.item.title == "T"


def test_one_bad_row_never_stops_the_others() -> None:
    content = (
        b"source_id,published_at,text\n"
        b"1,2024-01-02T03:04:05Z,good\n"
        b"2,,no time\n"
        b"3,01/02/2024,ambiguous\n"
        b"4,2024-01-02T03:04:05Z,one,cell,too,many\n"
        b"5,2024-01-02T03:04:05Z,\xff\xfe\n"
        b"6,2024-01-02T03:04:05Z,good too\n"
    )
    lines = lines_of(content)
    assert [(line.position, line.fault.code if line.fault else None) for line in lines] == [
        (1, None),
        (2, "invalid_item"),
        (3, "invalid_time"),
        (4, "too_many_cells"),
        (5, "not_utf8"),
        (6, None),
    ]


def test_a_damaged_line_of_ndjson_is_refused_by_its_number() -> None:
    good = b'{"source_id": "1", "published_at": "2024-01-02T03:04:05Z", "text": "words"}'
    lines = lines_of(b"\n".join([good, b'{"source_id": ', b"", b"7", good]))
    assert [(line.position, line.fault and line.fault.code) for line in lines] == [
        (1, None),
        (2, "malformed_json"),
        (4, "invalid_item"),
        (5, None),
    ]


def test_a_pretty_printed_document_is_one_document() -> None:
    item = {"source_id": "1", "published_at": "2024-01-02T03:04:05Z", "text": "words"}
    assert [item.source_id for item in items_of(json.dumps(item, indent=2).encode())] == ["1"]
    assert [item.source_id for item in items_of(json.dumps([item, item], indent=2).encode())] == ["1", "1"]


def test_utf16_and_byte_order_marks_are_read() -> None:
    table = "source_id,published_at,text\n1,2024-01-02T03:04:05Z,Zürich\n"
    for content in (table.encode("utf-16"), table.encode("utf-8-sig")):
        assert [item.text for item in items_of(content)] == ["Zürich"]


def test_columns_of_other_tools_are_understood_and_the_rest_is_named() -> None:
    reader = RowReader()
    (line,) = lines_of(
        b"ID,Created At,Followers,engagement_likes,Headline,mood\n7,2024-01-02T03:04:05Z,12,3,Up,sunny\n",
        reader,
    )
    assert line.item
    assert line.item.source_id == "7"
    assert line.item.source == "upload"
    assert line.item.title == "Up"
    assert line.item.engagement == {"author_followers": 12.0, "likes": 3.0}
    assert reader.ignored == {"mood"}


def test_a_fields_own_name_wins_over_another_name_for_it() -> None:
    columns = columns_of(["id", "source_id", "date", "published_at", "text"])
    assert columns.meaning == {"source_id": "source_id", "published_at": "published_at", "text": "text"}
    assert columns.ignored == ("id", "date")


def test_a_row_without_an_id_gets_the_same_one_each_time() -> None:
    table = b"published_at,text\n2024-01-02T03:04:05Z,one\n2024-01-02T03:04:05Z,two\n"
    first, second = items_of(table), items_of(table)
    assert first == second
    assert first[0].source_id != first[1].source_id


def test_parquet_with_odd_types_is_read() -> None:
    table = pa.table(
        {
            "source_id": pa.array([1, 2], pa.int64()),
            "published_at": pa.array([1_700_000_000_123_456_789, None], pa.timestamp("ns", "Europe/Zurich")),
            "text": pa.array(["words", "more"], pa.large_string()),
            "engagement": pa.array([[("likes", 3.0)], None], pa.map_(pa.string(), pa.float64())),
            "engagement_views": pa.array([None, float("nan")], pa.float64()),
        }
    )
    sink = io.BytesIO()
    pq.write_table(table, sink)
    first, second = lines_of(sink.getvalue())
    assert first.item
    assert first.item.source_id == "1"
    assert first.item.published_at == datetime(2023, 11, 14, 22, 13, 20, 123456, UTC)
    assert first.item.engagement == {"likes": 3.0}
    assert second.fault
    assert "published_at" in second.fault.detail


@settings(deadline=None)
@given(TIMES, st.integers(-14 * 4, 14 * 4))
def test_a_moment_is_the_same_however_it_is_written(at: datetime, quarter_hours: int) -> None:
    zone = timezone(timedelta(minutes=15 * quarter_hours))
    local = at.astimezone(zone)
    assert read_time(local.isoformat(), UTC) == (at, False)
    assert read_time(local, UTC) == (at, False)
    assert read_time(at.isoformat().replace("+00:00", "Z"), UTC) == (at, False)
    whole = at.replace(microsecond=0)
    assert read_time(whole.timestamp(), UTC) == (whole, False)
    assert read_time(str(int(whole.timestamp() * 1000)), UTC) == (whole, False)
    assert read_time(whole.strftime("%a %b %d %H:%M:%S +0000 %Y"), UTC) == (whole, False)
    assert read_time(whole.strftime("%a, %d %b %Y %H:%M:%S GMT"), UTC)[0] == whole


def test_a_time_without_a_zone_is_read_in_the_zone_said_and_counted() -> None:
    at, zoneless = read_time("2024-07-01 12:00:00", ZoneInfo("Europe/Zurich"))
    assert (at, zoneless) == (datetime(2024, 7, 1, 10, tzinfo=UTC), True)


@settings(deadline=None)
@given(st.dates())
def test_a_day_without_a_time_is_never_read_early(day: Any) -> None:
    if 1970 < day.year < 9999:
        at, _ = read_time(day.isoformat(), UTC)
        assert at == datetime(day.year, day.month, day.day, 23, 59, 59, tzinfo=UTC)


@pytest.mark.parametrize(
    "cell", ["01/02/2024", "yesterday", "2024-13-01", "2024-02-30T00:00:00Z", 12, True, [], "12:30"]
)
def test_what_is_no_moment_is_refused(cell: Any) -> None:
    with pytest.raises(NoTime):
        read_time(cell, UTC)


@pytest.mark.parametrize("name", ["missing.csv", "."])
def test_what_cannot_be_opened_is_refused(name: str, tmp_path: Path) -> None:
    with pytest.raises(FileRefused), open_document(str(tmp_path / name)):
        pass


@pytest.mark.skipif(not (DATA / "stocknet").is_dir(), reason=f"no data in {DATA}")
def test_real_posts_are_read_without_loss() -> None:
    reader = RowReader()
    tally: Counter[str] = Counter()
    with open_document(str(DATA / "stocknet" / "posts.parquet")) as document:
        for line in read_items(document, reader):
            tally["items" if line.item else "faults"] += 1
    assert tally == {"items": 78_363}
    assert reader.zoneless == 0
    assert reader.ignored == {"filed_under", "cashtags"}


@pytest.mark.skipif(not (DATA / "feeds").is_dir(), reason=f"no data in {DATA}")
def test_real_feeds_are_read_or_refused_with_a_reason() -> None:
    outcomes = [outcome_of(path.read_bytes()) for path in sorted((DATA / "feeds").glob("*/*.*"))]
    assert all(is_told(outcome) for outcome in outcomes)
    assert sum(not isinstance(outcome, str) for outcome in outcomes) > 60
    assert sum(isinstance(outcome, str) for outcome in outcomes) < 15
