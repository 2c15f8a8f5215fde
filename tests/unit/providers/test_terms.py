"""The table of providers: complete, dated, and told to people as it is."""

import re
from pathlib import Path

import pytest

from bellwether.adapters.providers.terms import TERMS
from bellwether.cli.suggested_feeds import SUGGESTED
from bellwether.domain.provider_terms import Terms
from bellwether.handlers import fetch_news, fetch_social
from bellwether.handlers.figure_names import DIMENSIONS

GUIDE = Path(__file__).parents[3] / "docs" / "providers.md"


@pytest.mark.parametrize("terms", TERMS.values(), ids=list(TERMS))
def test_a_row_says_where_its_figures_come_from_and_what_may_be_spent(terms: Terms) -> None:
    assert TERMS[terms.name] is terms
    assert terms.name == "rss" or re.search(r"20\d\d-\d\d", terms.source)
    charges = terms.call_dollars or terms.item_dollars or terms.purpose == "agent"
    if charges:
        assert 0 < (terms.daily_dollars or 0) < (terms.monthly_dollars or 0)
    assert terms.quotas or terms.name == "rss", "whoever is one server has a limit"
    assert (terms.secret is not None) == bool(terms.needs or terms.wants)


def test_every_row_is_read_by_somebody_and_every_reader_has_a_row() -> None:
    fetched = {*fetch_social.MAKERS, *fetch_news.MAKERS}
    assert fetched == {name for name, row in TERMS.items() if row.purpose in {"social", "news"}}
    assert set(TERMS) == set(DIMENSIONS["provider"])


def test_the_guide_names_every_provider_every_key_and_every_suggested_feed() -> None:
    guide = GUIDE.read_text(encoding="utf-8")
    for terms in TERMS.values():
        assert terms.name in guide.lower()
        for member in (*terms.needs, *terms.wants):
            assert f"`{member}`" in guide, member
    for name, feed in SUGGESTED.items():
        assert f"| `{name}` |" in guide
        assert feed.url in guide
