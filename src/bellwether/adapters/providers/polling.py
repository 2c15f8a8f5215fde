"""One round of fetching: every target at its cursor, new items into the desk, cursors and health kept."""

import hashlib
import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from typing import Protocol

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from bellwether.adapters.providers.provider import Cursor, Fetched, Health, Provider
from bellwether.adapters.providers.tally import Tally
from bellwether.domain.items import Kind
from bellwether.domain.problems import Problem
from bellwether.usecases.ports import Lake

MOST_AT_ONCE = 8
BATCH = 500
CURSORS = "features/providers"
FIRST_PAUSE, LONGEST_PAUSE = timedelta(minutes=1), timedelta(hours=1)


class Taken(Protocol):
    """What the desk says of a batch it was handed."""

    @property
    def accepted(self) -> int: ...

    @property
    def duplicates(self) -> int: ...


class Submit(Protocol):
    """Hands items of one kind to the desk, at most 500 at a time."""

    def __call__(self, kind: Kind, items: Sequence[msgspec.Raw], submitted_by: str) -> Taken: ...


class Round(Struct, frozen=True, kw_only=True):
    """What a round did, in all and by provider; `put_off` names targets there was no time for."""

    fetched: int
    accepted: int
    duplicates: int
    health: list[Health]
    put_off: list[str]
    providers: dict[str, Tally]


class Kept(Struct, frozen=True, kw_only=True):
    """The object of one target under `features/providers/{provider}/`: what the dashboard shows of it."""

    cursor: Cursor
    health: Health


def cursor_key(name: str, target: str) -> str:
    """Where cursor and health of a target lie."""
    return f"{CURSORS}/{name}/{hashlib.sha256(target.encode()).hexdigest()[:24]}.json"


def poll(
    providers: Sequence[Provider],
    lake: Lake,
    submit: Submit,
    *,
    at: datetime,
    seconds: float,
    clock: Callable[[], float] = time.monotonic,
    wall: Callable[[], datetime] | None = None,
) -> Round:
    """Fetches all targets, each provider in a lane of its own, starting none after `seconds`.

    The round begins `at`; `wall` tells the time a target is begun at.

    A cursor moves only after the items before it were taken: what fails in between is fetched again, and
    the items' identities make sure that it counts once. One target's failure is nobody else's; when the desk
    itself fails, what the other targets brought (and may have been paid for) is handed over all the same, and
    the first failure is raised after that.
    """
    until = clock() + seconds
    tallies: dict[str, Tally] = defaultdict(Tally)
    health: list[Health] = []
    put_off: list[str] = []
    failures: list[Problem] = []

    def one(provider: Provider, cursor: Cursor) -> Fetched | None:
        # a target that waited for its turn reads what is known by then
        moment = max(wall(), at) if wall else at
        return read(provider, cursor, moment) if clock() < until else None

    with ExitStack() as lanes:
        running: dict[Future[Fetched | None], Provider] = {}
        for lane in by_name(in_turn(providers, lake)):
            width = min(getattr(lane[0][0], "at_once", MOST_AT_ONCE), MOST_AT_ONCE)
            pool = lanes.enter_context(ThreadPoolExecutor(width))
            running |= {pool.submit(one, provider, cursor): provider for provider, cursor in lane}
        for done in as_completed(running):
            provider, fetched = running[done], done.result()
            if fetched is None:
                put_off.append(provider.target)
                continue
            health.append(fetched.health)
            tallies[provider.name].add(fetched)
            try:
                _take(provider, fetched, lake, submit, tallies[provider.name])
            except Problem as failure:
                failures.append(failure)
    if failures:
        raise failures[0]
    return Round(
        fetched=sum(tally.items for tally in tallies.values()),
        accepted=sum(tally.accepted for tally in tallies.values()),
        duplicates=sum(tally.duplicates for tally in tallies.values()),
        health=health,
        put_off=sorted(put_off),
        providers=dict(tallies),
    )


def read(provider: Provider, cursor: Cursor, at: datetime) -> Fetched:
    """One target's fetch. A module that stumbles over what it was told fails that target and no other."""
    try:
        return provider.fetch(cursor, at)
    except Problem:
        raise
    except Exception as fault:  # noqa: BLE001  whatever it is, it is this target's
        failures = cursor.failures + 1
        health = Health(
            provider=provider.name,
            target=provider.target,
            state="failing",
            checked_at=at,
            code="reader_failed",
            detail=f"the desk's reader of it fails ({type(fault).__name__})",
            failures=failures,
        )
        pause = min(FIRST_PAUSE * 2 ** min(failures, 6), LONGEST_PAUSE)
        return Fetched(
            items=[], cursor=replace(cursor, failures=failures, not_before=at + pause), health=health
        )


def in_turn(providers: Sequence[Provider], lake: Lake) -> list[tuple[Provider, Cursor]]:
    """The targets with their cursors, whoever was read the longest time ago first: so that nobody is put off
    for ever where a round or a quota is too small for all."""
    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        kept = list(pool.map(lambda provider: read_kept(lake, provider), providers))
    never = datetime.min.replace(tzinfo=UTC)
    pairs = zip(providers, kept, strict=True)
    ordered = sorted(pairs, key=lambda pair: pair[1].health.checked_at if pair[1] else never)
    return [(provider, found.cursor if found else Cursor()) for provider, found in ordered]


def by_name(targets: Sequence[tuple[Provider, Cursor]]) -> list[list[tuple[Provider, Cursor]]]:
    """The targets of each provider, in their order."""
    lanes: dict[str, list[tuple[Provider, Cursor]]] = defaultdict(list)
    for provider, cursor in targets:
        lanes[provider.name].append((provider, cursor))
    return list(lanes.values())


def read_cursor(lake: Lake, provider: Provider) -> Cursor:
    """The kept cursor; a new one when there is none or it cannot be read."""
    kept = read_kept(lake, provider)
    return kept.cursor if kept else Cursor()


def read_kept(lake: Lake, provider: Provider) -> Kept | None:
    """Cursor and health of a target, `None` when there are none or they cannot be read."""
    content = lake.get(cursor_key(provider.name, provider.target))
    try:
        return msgspec.json.decode(content, type=Kept) if content is not None else None
    except msgspec.DecodeError:
        return None


def read_health(lake: Lake, name: str) -> list[Health]:
    """The last health of every target of a provider."""
    found = []
    for key in lake.list(f"{CURSORS}/{name}/"):
        content = lake.get(key)
        if content is not None:
            found.append(msgspec.json.decode(content, type=Kept).health)
    return found


def _take(provider: Provider, fetched: Fetched, lake: Lake, submit: Submit, tally: Tally) -> None:
    """Items first, then the cursor behind them."""
    for start in range(0, len(fetched.items), BATCH):
        raw = [msgspec.Raw(msgspec.json.encode(item)) for item in fetched.items[start : start + BATCH]]
        taken = submit(provider.kind, raw, f"provider:{provider.name}")
        tally.accepted += taken.accepted
        tally.duplicates += taken.duplicates
    if fetched.health.state != "waiting" or fetched.items:
        kept = Kept(cursor=fetched.cursor, health=fetched.health)
        lake.put(cursor_key(provider.name, provider.target), msgspec.json.encode(kept))
