"""The shortcuts of normalising a text against the three patterns they stand for."""

import hashlib
import re
import unicodedata
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.items import Item, cluster_id, item_id, normalised_words

pytestmark = pytest.mark.req("A2")

_ANY_CASE = re.IGNORECASE
PIECES = (
    "RT @ann: ",
    "rt @b ",
    "via @c: ",
    "http://t.co/x",
    "HTTPS://T.co/Y",
    "www.a.com",
    "WWW.b.com",
    "https://x",
    "awww.http://y",
    "://",
    "ſ",
    "$A_B",
    "abc$DEF",
    "don't",
    "&amp;",
    "…",
    "\x1c",
    "\ud800",
    "½İß",
)
TEXTS = st.lists(st.one_of(st.sampled_from(PIECES), st.text(max_size=6), st.just(" "))).map("".join)


def by_patterns(text: str) -> str:
    text = re.sub(
        r"^\s*(?:rt|mt|via)\s+@\w+\s*:?\s*", "", unicodedata.normalize("NFKC", text), flags=_ANY_CASE
    )
    text = re.sub(r"https?://\S+|www\.\S+", " ", text, flags=_ANY_CASE)
    return re.sub(r"[^\w$]+", " ", text).strip().casefold()


@given(TEXTS)
def test_a_text_is_normalised_as_the_patterns_say(text: str) -> None:
    assert normalised_words(text) == by_patterns(text)


@given(st.text("ab $'.", max_size=12) | TEXTS, st.none() | TEXTS)
def test_four_normalised_words_of_title_and_text_name_the_cluster(title: str, text: str | None) -> None:
    item = Item(
        source="x", source_id="1", published_at=datetime(2026, 11, 20, tzinfo=UTC), title=title, text=text
    )
    words = by_patterns("\n".join(part for part in (title, text) if part))
    named = f"w-{hashlib.sha256(words.encode()).hexdigest()[:24]}"
    assert cluster_id(item) == (named if len(words.split()) >= 4 else f"i-{item_id('x', '1')}")
