"""What is made of feed documents: good ones, wrong ones, hostile ones, and every real one at hand."""

import json
import os
import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.providers.feed_dates import foreign_date
from bellwether.adapters.providers.feed_items import MOST_ENTRIES, ParsedFeed, parse_feed
from bellwether.domain.items import settle
from tests.peers.feeds import rss

FETCHED = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).parents[4] / "shared" / "data")) / "feeds"


def entries(*bodies: str, link: str = "https://news.example/") -> bytes:
    items = "".join(f"<item>{body}</item>" for body in bodies)
    channel = f"<channel><title>News</title><link>{link}</link>{items}</channel>"
    return f'<?xml version="1.0"?><rss version="2.0">{channel}</rss>'.encode()


def declared(encoding: str, title: bytes) -> bytes:
    """A document that says it is in one encoding, with the bytes of a title, whatever they are in."""
    document = entries("<title>X</title>").replace(b'"1.0"?', f'"1.0" encoding="{encoding}"?'.encode(), 1)
    return document.replace(b"X", title)


def atom(*bodies: str) -> bytes:
    found = "".join(f"<entry>{body}</entry>" for body in bodies)
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>t</title><id>urn:f</id>{found}</feed>'.encode()


def only(parsed: ParsedFeed) -> str:
    """The code of the only refusal of a document that gave nothing."""
    assert parsed.items == []
    (refusal,) = parsed.refused
    assert refusal.index is None
    return refusal.code


@pytest.mark.req("A3")
def test_an_rss_item_in_full() -> None:
    body = """<title>ACME &amp;amp; partners beat estimates</title><link>/2026/acme</link>
      <guid isPermaLink="false">abc-1</guid><author>desk@news.example (A. Writer)</author>
      <pubDate>Mon, 23 Nov 2026 05:30:00 +0100</pubDate>
      <description><![CDATA[<p>Sales <b>rose</b> 12&nbsp;%.</p><script>alert(1)</script>
      <p>More.</p>]]></description>"""
    (item,) = parse_feed(entries(body), url="https://news.example/feed", observed_at=FETCHED).items
    assert item.source == "rss"
    assert item.source_id == "https://news.example/#abc-1"
    assert item.title == "ACME & partners beat estimates"
    assert item.text == "Sales rose 12 %.\nMore."
    assert item.url == "https://news.example/2026/acme"
    assert item.published_at == datetime(2026, 11, 23, 4, 30, tzinfo=UTC)
    assert item.observed_at == FETCHED
    assert item.author


@pytest.mark.req("A3")
def test_an_atom_entry_that_was_changed_is_known_from_the_change_on() -> None:
    body = """<id>tag:news.example,2026:1</id><title>ACME</title><content>first, then more</content>
      <published>2026-11-20T08:00:00Z</published><updated>2026-11-21T09:00:00Z</updated>"""
    (imported,) = parse_feed(atom(body)).items
    assert imported.published_at == datetime(2026, 11, 20, 8, tzinfo=UTC)
    assert imported.observed_at == datetime(2026, 11, 21, 9, tzinfo=UTC)
    stored = settle(imported, kind="news", received_at=FETCHED, salt=b"s")
    assert stored.known_at == datetime(2026, 11, 21, 9, tzinfo=UTC)
    (fetched,) = parse_feed(atom(body), observed_at=FETCHED).items
    assert settle(fetched, kind="news", received_at=FETCHED, salt=b"s").known_at == FETCHED


@pytest.mark.req("A3")
def test_an_imported_entry_that_was_not_changed_counts_as_known_since_its_publication() -> None:
    body = "<id>urn:1</id><title>ACME</title><published>2026-11-20T08:00:00Z</published>"
    (item,) = parse_feed(atom(body)).items
    assert item.observed_at is None


@pytest.mark.req("A3")
@pytest.mark.parametrize(
    "date", ["", "<pubDate>soon</pubDate>", "<pubDate>Mon, 23 Nov 2099 05:30:00 GMT</pubDate>",
             "<pubDate>0000-00-00</pubDate>", "<pubDate>Fri, 01 Jan 1904 00:00:00 GMT</pubDate>"]
)  # fmt: skip
def test_without_a_date_that_can_be_true_an_entry_counts_from_when_it_was_seen(date: str) -> None:
    content = entries(f"<title>ACME</title><guid>https://n.example/1</guid>{date}")
    (item,) = parse_feed(content, observed_at=FETCHED).items
    assert item.published_at == item.observed_at == FETCHED
    before = datetime.now(UTC)
    (unfetched,) = parse_feed(content).items
    assert before <= unfetched.published_at <= datetime.now(UTC)
    assert unfetched.observed_at == unfetched.published_at


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Seg, 24 Set 2018 19:42:40 -0300", datetime(2018, 9, 24, 22, 42, 40, tzinfo=UTC)),
        ("mar. 3 févr. 2026 07:05 +0530", datetime(2026, 2, 3, 1, 35, tzinfo=UTC)),
        ("24 de dez de 2018, 19:42", datetime(2018, 12, 24, 19, 42, tzinfo=UTC)),
        ("Tuesday, July 28, 2026 - 09:30", datetime(2026, 7, 28, 9, 30, tzinfo=UTC)),
        ("Nov 3, 2026 at 17:05 GMT", datetime(2026, 11, 3, 17, 5, tzinfo=UTC)),
        ("Tuesday, July 32, 2026 - 09:30", None),
        ("1518478934", datetime(2018, 2, 12, 23, 42, 14, tzinfo=UTC)),
        ("32 Set 2018 19:42", None),
        ("24 Foo 2018 19:42", None),
        ("24 Set 2018 19:42 +9999", None),
        ("yesterday", None),
    ],
)
def test_dates_as_other_languages_write_them(text: str, expected: datetime | None) -> None:
    assert foreign_date(text) == expected


