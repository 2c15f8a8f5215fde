"""Tracked entities: what the desk watches and what proposals refer to."""

from typing import Annotated, Literal

from msgspec import Meta, Struct

EntityType = Literal["asset", "feed", "subreddit", "query", "portfolio", "provider"]
Symbol = Annotated[str, Meta(min_length=1, max_length=20, pattern=r"^[A-Z0-9][A-Z0-9.\-=^]*$")]


class Asset(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A tracked asset. `restricted` puts it on the restricted list: no proposal may touch it."""

    symbol: Symbol
    name: Annotated[str, Meta(min_length=1, max_length=200)]
    aliases: tuple[str, ...] = ()
    sector: str | None = None
    restricted: bool = False


class Feed(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """An RSS or Atom feed to read every five minutes."""

    url: Annotated[str, Meta(min_length=8, max_length=2_000, pattern=r"^https?://")]
    title: str | None = None


class Subreddit(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A subreddit whose public feed is read every minute."""

    name: Annotated[str, Meta(min_length=2, max_length=40, pattern=r"^\w+$")]


class Query(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Words the social providers are searched for every minute, in the provider's own search language."""

    text: Annotated[str, Meta(min_length=1, max_length=512, pattern=r"\S")]


class ProviderSwitch(Struct, frozen=True, kw_only=True):
    """Whether a provider is asked at all; one without a record is."""

    name: str
    enabled: bool


class Position(Struct, frozen=True, kw_only=True):
    """`quantity` in shares (negative is short), `cost` per share in the portfolio's currency."""

    symbol: Symbol
    quantity: float
    cost: Annotated[float, Meta(ge=0)]


class Portfolio(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What proposals are sized against and risk is measured on. `cash` in `currency`."""

    name: Annotated[str, Meta(min_length=1, max_length=80)]
    cash: float
    currency: Annotated[str, Meta(pattern=r"^[A-Z]{3}$")] = "USD"
    positions: tuple[Position, ...] = ()
