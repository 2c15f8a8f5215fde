"""Counters read as OpenMetrics names them."""

import pytest

from bellwether.domain.counters import named, spend, summed

pytestmark = pytest.mark.req("A9")


@pytest.mark.parametrize(
    ("counter", "name", "labels"),
    [
        ("bellwether_items_total", "items", {}),
        ('bellwether_items_total{kind="news"}', "items", {"kind": "news"}),
        ('calls{provider="x",status="429"}', "calls", {"provider": "x", "status": "429"}),
        ("bellwether_dollars", "dollars", {}),
        ("items_total", "items", {}),
        ("what is this?", "what is this?", {}),
        ("", "", {}),
    ],
)
def test_a_counter_has_a_short_name_and_labels(counter: str, name: str, labels: dict[str, str]) -> None:
    assert named(counter) == (name, labels)


def test_labels_add_up_under_the_short_name_in_order() -> None:
    totals = {
        'bellwether_items_total{kind="social"}': 2.0,
        "bellwether_calls_total": 1.0,
        'bellwether_items_total{kind="news"}': 3.0,
    }
    assert list(summed(totals).items()) == [("calls", 1.0), ("items", 5.0)]


def test_spending_is_what_counts_money_or_tokens() -> None:
    totals = {
        "bellwether_llm_tokens_total": 100.0,
        "bellwether_llm_dollars_total": 0.5,
        "bellwether_usd_total": 1.0,
        "bellwether_provider_cost_total": 2.0,
        "bellwether_tokenised_total": 5.0,
        "bellwether_items_total": 9.0,
    }
    assert spend(totals) == {"llm_tokens": 100.0, "llm_dollars": 0.5, "usd": 1.0, "provider_cost": 2.0}