@given(st.text(max_size=100))
def test_no_text_makes_reading_a_date_fail(text: str) -> None:
    found = foreign_date(text)
    assert found is None or found.tzinfo is not None


@pytest.mark.req("A3")
def test_ids_that_are_none_do_not_merge_different_entries() -> None:
    parsed = parse_feed(
        entries(
            "<title>One</title><guid>0</guid><link>https://n.example/1</link>",
            "<title>Two</title><guid>0</guid><link>https://n.example/2</link>",
            "<title>Two</title><guid>0</guid><link>https://n.example/2</link>",
            "<title>Three</title>",
            "<title>Four</title>",
            "<link>https://n.example/5</link>",
        )
    )
    assert [item.title for item in parsed.items] == ["One", "Two", "Three", "Four"]
    assert len({item.source_id for item in parsed.items}) == 4
    assert [(refusal.index, refusal.code) for refusal in parsed.refused] == [(2, "repeated"), (5, "no_words")]


@pytest.mark.req("A3")
def test_the_same_short_id_of_two_feeds_is_two_items() -> None:
    ids = {
        parse_feed(entries("<title>A</title><guid>42</guid>", link=link)).items[0].source_id
        for link in ("https://a.example/", "https://b.example/")
    }
    assert len(ids) == 2
    long = "x" * 2_000
    (item,) = parse_feed(entries(f"<title>A</title><guid>{long}</guid>")).items
    assert len(item.source_id) <= 512


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (entries("<title>Zürich</title>"), "Zürich"),
        (declared("utf-8", b"Z\xfcrich"), "Zürich"),
        (declared("iso-8859-1", b"5 \x80"), "5 €"),
        (declared("us-ascii", "Zürich".encode()), "Zürich"),
        (declared("windows-1251", "Банк".encode("cp1251")), "Банк"),
        (entries("<title>Zürich</title>").decode().encode("utf-16"), "Zürich"),
        (entries("<title>Zürich</title>").decode().encode("utf-16-le"), "Zürich"),
        (b"\xef\xbb\xbf\n\n " + entries("<title>Zürich</title>"), "Zürich"),
        (declared("klingon", "Zürich".encode()), "Zürich"),
        (entries("<title>A\x00B</title>"), "AB"),
    ],
)  # fmt: skip
def test_documents_that_are_wrong_about_their_encoding(content: bytes, expected: str) -> None:
    (item,) = parse_feed(content).items
    assert item.title == expected


