"""Which providers of prices can be asked, by the keys there are, in the order they are asked in."""

from collections.abc import Callable, Collection, Mapping

from bellwether.adapters.providers.guarded_http import Refused
from bellwether.adapters.providers.prices.alphavantage import AlphaVantage
from bellwether.adapters.providers.prices.asking import PriceProvider
from bellwether.adapters.providers.prices.polygon import Polygon
from bellwether.adapters.providers.prices.stooq import Stooq
from bellwether.adapters.providers.prices.tiingo import Tiingo
from bellwether.adapters.providers.sources import Sources

SECRET = "prices"  # noqa: S105  the name of a secret, not one

KEY_MEMBERS: Mapping[str, str] = {
    "tiingo": "tiingo_api_key",
    "polygon": "polygon_api_key",
    "alphavantage": "alphavantage_key",
    "stooq": "stooq_api_key",
}
"""Members of the secret `prices` by provider, in the order the providers are asked in. Stooq alone can do
without. Alpha Vantage's is of this secret too, so that who reads prices need not read the keys of news."""

_WITH_KEY: Mapping[str, Callable[..., PriceProvider]] = {
    "tiingo": Tiingo,
    "polygon": Polygon,
    "alphavantage": AlphaVantage,
}


def price_provider(name: str, sources: Sources, *, patience: float) -> PriceProvider | None:
    """The provider of that name, `None` when it needs a key and there is none. Raises `Refused` for a key
    that is none, `KeyError` for a name nobody has."""
    key = key_of(name, sources)
    if name == "stooq":
        return Stooq(sources, patience=patience, key=key)
    return _WITH_KEY[name](key, sources, patience=patience) if key else None


def price_providers(
    sources: Sources, *, patience: float, but: Collection[str] = ()
) -> tuple[list[PriceProvider], dict[str, Refused]]:
    """All that can be asked, in order, `but` some, and those whose key is none."""
    usable: list[PriceProvider] = []
    refused: dict[str, Refused] = {}
    for name in KEY_MEMBERS:
        if name in but:
            continue
        try:
            made = price_provider(name, sources, patience=patience)
        except Refused as fault:
            refused[name] = fault
            continue
        if made is not None:
            usable.append(made)
    return usable, refused


def key_of(name: str, sources: Sources) -> str | None:
    """The provider's key, `None` without one."""
    told = sources.keys.get(SECRET, {}).get(KEY_MEMBERS[name])
    return told.strip() or None if isinstance(told, str) else None
