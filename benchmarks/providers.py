"""What providers take: how fast their answers are read, what the largest hold, and what an item costs.

    uv run python -m benchmarks.providers [HOURS]

Every provider is a server of this machine that speaks its protocol (`tests/peers`); the desk's own code asks
it. Speed is items a second of processor time, everything included but the way over the network. Memory is the
most that was allocated at once for a body just below the limit of 5 MB. Costs are of simulated hours of both
schedules, against a client that asks as often and remembers nothing: no cursors, no conditional requests.
"""

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from datetime import timedelta
from typing import Any

import msgspec

from bellwether.adapters.memory import MemoryLake
from bellwether.adapters.providers import alphavantage, edgar, feeds, finnhub, gdelt, newsapi, reddit, x
from bellwether.adapters.providers.guarded_http import GuardedHttp, Response
from bellwether.adapters.providers.provider import Cursor, Provider
from bellwether.adapters.providers.sources import Sources
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.provider_terms import Terms
from bellwether.handlers import fetch_news, fetch_social
from bellwether.handlers.fetching import fetch
from tests.peers.web import large
from tests.unit.providers.world import KEYS, START, World, world

MINUTE = timedelta(minutes=1)
POSTS = 100
ROUNDS = 30
FULL = 4_990_000
WIDTHS = (10, 10, 8, 9, 10, 9, 9)
MAKERS: Mapping[str, Callable[[Sources], Any]] = {
    "x": x.targets,
    "reddit": reddit.targets,
    "rss": feeds.targets,
    "gdelt": gdelt.targets,
    "newsapi": newsapi.targets,
    "finnhub": finnhub.targets,
    "alphavantage": alphavantage.targets,
    "edgar": edgar.targets,
}


class Remembering(GuardedHttp):
    """Answers what was answered before, without a network."""

    def __init__(self, real: GuardedHttp) -> None:
        self._real = real
        self._known: dict[str, Response] = {}

    def named(self, user_agent: str) -> "Remembering":  # noqa: ARG002
        return self

    def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        if url not in self._known:
            self._known[url] = self._real.get(url, headers)
        return self._known[url]

    def post(
        self,
        url: str,
        body: bytes,
        headers: Mapping[str, str] | None = None,
        *,
        seconds: float | None = None,
    ) -> Response:
        if url not in self._known:
            self._known[url] = self._real.post(url, body, headers, seconds=seconds)
        return self._known[url]


def unbounded() -> dict[str, Terms]:
    """Terms without quotas and budgets, prices kept."""
    return {
        name: msgspec.structs.replace(row, quotas=(), daily_dollars=None, monthly_dollars=None)
        for name, row in TERMS.items()
    }


def first_target(made: World, name: str, http: GuardedHttp) -> Provider:
    """The first target of a provider, asked through `http`."""
    parts = made.parts
    sources = Sources(
        entities=parts.entities,
        http=http,
        records=parts.records,
        clock=made.clock,
        keys=KEYS,
        terms=unbounded(),
        addresses=parts.addresses,
        sleep=made.clock.sleep,
    )
    found: Provider = MAKERS[name](sources)[0]
    return found


@contextmanager
def filled() -> Iterator[World]:
    """A world in which everything that can be read at once has been published."""
    with world(1) as made:
        made.trouble.calm = True
        for number in range(1, POSTS + 1):
            made.clock.sleep(20)
            made.publish(number)
        made.clock.sleep(120)
        yield made


def speed(made: World, name: str) -> tuple[int, float]:
    """Items of one fetch, and items a second of processor time."""
    target = first_target(made, name, Remembering(made.parts.http))
    at = made.clock()
    items = len(target.fetch(Cursor(), at).items)
    began = time.process_time()
    for _ in range(ROUNDS):
        target.fetch(Cursor(), at)
    return items, items * ROUNDS / (time.process_time() - began)


def memory(made: World, name: str) -> float:
    """MB that were allocated at most while a fetch read a body of nearly 5 MB."""
    target = first_target(made, name, made.parts.http)
    made.sites[name].faults.extend([large(FULL)] * 3)
    tracemalloc.start()
    target.fetch(Cursor(), made.clock())
    _, most = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    made.sites[name].faults.clear()
    return most / 1e6


class Forgetful(MemoryLake):
    """Keeps nothing: whoever reads a cursor begins anew."""

    def put(self, key: str, content: bytes, content_type: str = "application/json") -> None:  # noqa: ARG002
        return


def hours_of_schedules(hours: int, *, naive: bool) -> World:
    """The world after so many hours of both schedules."""
    with world(2) as made:
        made.trouble.calm = True
        if naive:
            made.parts = replace(made.parts, lake=Forgetful(), terms=unbounded())
        for minute in range(hours * 60):
            made.clock.reach(START + minute * MINUTE)
            if minute % 6 == 0:
                made.publish(minute)
            fetch(made.parts, fetch_social.MAKERS, 40)
            if minute % 5 == 0:
                fetch(made.parts, fetch_news.MAKERS, 200)
        return made


def costs(hours: int) -> None:
    """Calls, bytes and dollars for 1,000 items, beside those of the client that remembers nothing."""
    desk, naive = hours_of_schedules(hours, naive=False), hours_of_schedules(hours, naive=True)
    print(f"\n{hours} hours of both schedules, ten items an hour at each provider; for 1,000 items:")
    print(
        f"{'provider':<14}{'calls':>10}{'naive':>10}{'ratio':>8}{'MB':>9}{'naive':>10}{'dollars':>9}{'naive':>9}"
    )
    for name in MAKERS:
        told = [figures(made, name) for made in (desk, naive)]
        (calls, size, dollars), (calls2, size2, dollars2) = told
        print(
            f"{name:<14}{calls:>10,.0f}{calls2:>10,.0f}{calls / calls2:>8.2f}{size:>9.1f}{size2:>10.1f}"
            f"{dollars:>9.2f}{dollars2:>9.2f}"
        )


def figures(made: World, name: str) -> tuple[float, float, float]:
    """Calls, megabytes and dollars for 1,000 items the desk did not have."""
    totals = made.ports.counts.totals()
    new = totals.get(f'bellwether_provider_new_items_total{{provider="{name}"}}', 0.0)
    dollars = totals.get(f'bellwether_provider_dollars_total{{provider="{name}"}}', 0.0)
    if not new:
        return float("nan"), float("nan"), float("nan")
    share = 1_000 / new
    return made.requests[name] * share, made.bytes_sent[name] / 1e6 * share, dollars * share


def main() -> None:
    hours = int(sys.argv[1]) if len(sys.argv) > 1 else 6
    with filled() as made:
        print(f"{'provider':<14}{'items':>7}{'items/s':>12}{'MB at 5 MB':>12}")
        for name in MAKERS:
            items, rate = speed(made, name)
            print(f"{name:<14}{items:>7}{rate:>12,.0f}{memory(made, name):>12.1f}")
    costs(hours)


if __name__ == "__main__":
    main()
