"""What people are told of each provider."""

from datetime import UTC, datetime, timedelta

import pytest
from msgspec import structs

from bellwether.adapters.memory import MemoryPorts
from bellwether.adapters.providers.provider import Cost, Cursor, Fetched, Health
from bellwether.adapters.providers.tally import Tally, change, note
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.items import Item
from bellwether.domain.provider_record import (
    BREAKER_AFTER,
    Outcome,
    ProviderRecord,
    reserve,
    settle,
    switched_off,
)
from bellwether.usecases.provider_status import ProviderStatus, provider_statuses

NOON = datetime(2026, 11, 26, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def status_of(record: ProviderRecord, totals: dict[str, float] | None = None) -> ProviderStatus:
    (told,) = [t for t in provider_statuses([record], TERMS, totals or {}, NOON) if t.name == record.name]
    return told


@pytest.mark.req("A9")
def test_every_provider_there_is_is_told_and_one_never_asked_is_idle() -> None:
    told = provider_statuses([], TERMS, {}, NOON)
    assert [one.name for one in told] == list(TERMS)
    assert {one.state for one in told} == {"idle"}


def test_no_internet_is_told_as_unreachable_with_the_next_attempt() -> None:
    record = ProviderRecord(name="gdelt")
    for _ in range(BREAKER_AFTER):
        record = settle(record, NOON, Outcome(code="no_such_host", detail="the host name does not resolve"))
    told = status_of(record)
    assert told.state == "unreachable"
    assert told.next_call_at == NOON + MINUTE
    assert told.line == ("unreachable: the host name does not resolve; next attempt 12:01:00 UTC")


def test_a_provider_without_a_key_says_how_to_give_it_one_and_has_no_next_call() -> None:
    off = switched_off(ProviderRecord(name="x"), "no_key", "no key; bellwether secrets set x bearer_token")
    told = status_of(off)
    assert (told.state, told.next_call_at) == ("off", None)
    assert told.line == "off: no key; bellwether secrets set x bearer_token"


@pytest.mark.req("B2")
def test_a_spent_budget_tells_when_it_goes_on_and_how_much_it_was() -> None:
    record, _ = reserve(ProviderRecord(name="x"), TERMS["x"], NOON, 4.75)
    record, _ = reserve(record, TERMS["x"], NOON, 0.5)
    told = status_of(record)
    spent = "budget spent: the day's budget of 5 dollars is spent"
    assert told.line == f"{spent}; goes on 2026-11-27 00:00:00 UTC"
    assert (told.dollars_today, told.daily_dollars, told.dollars_this_month) == (4.75, 5.0, 4.75)
    assert told.budget_used == 0.95
    (tomorrow,) = [
        t for t in provider_statuses([record], TERMS, {}, NOON + timedelta(days=1)) if t.name == "x"
    ]
    assert tomorrow.next_call_at == NOON + timedelta(days=1)
    assert (tomorrow.dollars_today, tomorrow.dollars_this_month) == (0.0, 4.75)


def test_counters_are_told_by_provider_and_errors_by_kind() -> None:
    totals = {
        'bellwether_provider_calls_total{provider="x"}': 9.0,
        'bellwether_provider_items_total{provider="x"}': 70.0,
        'bellwether_provider_new_items_total{provider="x"}': 65.0,
        'bellwether_provider_errors_total{provider="x",code="http_503"}': 2.0,
        'bellwether_provider_errors_total{provider="x",code="too_slow"}': 1.0,
        'bellwether_provider_calls_total{provider="gdelt"}': 4.0,
        'bellwether_items_total{kind="news"}': 5.0,
    }
    told = status_of(ProviderRecord(name="x", called_at=NOON, succeeded_at=NOON), totals)
    assert (told.calls, told.items, told.new_items) == (9, 70, 65)
    assert told.errors == {"http_503": 2, "too_slow": 1}
    assert told.line == "working"


def fetched(state: str, *, code: str | None = None, again: datetime | None = None, late: int = 0) -> Fetched:
    items = [
        Item(source="rss", source_id=str(n), published_at=NOON - late * MINUTE, observed_at=NOON, title="t")
        for n in range(3 if late else 0)
    ]
    health = Health(
        provider="rss",
        target="t",
        state=state,  # type: ignore[arg-type]
        checked_at=NOON,
        code=code,
        detail="the host name does not resolve" if code else None,
        items=len(items),
    )
    return Fetched(items=items, cursor=Cursor(not_before=again), health=health, cost=Cost(calls=1))


def noted(*rounds: Fetched) -> ProviderRecord:
    ports, tally = MemoryPorts(), Tally()
    for one in rounds:
        tally.add(one)
    note(ports.providers, "rss", tally, NOON, timedelta(seconds=2))
    return ports.providers.get("rss")


def test_feeds_are_told_by_the_round_since_each_is_its_own_server() -> None:
    fine = noted(fetched("ok", late=4), fetched("failing", code="http_404", again=NOON + MINUTE))
    assert (fine.state, fine.code, fine.detail) == ("ok", "http_404", "1 of 2 targets fail")
    assert (fine.lag_seconds, fine.succeeded_at) == (240.0, NOON + timedelta(seconds=2))
    away = noted(
        fetched("failing", code="no_such_host", again=NOON + 2 * MINUTE),
        fetched("failing", code="unreachable", again=NOON + MINUTE),
    )
    assert (away.state, away.not_before, away.succeeded_at) == ("unreachable", NOON + MINUTE, None)
    assert "next attempt 12:01:00 UTC" in status_of(away).line
    broken = noted(fetched("failing", code="not_a_feed"), fetched("failing", code="no_such_host"))
    assert broken.state == "failing"
    assert noted(fetched("waiting")).called_at is None


def test_calls_that_wrote_their_own_outcome_are_not_overwritten_by_the_round() -> None:
    ports, tally = MemoryPorts(), Tally()
    own = ProviderRecord(name="rss", version=1, called_at=NOON, state="failing", code="key_refused")
    assert ports.providers.put(own)
    tally.add(fetched("ok", late=1))
    note(ports.providers, "rss", tally, NOON, timedelta(seconds=1))
    assert ports.providers.get("rss") == structs.replace(own, version=2, lag_seconds=60.0)


def test_a_record_others_keep_changing_is_news_lost_and_nothing_else() -> None:
    class Contended:
        tries = 0

        def get(self, name: str) -> ProviderRecord:
            return ProviderRecord(name=name)

        def put(self, record: ProviderRecord) -> bool:
            self.tries += 1
            return False

        def all(self) -> list[ProviderRecord]:
            return []

    records = Contended()
    kept = change(records, "x", lambda before: structs.replace(before, failures=1))
    assert kept == ProviderRecord(name="x")
    assert records.tries > 1
