"""An hour of the two schedules with every third answer broken, a desk that dies between two steps, and runs
that overlap: every item arrives, none twice, none that nobody published, and no quota is exceeded."""

from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.problems import Unavailable
from bellwether.handlers import fetch_news, fetch_social
from bellwether.handlers.fetching import fetch
from bellwether.usecases.recover import Recover
from tests.unit.providers.world import START, World, world

pytestmark = pytest.mark.enable_socket

HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)


def run(made: World, *schedules: Mapping[str, object]) -> None:
    """Runs of the schedules at the same time; one that dies is what the next run makes good."""

    def one(makers: Mapping[str, object]) -> None:
        try:
            fetch(made.parts, makers, 40)  # type: ignore[arg-type]
        except Unavailable:
            return

    with ThreadPoolExecutor(len(schedules)) as pool:
        list(pool.map(one, schedules))


def an_hour(made: World) -> None:
    for minute in range(60):
        made.clock.reach(START + minute * MINUTE)
        made.publish(minute)
        due = [fetch_social.MAKERS, *([fetch_news.MAKERS] if minute % 5 == 0 else [])]
        overlapping = [makers for makers in due if made.trouble.happens(0.3)]
        run(made, *due, *overlapping)


def what_follows(made: World) -> None:
    """The trouble is over: the schedules go on until the slowest provider has had its turn, and the hourly
    recovery brings back batches that were stored and not queued."""
    made.trouble.calm = True
    for step in range(54):
        made.clock.reach(START + HOUR + step * 5 * MINUTE)
        run(made, fetch_social.MAKERS, fetch_news.MAKERS)
    ports = made.ports
    Recover(
        raw=ports.raw, claims=ports.claims, queue=ports.queue, ledger=ports.ledger,
        proposals=ports.proposals, outcomes=ports.outcomes, controls=ports.controls, configs=ports.configs,
    )(since=START, now=made.clock())  # fmt: skip


def most_in_any_window(calls: list[datetime], seconds: float) -> int:
    # times are rounded to microseconds
    width = timedelta(seconds=seconds - 0.001)
    ordered = sorted(calls)
    return max((sum(first <= at < first + width for at in ordered) for first in ordered), default=0)


@pytest.mark.req("A1", "A2", "A3", "C5")
@pytest.mark.parametrize("seed", [11, 12])
def test_every_item_arrives_exactly_once_and_no_quota_is_exceeded(seed: int) -> None:
    with world(seed) as made:
        an_hour(made)
        assert made.trouble.faults > 30
        assert made.trouble.crashes > 10
        what_follows(made)
        arrived = made.arrived()
        assert len(made.published) == 60 * 7 + 10
        assert sorted(made.published - set(arrived)) == []
        assert sorted(set(arrived) - made.published) == []
        assert {item: times for item, times in arrived.items() if times > 1} == {}
        assert {name: len(calls) for name, calls in made.calls.items()} == {
            name: count for name, count in made.requests.items() if TERMS[name].quotas
        }
        for name, calls in made.calls.items():
            for quota in TERMS[name].quotas:
                assert most_in_any_window(calls, quota.seconds) <= quota.calls, (name, quota)


def test_nothing_is_invented_when_nobody_publishes() -> None:
    with world(5) as made:
        for minute in range(15):
            made.clock.reach(START + minute * MINUTE)
            run(made, fetch_social.MAKERS, fetch_news.MAKERS)
        assert made.requests.total() > 30
        assert made.arrived() == {}
        assert made.ports.queue.sent == []
