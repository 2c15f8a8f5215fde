"""Feeds nobody has seen yet: of every format, cut, spliced, re-encoded, nested, inflated."""

import json
import os
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bellwether.adapters.providers.feed_items import OLDEST, ParsedFeed, parse_feed
from bellwether.domain.items import settle

FETCHED = datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).parents[4] / "shared" / "data")) / "feeds"

RSS_2 = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0" xmlns:dc="http://purl.org/dc/elements/1.1/"
 xmlns:content="http://purl.org/rss/1.0/modules/content/">
<channel><title>News</title><link>https://news.example/</link>
<item><title>ACME beats</title><guid>https://news.example/1</guid><dc:creator>A. Writer</dc:creator>
<pubDate>Mon, 23 Nov 2026 05:30:00 GMT</pubDate>
<content:encoded><![CDATA[<p>Sales <b>rose</b> ]]]]><![CDATA[> 12 %</p>]]></content:encoded></item>
<item><title>Zürich &amp; co</title><link>https://news.example/2</link><description>More</description></item>
</channel></rss>"""
RSS_1 = """<?xml version="1.0" encoding="UTF-8"?>
<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://purl.org/rss/1.0/"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:cb="http://www.cbwiki.net/wiki/index.php/Specification_1.1">
<channel rdf:about="https://bank.example/rss"><title>Bank</title><link>https://bank.example/</link>
<items><rdf:Seq><rdf:li rdf:resource="https://bank.example/1"/></rdf:Seq></items></channel>
<item rdf:about="https://bank.example/1"><title>Rate is raised</title><link>https://bank.example/1</link>
<dc:date>2026-11-23T06:30:00+01:00</dc:date><description>To 1.5 %</description></item></rdf:RDF>"""
RSS_091 = """<?xml version="1.0"?><!DOCTYPE rss PUBLIC "-//Netscape Communications//DTD RSS 0.91//EN"
 "http://my.netscape.com/publish/formats/rss-0.91.dtd">