LOL = "".join(f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' for n in range(1, 12))
BOMBS = {
    "nested": f'<!DOCTYPE r [<!ENTITY l0 "lol">{LOL}]>',
    "quadratic": f'<!DOCTYPE r [<!ENTITY l11 "{"x" * 50_000}">]>',
    "parameter": "<!DOCTYPE r [<!ENTITY % l \"<!ENTITY l11 'x'>\"> %l;]>",
}


@pytest.mark.req("S4")
@pytest.mark.parametrize("kind", BOMBS)
@pytest.mark.parametrize("encoding", ["utf-8", "utf-16"])
def test_entities_that_explode_are_refused_unparsed(kind: str, encoding: str) -> None:
    body = entries(*("<title>&l11;</title>" * 1 for _ in range(50))).decode()
    content = body.replace('<?xml version="1.0"?>', '<?xml version="1.0"?>' + BOMBS[kind]).encode(encoding)
    assert only(parse_feed(content)) == "hostile"


@pytest.mark.req("S4")
def test_an_entity_that_reads_a_file_gives_no_file() -> None:
    secret = Path(__file__).read_text(encoding="utf-8")[:40]
    doctype = f'<!DOCTYPE r [<!ENTITY x SYSTEM "{Path(__file__).as_uri()}">]>'
    body = entries("<title>A&x;B</title>").decode().replace('<?xml version="1.0"?>', doctype)
    for item in parse_feed(body.encode()).items:
        assert secret not in (item.title or "")


def test_harmless_declarations_are_no_bombs() -> None:
    doctype = '<!DOCTYPE rss [<!ENTITY co "Company">]>'
    body = entries("<title>ACME &co;</title>").decode().replace('<?xml version="1.0"?>', doctype)
    (item,) = parse_feed(body.encode()).items
    assert (item.title or "").startswith("ACME")


@pytest.mark.parametrize("content", [b"", b"  \n", b"\xff\xfe", b"\x00" * 100])
def test_nothing_is_nothing(content: bytes) -> None:
    assert only(parse_feed(content)) in {"empty", "not_a_feed"}


@pytest.mark.parametrize(
    "content",
    [
        b"<html><body>Moved</body></html>",
        b"just words",
        b'{"error": "rate limited"}',
        b"[1, 2]",
        b"{",
        b"<" * 5_000,
    ],
)
def test_what_is_no_feed_says_so(content: bytes) -> None:
    assert only(parse_feed(content)) == "not_a_feed"


@pytest.mark.req("X4")
def test_size_and_number_are_bounded() -> None:
    assert only(parse_feed(b" " * 5_000_001)) == "too_large"
    parsed = parse_feed(rss(*(f"t{n}" for n in range(MOST_ENTRIES + 7))))
    assert len(parsed.items) == MOST_ENTRIES
    assert [refusal.code for refusal in parsed.refused] == ["too_many_entries"]
    (item,) = parse_feed(
        entries(f"<title>{'t' * 9_000}</title><description>{'d ' * 90_000}</description>")
    ).items
    assert len(item.title or "") <= 2_000
    assert len(item.text or "") <= 100_000


@pytest.mark.req("A3")
def test_json_feeds() -> None:
    feed = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": "News",
        "home_page_url": "https://news.example/",
        "items": [
            {"id": 7, "content_html": "<p>ACME <em>soars</em></p>",
             "date_published": "2026-11-23T05:00:00+01:00", "authors": [{"name": "A. Writer"}], "url": "https://news.example/7"},
            {"id": "x", "title": "<3 ACME", "content_text": "a < b", "date_modified": "2026-11-22T00:00:00Z"},
            {"id": "empty"},
            "no object",
        ],
    }  # fmt: skip
    parsed = parse_feed(json.dumps(feed).encode(), observed_at=FETCHED)
    first, second = parsed.items
    assert (first.source_id, first.text, first.author) == (
        "https://news.example/#7",
        "ACME soars",
        "A. Writer",
    )
    assert first.published_at == datetime(2026, 11, 23, 4, tzinfo=UTC)
    assert (second.title, second.text) == ("<3 ACME", "a < b")
    assert [refusal.code for refusal in parsed.refused] == ["no_words"]


def test_links_that_are_not_of_the_web_are_left_out() -> None:
    for link in ("javascript:alert(1)", "data:text/html,x", "mailto:a@b.example"):
        (item,) = parse_feed(entries(f"<title>A</title><link>{link}</link>", link="")).items
        assert item.url is None


@given(st.binary(max_size=400))
def test_no_bytes_whatever_make_parsing_fail(content: bytes) -> None:
    parsed = parse_feed(content, url="https://news.example/feed", observed_at=FETCHED)
    assert parsed.items or parsed.refused


@given(st.integers(0, 3_000), st.integers(0, 3_000), st.binary(max_size=8))
def test_a_damaged_feed_gives_items_that_hold_or_none(start: int, length: int, junk: bytes) -> None:
    good = rss(*(f"title {n}" for n in range(20)))
    content = good[:start] + junk + good[start + length :]
    for item in parse_feed(content, observed_at=FETCHED).items:
        assert item.title or item.text
        assert item.published_at <= FETCHED + timedelta(minutes=5)
        settle(item, kind="news", received_at=FETCHED, salt=b"s")


def real_files() -> list[Path]:
    files = [
        path
        for path in DATA.rglob("*")
        if path.is_file() and path.suffix in {".xml", ".rss", ".atom", ".json"}
    ]
    return sorted(files)


@pytest.mark.req("A3")
@pytest.mark.skipif(not real_files(), reason="no real feeds at hand (BELLWETHER_DATA)")
def test_every_real_feed_gives_items_that_hold_or_says_why_not() -> None:
    given_items = refused = 0
    for path in real_files():
        parsed = parse_feed(path.read_bytes(), observed_at=FETCHED)
        assert parsed.items or parsed.refused, path.name
        assert len({item.source_id for item in parsed.items}) == len(parsed.items), path.name
        for item in parsed.items:
            stored = settle(item, kind="news", received_at=FETCHED, salt=b"s")
            assert stored.words.strip(), path.name
            assert "<script" not in stored.words, path.name
        given_items += len(parsed.items)
        refused += len(parsed.refused)
    assert given_items > 900, "the parser gives less than it used to"
    assert refused < 20


@pytest.mark.req("A3")
@pytest.mark.parametrize("kept", range(1, 6))
def test_a_document_that_ends_within_an_entry_gives_no_entry_that_nobody_wrote(kept: int) -> None:
    whole = rss(*(f"title-{number}-of-a-feed" for number in range(5)))
    names = [item.source_id for item in parse_feed(whole).items]
    starts = [found.start() for found in re.finditer(rb"<item>", whole)]
    for end in range(starts[kept - 1] + len(b"<item>") + 1, whole.index(b"</item>", starts[kept - 1])):
        found = parse_feed(whole[:end])
        assert [item.source_id for item in found.items] == names[: kept - 1]
        assert [refusal.code for refusal in found.refused if refusal.index is not None] in ([], ["cut_short"])
