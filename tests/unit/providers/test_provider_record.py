"""Quotas, budgets and the circuit breaker of a provider's record."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bellwether.domain.provider_record import (
    BREAKER_AFTER,
    FIRST_BREAK,
    LONGEST_BREAK,
    LONGEST_WAIT,
    Outcome,
    ProviderRecord,
    budget_used,
    next_call,
    reserve,
    settle,
    switched_off,
)
from bellwether.domain.provider_terms import Quota, Terms

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
DOWN = Outcome(code="http_503", detail="X answered 503")


def terms(*quotas: Quota, **more: float) -> Terms:
    return Terms(name="x", title="X", purpose="social", source="a test", quotas=quotas, **more)  # type: ignore[arg-type]


def made(quotas: tuple[Quota, ...], gaps: list[float]) -> list[float]:
    """Seconds at which calls were let through, when one was asked for after each of these gaps."""
    record, at, through = ProviderRecord(name="x"), NOON, list[float]()
    for gap in gaps:
        at += timedelta(seconds=gap)
        record, wait = reserve(record, terms(*quotas), at, 0.0)
        if wait is None:
            through.append((at - NOON).total_seconds())
        else:
            assert wait.until > at
    return through


@st.composite
def quotas_of_any_kind(draw: st.DrawFn) -> Quota:
    calls = draw(st.integers(1, 12))
    return Quota(calls=calls, seconds=draw(st.floats(0.5, 50)), burst=draw(st.integers(1, calls)))


@pytest.mark.req("A1")
@settings(deadline=None, max_examples=300)
@given(
    st.lists(quotas_of_any_kind(), min_size=1, max_size=2, unique_by=lambda quota: quota.name),
    st.lists(st.floats(0, 9), min_size=1, max_size=120),
)
def test_no_window_anywhere_holds_more_calls_than_a_quota_allows(
    quotas: list[Quota], gaps: list[float]
) -> None:
    through = made(tuple(quotas), gaps)
    assert through
    for quota in quotas:
        for first in through:
            # a microsecond is what times are rounded to
            window = [at for at in through if first <= at < first + quota.seconds - 1e-3]
            assert len(window) <= quota.calls


def test_a_quota_is_used_up_not_just_kept() -> None:
    quota = Quota(calls=10, seconds=60, burst=4)
    through = made((quota,), [0.1] * 6_000)
    assert [at for at in through if at <= 0.45] == pytest.approx([0.1, 0.2, 0.3, 0.4])
    # a call is asked for each 100 ms: what is due is made that much later at most
    assert len(through) >= 4 + int((600 - 1) / (quota.spacing + 0.1))


def test_a_wait_tells_when_a_call_is_let_through_and_no_earlier() -> None:
    quota = Quota(calls=3, seconds=30, burst=2)
    record = ProviderRecord(name="x")
    for _ in range(2):
        record, wait = reserve(record, terms(quota), NOON, 0.0)
        assert wait is None
    record, wait = reserve(record, terms(quota), NOON, 0.0)
    assert wait is not None
    assert (wait.code, wait.until) == ("quota", NOON + timedelta(seconds=quota.spacing))
    early, again = reserve(record, terms(quota), wait.until - timedelta(milliseconds=1), 0.0)
    assert again is not None
    assert reserve(early, terms(quota), wait.until, 0.0)[1] is None
    assert next_call(record, terms(quota), NOON) == wait.until
    assert next_call(record, terms(quota), wait.until) == wait.until


def test_a_burst_is_at_most_its_window() -> None:
    with pytest.raises(ValueError, match="a burst is at most"):
        Quota(calls=2, seconds=1, burst=3)


@pytest.mark.req("B2")
@given(st.lists(st.tuples(st.floats(0, 3), st.floats(0, 1)), max_size=60))
def test_no_day_and_no_month_costs_more_than_its_budget(calls: list[tuple[float, float]]) -> None:
    priced = terms(daily_dollars=5.0, monthly_dollars=12.0)
    record, at = ProviderRecord(name="x"), NOON
    spent: dict[str, float] = {}
    for dollars, used in calls:
        at += timedelta(hours=7)
        record, wait = reserve(record, priced, at, dollars)
        if wait is None:
            record = settle(record, at, Outcome(), unspent=dollars * (1 - used))
            for span in (f"{at:%Y%m%d}", f"{at:%Y%m}"):
                spent[span] = spent.get(span, 0.0) + dollars * used
        else:
            assert wait.code in {"daily_budget", "monthly_budget"}
            assert record.state == "spent"
    assert all(dollars <= (5.0 if len(span) == 8 else 12.0) + 1e-9 for span, dollars in spent.items())


def test_a_spent_budget_opens_again_at_midnight_and_on_the_first() -> None:
    daily, monthly = terms(daily_dollars=1.0), terms(monthly_dollars=1.0)
    record, _ = reserve(ProviderRecord(name="x"), daily, NOON, 1.0)
    stopped, wait = reserve(record, daily, NOON, 0.1)
    assert wait is not None
    assert wait.until == datetime(2026, 11, 27, tzinfo=UTC)
    assert (stopped.state, stopped.code) == ("spent", "daily_budget")
    again, free = reserve(stopped, daily, wait.until, 1.0)
    assert (free, again.state, again.code, again.dollars_today) == (None, "ok", None, 1.0)
    record, _ = reserve(ProviderRecord(name="x"), monthly, datetime(2026, 12, 31, 23, tzinfo=UTC), 1.0)
    _, wait = reserve(record, monthly, datetime(2026, 12, 31, 23, tzinfo=UTC), 0.1)
    assert wait is not None
    assert (wait.until, wait.code) == (datetime(2027, 1, 1, tzinfo=UTC), "monthly_budget")


def test_what_costs_nothing_goes_on_when_the_budget_is_spent() -> None:
    record, _ = reserve(ProviderRecord(name="x"), terms(daily_dollars=1.0), NOON, 1.0)
    assert reserve(record, terms(daily_dollars=1.0), NOON, 0.0)[1] is None


def test_the_share_of_a_budget_is_the_larger_of_day_and_month() -> None:
    priced = terms(daily_dollars=10.0, monthly_dollars=20.0)
    record, _ = reserve(ProviderRecord(name="x"), priced, NOON, 8.0)
    assert budget_used(record, priced, NOON) == pytest.approx(0.8)
    assert budget_used(record, priced, NOON + timedelta(days=1)) == pytest.approx(0.4)
    assert budget_used(record, terms(), NOON) is None
    assert budget_used(record, terms(daily_dollars=0.0), NOON) == 1.0


def failed(times: int, at: datetime = NOON, jitter: float = 0.0) -> ProviderRecord:
    record = ProviderRecord(name="x")
    for _ in range(times):
        record = settle(record, at, DOWN, jitter=jitter)
    return record


def test_a_provider_that_keeps_failing_is_left_alone_longer_and_longer() -> None:
    assert failed(BREAKER_AFTER - 1).open_until is None
    breaks = [failed(BREAKER_AFTER + more).open_until for more in range(20)]
    pauses = [until - NOON for until in breaks if until is not None]
    assert pauses[:4] == [FIRST_BREAK, 2 * FIRST_BREAK, 4 * FIRST_BREAK, 8 * FIRST_BREAK]
    assert pauses[-1] == LONGEST_BREAK
    assert failed(BREAKER_AFTER, jitter=0.5).open_until == NOON + 1.25 * FIRST_BREAK


def test_after_a_break_one_call_tries_and_the_others_wait_for_it() -> None:
    record = failed(BREAKER_AFTER)
    assert record.open_until is not None
    later = record.open_until
    _, wait = reserve(record, terms(), later - timedelta(seconds=1), 0.0)
    assert wait is not None
    assert (wait.code, wait.until, "503" in wait.detail) == ("http_503", later, True)
    trying, wait = reserve(record, terms(), later, 0.0)
    assert wait is None
    assert reserve(trying, terms(), later, 0.0)[1] is not None
    fine = settle(trying, later, Outcome())
    assert (fine.open_until, fine.failures, fine.state, fine.succeeded_at) == (None, 0, "ok", later)
    broken = settle(trying, later, DOWN)
    assert broken.open_until == later + 2 * FIRST_BREAK


def test_a_call_that_died_while_trying_blocks_the_others_for_a_while_only() -> None:
    record = failed(BREAKER_AFTER)
    assert record.open_until is not None
    trying, _ = reserve(record, terms(), record.open_until, 0.0)
    assert reserve(trying, terms(), record.open_until + FIRST_BREAK, 0.0)[1] is None


def test_a_failure_of_what_was_asked_for_is_not_the_providers() -> None:
    record = settle(failed(2), NOON, Outcome(code="http_404", detail="no such", about_all=False))
    assert (record.state, record.failures, record.code) == ("ok", 0, "http_404")


def test_no_answer_at_all_is_told_apart() -> None:
    assert settle(ProviderRecord(name="x"), NOON, Outcome(code="no_such_host")).state == "unreachable"
    assert failed(1).state == "failing"


def test_what_the_provider_asks_to_wait_is_waited_for_and_bounded() -> None:
    asked = Outcome(not_before=NOON + timedelta(minutes=10))
    record = settle(ProviderRecord(name="x"), NOON, asked)
    _, wait = reserve(record, terms(), NOON, 0.0)
    assert wait is not None
    assert (wait.code, wait.until) == ("asked_to_wait", asked.not_before)
    kept = settle(record, NOON, Outcome())
    assert kept.not_before == asked.not_before
    assert settle(record, NOON + timedelta(hours=1), Outcome()).not_before is None
    endless = settle(record, NOON, Outcome(not_before=NOON + timedelta(days=400)))
    assert endless.not_before == NOON + LONGEST_WAIT
    assert settle(ProviderRecord(name="x"), NOON, Outcome(not_before=NOON)).not_before is None


def test_a_provider_that_is_off_has_no_next_call_and_comes_back() -> None:
    off = switched_off(ProviderRecord(name="x"), "no_key", "no key")
    assert next_call(off, terms(), NOON) is None
    back, wait = reserve(off, terms(Quota(calls=1, seconds=60)), NOON, 0.0)
    assert wait is None
    assert back.state == "ok"