<rss version="0.91"><channel><title>Old</title><link>https://old.example/</link><language>en-us</language>
<item><title>Old news</title><link>https://old.example/1</link><description>Still here</description></item>
</channel></rss>"""
ATOM_03 = """<?xml version="1.0" encoding="utf-8"?>
<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>Older</title>
<link rel="alternate" type="text/html" href="https://older.example/"/><modified>2026-11-22T00:00:00Z</modified>
<entry><title>Atom was young</title><link rel="alternate" type="text/html" href="https://older.example/1"/>
<id>tag:older.example,2026:1</id><issued>2026-11-22T10:00:00Z</issued><modified>2026-11-22T11:00:00Z</modified>
<content type="text/html" mode="escaped">&lt;p&gt;Then &amp;amp; now&lt;/p&gt;</content></entry></feed>"""
ATOM_1 = """<feed xmlns="http://www.w3.org/2005/Atom" xml:lang="de"><title>Now</title><id>urn:now</id>
<updated>2026-11-23T00:00:00Z</updated>
<entry><id>urn:1</id>
<title type="html">ACME &lt;i&gt;soars&lt;/i&gt;</title><updated>2026-11-23T05:00:00Z</updated>
<content type="xhtml"><div xmlns="http://www.w3.org/1999/xhtml"><p>Up <b>again</b></p></div></content>
</entry></feed>"""
JSON_1 = json.dumps(
    {
        "version": "https://jsonfeed.org/version/1",
        "title": "J",
        "items": [
            {"id": 1, "content_text": "ACME \u2014 up", "date_published": "2026-11-23T05:00:00Z"},
            {"id": "2", "title": "Two", "content_html": "<p>x</p>", "author": {"name": "A."}},
        ],
    }
)
FORMATS = {"rss 2.0": RSS_2, "rss 1.0": RSS_1, "rss 0.91": RSS_091, "atom 0.3": ATOM_03, "atom 1.0": ATOM_1,
           "json feed 1": JSON_1}  # fmt: skip


def real() -> list[bytes]:
    suffixes = {".xml", ".rss", ".atom", ".json"}
    found = sorted(path for path in DATA.rglob("*") if path.suffix in suffixes)
    return [path.read_bytes() for path in found if path.stat().st_size < 60_000]


SEEDS = [text.encode() for text in FORMATS.values()] + real()
"""The formats, and the smaller real feeds where they are at hand."""


def holds(content: bytes) -> ParsedFeed:
    """Parses, and whatever comes of it can be taken by the desk."""
    parsed = parse_feed(content, url="https://news.example/feed", observed_at=FETCHED)
    assert parsed.items or parsed.refused or b"<" in content or b"{" in content
    assert len({item.source_id for item in parsed.items}) == len(parsed.items)
    for item in parsed.items:
        assert item.title or item.text
        assert 0 < len(item.source_id) <= 512
        assert OLDEST <= item.published_at <= FETCHED
        assert item.observed_at == FETCHED
        settle(item, kind="news", received_at=FETCHED, salt=b"s")
    return parsed


@pytest.mark.req("A3")
@pytest.mark.parametrize(
    ("name", "titles", "published"),
    [
        ("rss 2.0", ["ACME beats", "Zürich & co"], "2026-11-23T05:30:00+00:00"),
        ("rss 1.0", ["Rate is raised"], "2026-11-23T05:30:00+00:00"),
        ("rss 0.91", ["Old news"], "2026-11-23T06:00:00+00:00"),
        ("atom 0.3", ["Atom was young"], "2026-11-22T10:00:00+00:00"),
        ("atom 1.0", ["ACME soars"], "2026-11-23T05:00:00+00:00"),
        ("json feed 1", [None, "Two"], "2026-11-23T05:00:00+00:00"),
    ],
)
def test_each_format_as_it_should_be(name: str, titles: list[str | None], published: str) -> None:
    parsed = holds(FORMATS[name].encode())
    assert [item.title for item in parsed.items] == titles
    assert parsed.items[0].published_at.isoformat() == published
    assert parsed.refused == []
    assert all(item.text for item in parsed.items if item.title != "Zürich & co")


def test_words_in_cdata_and_in_markup_are_the_words_alone() -> None:
    assert holds(RSS_2.encode()).items[0].text == "Sales rose ]]> 12 %"
    assert holds(ATOM_03.encode()).items[0].text == "Then & now"
    assert holds(ATOM_1.encode()).items[0].text == "Up again"


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(st.sampled_from(SEEDS), st.integers(0, 60_000), st.integers(0, 2_000), st.binary(max_size=40))
def test_a_hole_in_it(seed: bytes, at: int, gone: int, junk: bytes) -> None:
    at = at % (len(seed) + 1)
    holds(seed[:at] + junk + seed[at + gone :])
    holds(seed[:at])


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(st.sampled_from(SEEDS), st.sampled_from(SEEDS), st.integers(0, 60_000), st.integers(0, 60_000))
def test_two_spliced(one: bytes, other: bytes, at: int, begin: int) -> None:
    holds(one[: at % len(one)] + other[begin % len(other) :])
    holds(one + other)


ENCODINGS = ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "latin-1", "cp1252", "cp1251", "shift_jis",
             "gb18030", "utf-7", "cp037", "koi8-r"]  # fmt: skip


@settings(suppress_health_check=[HealthCheck.too_slow], deadline=None, max_examples=40)
@given(st.sampled_from(SEEDS), st.sampled_from(ENCODINGS), st.sampled_from(ENCODINGS))
def test_in_another_encoding_than_it_says(seed: bytes, real_one: str, told: str) -> None:
    text = seed.decode("utf-8", errors="replace")
    for declared in (text, text.replace('encoding="UTF-8"', f'encoding="{told}"')):
        holds(declared.encode(real_one, errors="replace"))
    holds(seed.decode("utf-8", errors="replace").encode("utf-8") + "é".encode(real_one, errors="replace"))


def inflated() -> dict[str, bytes]:
    """Documents that are much more than they need to be."""
    deep = "<b>" * 30_000
    attributes = " ".join(f'a{n}="{n}"' for n in range(20_000))
    spaces = " ".join(f'xmlns:n{n}="urn:{n}"' for n in range(3_000))
    item = "<item><title>{}</title><guid>https://n.example/{}</guid></item>"
    return {
        "deep": RSS_2.replace("More", deep).encode(),
        "deep closed": RSS_2.replace("More", deep + "</b>" * 30_000).encode(),
        "deep in cdata": RSS_2.replace("<b>rose</b>", deep).encode(),
        "deep json": b'{"version": "https://jsonfeed.org/version/1", "items": ' + b"[" * 100_000,
        "an attribute": RSS_2.replace("<item>", f'<item a="{"x" * 1_000_000}">', 1).encode(),
        "many attributes": RSS_2.replace("<item>", f"<item {attributes}>", 1).encode(),
        "many namespaces": RSS_2.replace("<rss ", f"<rss {spaces} ", 1).encode(),
        "a tag": f"<rss><channel><item><{'t' * 500_000}>x".encode(),
        "ampersands": RSS_2.replace("More", "&" * 300_000).encode(),
        "brackets": RSS_2.replace("More", "<" * 300_000).encode(),
        "comments": RSS_2.replace("More", "<!--" * 100_000).encode(),
        "cdata": RSS_2.replace("More", "<![CDATA[" * 100_000).encode(),
        "entities": RSS_2.replace("More", "&amp;lt;" * 100_000).encode(),
        "instructions": RSS_2.replace("More", "<?x " * 100_000).encode(),
        "items": RSS_2.replace(
            "</channel>", "".join(item.format(n, n) for n in range(5_000)) + "</channel>"
        ).encode(),
        "a date": RSS_2.replace("Mon, 23 Nov 2026", "1" * 300_000).encode(),
        "a guid": RSS_2.replace("https://news.example/1", "x" * 300_000).encode(),
        "blanks": RSS_2.replace("More", " \n" * 1_000_000).encode(),
    }


@pytest.mark.req("S4")
@pytest.mark.parametrize("kind", inflated())
def test_much_more_than_it_needs_to_be(kind: str) -> None:
    began = time.process_time()
    holds(inflated()[kind])
    assert time.process_time() - began < 20, "reading a feed takes time out of proportion"


@pytest.mark.req("S4")
@pytest.mark.parametrize("kind", ["many attributes", "many namespaces"])
def test_a_tag_with_thousands_of_attributes_is_refused_unparsed(kind: str) -> None:
    (refusal,) = parse_feed(inflated()[kind]).refused
    assert refusal.code == "hostile"
