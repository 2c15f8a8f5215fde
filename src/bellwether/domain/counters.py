"""Reading counters as OpenMetrics names them: `bellwether_items_total{kind="news"}`."""

import re
from collections.abc import Iterable, Mapping

_NAME = re.compile(r"^(?:bellwether_)?(\w+?)(?:_total)?(?:\{(.*)\})?$")
_LABEL = re.compile(r'(\w+)="([^"]*)"')


def named(counter: str) -> tuple[str, dict[str, str]]:
    """A counter's short name and labels: `bellwether_items_total{kind="news"}` is items of kind news."""
    match = _NAME.match(counter)
    if match is None:
        return counter, {}
    return match[1], dict(_LABEL.findall(match[2] or ""))


def summed(totals: Mapping[str, float]) -> dict[str, float]:
    """Counters by short name, summed over their labels."""
    sums: dict[str, float] = {}
    for counter, value in totals.items():
        name, _ = named(counter)
        sums[name] = sums.get(name, 0.0) + value
    return dict(sorted(sums.items()))


def spend(totals: Mapping[str, float]) -> dict[str, float]:
    """Counters of money and tokens, by short name."""
    return _only(summed(totals).items(), ("dollars", "usd", "tokens", "cost"))


def _only(pairs: Iterable[tuple[str, float]], words: tuple[str, ...]) -> dict[str, float]:
    return {name: value for name, value in pairs if any(word in name.split("_") for word in words)}
