"""What calls to data providers cost: the desk's own meter, which no bill of AWS shows."""

import math
from collections import Counter
from collections.abc import Iterable, Mapping

import msgspec

from bellwether.adapters.providers.provider import Health
from bellwether.handlers.figures import record


def read_prices(text: str) -> dict[str, float]:
    """US dollars a call by provider, from a JSON object. Raises `ValueError` for anything else: a meter that
    cannot be read must stop the deployment, not run at nothing.
    """
    try:
        prices = msgspec.json.decode(text, type=dict[str, float])
    except msgspec.DecodeError as fault:
        raise ValueError(f"PROVIDER_PRICES is not a JSON object of numbers: {fault}") from None
    if not all(math.isfinite(price) and price >= 0 for price in prices.values()):
        raise ValueError("PROVIDER_PRICES holds a price that is none")
    return prices


def spent(health: Iterable[Health], prices: Mapping[str, float]) -> dict[str, tuple[int, int, float]]:
    """By provider: calls that were made, targets that keep failing, dollars.

    A provider without a price is free. A target that was only waited for was not called.
    """
    calls, failing = Counter[str](), Counter[str]()
    for one in health:
        calls[one.provider] += one.state != "waiting"
        failing[one.provider] += one.state == "failing"
    return {name: (calls[name], failing[name], calls[name] * prices.get(name, 0.0)) for name in calls}


def tell(spending: Mapping[str, tuple[int, int, float]]) -> None:
    """The figures of a round, a line for each provider."""
    for provider, (calls, failing, dollars) in sorted(spending.items()):
        record(
            {"provider": provider},
            ProviderCalls=calls,
            ProviderFailures=failing,
            ProviderDollars=dollars,
        )
