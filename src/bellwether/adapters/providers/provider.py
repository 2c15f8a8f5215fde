"""What a provider of items is: somewhere to fetch from, a cursor to go on from, and how it went."""

from datetime import datetime
from typing import Literal, Protocol

from msgspec import Struct

from bellwether.domain.items import Instant, Item, Kind

State = Literal["ok", "unchanged", "waiting", "failing"]


class Cursor(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Where the last fetch left off.

    `seen` holds short digests of the ids the last document had, so that what is in a feed for days is
    handed on once. `since` is the newest moment that was read up to and `since_id` the newest id, where the
    provider has such. A read that was longer than one fetch goes on at `page`; `first_id` is the newest id of
    its first page, and becomes `since_id` when it is through, never before.
    `not_before` is when the provider wants to be asked again at the earliest.
    """

    etag: str | None = None
    last_modified: str | None = None
    seen: tuple[str, ...] = ()
    since: Instant | None = None
    since_id: str | None = None
    page: str | None = None
    first_id: str | None = None
    pages: int = 0
    not_before: Instant | None = None
    failures: int = 0


class Cost(Struct, frozen=True, kw_only=True):
    """What a fetch took: calls that were made, and US dollars the provider charges for them."""

    calls: int = 0
    dollars: float = 0.0


class Health(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How one fetch went. `code` is stable, `detail` a sentence; both are safe to show."""

    provider: str
    target: str
    state: State
    checked_at: Instant
    code: str | None = None
    detail: str | None = None
    items: int = 0
    refused: int = 0
    failures: int = 0
    milliseconds: float = 0.0


class Fetched(Struct, frozen=True, kw_only=True):
    """New items in the order of the provider, the cursor for the next time, what it took and how it went."""

    items: list[Item]
    cursor: Cursor
    health: Health
    cost: Cost = Cost()


class Provider(Protocol):
    """One target of one provider. `name` and `target` together are unique."""

    @property
    def name(self) -> str:
        """The provider: `rss`, `reddit`."""

    @property
    def target(self) -> str:
        """What is fetched: an address, a subreddit."""

    @property
    def kind(self) -> Kind:
        """What its items are."""

    def fetch(self, cursor: Cursor, at: datetime) -> Fetched:
        """Fetches what is new. Never raises for what the provider does; its health says so instead."""
