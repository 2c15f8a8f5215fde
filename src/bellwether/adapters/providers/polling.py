"""One round of fetching: every target at its cursor, new items into the desk, cursors and health kept."""

import hashlib
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from datetime import datetime
from typing import Protocol

import msgspec
from msgspec import Struct

from bellwether.adapters.providers.provider import Cursor, Fetched, Health, Provider
from bellwether.domain.items import Item, Kind
from bellwether.usecases.ports import Lake

MOST_AT_ONCE = 8
BATCH = 500
CURSORS = "features/providers"


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
    """What a round did; `put_off` names targets there was no time for."""

    fetched: int
    accepted: int
    duplicates: int
    health: list[Health]
    put_off: list[str]


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
) -> Round:
    """Fetches all targets, eight at a time, starting none after `seconds`.

    A cursor moves only after the items before it were taken: what fails in between is fetched again, and
    the items' identities make sure that it counts once. One target's failure is nobody else's.
    """
    until = clock() + seconds
    results: list[tuple[Provider, Fetched]] = []
    put_off: list[str] = []
    accepted = duplicates = 0

    def one(provider: Provider) -> Fetched | None:
        return provider.fetch(read_cursor(lake, provider), at) if clock() < until else None

    with ThreadPoolExecutor(MOST_AT_ONCE) as pool:
        running = {pool.submit(one, provider): provider for provider in in_turn(providers, at)}
        for done in as_completed(running):
            provider, fetched = running[done], done.result()
            if fetched is None:
                put_off.append(provider.target)
                continue
            for taken in _hand_over(provider, fetched.items, submit):
                accepted += taken.accepted
                duplicates += taken.duplicates
            if fetched.health.state != "waiting":
                kept = Kept(cursor=fetched.cursor, health=fetched.health)
                lake.put(cursor_key(provider.name, provider.target), msgspec.json.encode(kept))
            results.append((provider, fetched))
    return Round(
        fetched=sum(len(fetched.items) for _, fetched in results),
        accepted=accepted,
        duplicates=duplicates,
        health=[fetched.health for _, fetched in results],
        put_off=sorted(put_off),
    )


def in_turn(providers: Sequence[Provider], at: datetime) -> list[Provider]:
    """The targets, beginning with another one each minute: whoever is put off is not always the same."""
    first = int(at.timestamp() // 60) % max(len(providers), 1)
    return [*providers[first:], *providers[:first]]


def read_cursor(lake: Lake, provider: Provider) -> Cursor:
    """The kept cursor; a new one when there is none or it cannot be read."""
    content = lake.get(cursor_key(provider.name, provider.target))
    if content is None:
        return Cursor()
    try:
        return msgspec.json.decode(content, type=Kept).cursor
    except msgspec.DecodeError:
        return Cursor()


def read_health(lake: Lake, name: str) -> list[Health]:
    """The last health of every target of a provider."""
    found = []
    for key in lake.list(f"{CURSORS}/{name}/"):
        content = lake.get(key)
        if content is not None:
            found.append(msgspec.json.decode(content, type=Kept).health)
    return found


def _hand_over(provider: Provider, items: Sequence[Item], submit: Submit) -> Iterable[Taken]:
    for start in range(0, len(items), BATCH):
        raw = [msgspec.Raw(msgspec.json.encode(item)) for item in items[start : start + BATCH]]
        yield submit(provider.kind, raw, f"provider:{provider.name}")
