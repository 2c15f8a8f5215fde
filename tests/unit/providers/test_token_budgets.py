"""Budgets of tokens, beside those of dollars, and the times a provider writes as `6m0s`."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.providers.waiting import duration, retry_after
from bellwether.domain.provider_record import Outcome, ProviderRecord, budget_used, reserve, settle
from bellwether.domain.provider_terms import Terms

NOON = datetime(2026, 11, 30, 12, tzinfo=UTC)
NEW = ProviderRecord(name="m")


def terms(**budgets: int) -> Terms:
    return Terms(name="m", title="M", purpose="agent", source="a test", **budgets)  # type: ignore[arg-type]


@pytest.mark.req("X2")
def test_tokens_are_reserved_settled_and_run_out() -> None:
    rules = terms(daily_tokens=1_000)
    record, wait = reserve(NEW, rules, NOON, 0.0, 900)
    assert wait is None
    assert (record.tokens_today, record.tokens_this_month) == (900, 900)
    refused, wait = reserve(record, rules, NOON, 0.0, 101)
    assert wait is not None
    assert (wait.code, wait.until) == ("daily_budget", datetime(2026, 12, 1, tzinfo=UTC))
    assert wait.detail == "the day's budget of 1,000 tokens is spent"
    assert (refused.state, refused.tokens_today) == ("spent", 900)
    record = settle(record, NOON, Outcome(), unspent_tokens=500)
    assert record.tokens_today == 400
    assert reserve(record, rules, NOON, 0.0, 600)[1] is None
    assert budget_used(record, rules, NOON) == pytest.approx(0.4)


def test_a_new_day_and_a_new_month_begin_at_nothing() -> None:
    rules = terms(daily_tokens=1_000, monthly_tokens=1_500)
    record, _ = reserve(NEW, rules, NOON, 0.0, 1_000)
    tomorrow = datetime(2026, 12, 1, 0, 0, 1, tzinfo=UTC)
    fresh, wait = reserve(record, rules, tomorrow, 0.0, 1_000)
    assert wait is None
    assert (fresh.tokens_today, fresh.tokens_this_month) == (1_000, 1_000)
    later = tomorrow + timedelta(days=1)
    _, wait = reserve(fresh, rules, later, 0.0, 501)
    assert wait is not None
    assert (wait.code, wait.until) == ("monthly_budget", datetime(2027, 1, 1, tzinfo=UTC))


@given(st.lists(st.tuples(st.integers(0, 500), st.integers(-50, 500)), max_size=30))
def test_what_was_told_is_never_less_than_nothing_and_nothing_is_reserved_past_the_budget(
    calls: list[tuple[int, int]],
) -> None:
    rules, record = terms(daily_tokens=2_000), NEW
    for most, unspent in calls:
        before = record.tokens_today
        record, wait = reserve(record, rules, NOON, 0.0, most)
        if wait is None:
            assert most == 0 or record.tokens_today <= 2_000
            record = settle(record, NOON, Outcome(), unspent_tokens=min(unspent, most))
        else:
            assert record.tokens_today == before
        assert record.tokens_today >= 0


@pytest.mark.parametrize(
    ("told", "seconds"),
    [
        ("1s", 1),
        ("6m0s", 360),
        ("120ms", 0.12),
        ("1h2m3.5s", 3_723.5),
        ("8.64s", 8.64),
        ("9999999999h", 86_400),
    ],
)
def test_durations(told: str, seconds: float) -> None:
    assert duration(told) == timedelta(seconds=seconds)


@pytest.mark.parametrize("told", [None, "", "soon", "5", "-1s", "1s1s", "1m x", "s", "9" * 50 + "s"])
def test_what_is_no_duration(told: str | None) -> None:
    assert duration(told) is None


@given(st.text(max_size=60))
def test_any_header_is_a_bounded_time_or_none(told: str) -> None:
    for found in (duration(told), retry_after({"retry-after-ms": told, "retry-after": told}, NOON)):
        assert found is None or timedelta(0) <= found <= timedelta(hours=24)


def test_milliseconds_are_more_exact_than_seconds() -> None:
    assert retry_after({"retry-after-ms": "1500", "retry-after": "2"}, NOON) == timedelta(seconds=1.5)
    assert retry_after({"retry-after-ms": "soon", "retry-after": "2"}, NOON) == timedelta(seconds=2)
