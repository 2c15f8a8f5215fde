"""The shortcuts of normalising a text against the three patterns they stand for."""

import re
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.domain.items import normalised_words

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
    "://",
    "ſ",
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
