"""What an agent's signals of the last days add up to at a moment: the within-agent half of formula 2."""

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

from msgspec import Struct

from bellwether.domain.day_sums import SHORTEST_HALF_LIFE
from bellwether.domain.decay import LONGEST_LIFE, day_start, hours_between, live_hours
from bellwether.domain.signals import day_of
from bellwether.domain.state import AgentSums, AssetDay


class Evidence(Struct, frozen=True, kw_only=True):
    """One agent's live evidence: `mass` M = Σu, `mean` ℓᵢ = Σuℓ/Σu relative to an even base rate (0 when M is
    0), `spread` the u-weighted variance of its clusters' log-odds, `independent` = (Σu)²/Σu², the number of
    equally weighted clusters that would say as much (Kish 1965). `signals` counts all, with copies and
    abstentions.
    """

    mass: float = 0.0
    mean: float = 0.0
    spread: float = 0.0
    independent: float = 0.0
    signals: int = 0
    clusters: int = 0


def first_live_day(as_of: datetime) -> str:
    """The first day of knowledge (`yyyymmdd`) a score at `as_of` reads."""
    return day_of(as_of - LONGEST_LIFE + timedelta(days=1))


def live(sums: AgentSums, start: datetime, as_of: datetime) -> bool:
    """Whether sums of the day that began at `start` are still read at `as_of` (see `live_at`)."""
    return live_at(sums, hours_between(start, as_of))


def live_at(sums: AgentSums, age: float) -> bool:
    """Whether a day's sums are still read `age` hours after the day began.

    A day's sums go together, when their newest event has faded below 0.01; until then an older event of the
    same day is read with a decay of 0.01·2^(−24 h/half-life) at the least.
    """
    newest = sums.newest if sums.newest is not None else 24.0
    return age - newest <= live_hours(sums.half_life)


def live_days(days: Iterable[AssetDay], as_of: datetime) -> list[AssetDay]:
    """The days of which at least one agent's sums are still read."""
    return [day for day in days if any(live(sums, day_start(day.day), as_of) for sums in day.agents.values())]


def gather(days: Iterable[AssetDay], agent_id: str, as_of: datetime) -> Evidence:
    """The agent's evidence at `as_of`, from the day sums: equal to the explicit decayed sums over its
    signals.

    Forward-decayed sums (Cormode et al. 2009) are multiplied by 2^(−(as_of−landmark)/half-life).
    """
    mass = mean = square = squared_mass = 0.0
    signals = clusters = 0
    for day in days:
        age = hours_between(day_start(day.day), as_of)
        for key, sums in day.agents.items():
            if not live_at(sums, age) or key.rpartition("@")[0] != agent_id:
                continue
            faded = 2.0 ** (-age / max(sums.half_life, SHORTEST_HALF_LIFE))
            mass += sums.weight * faded
            mean += sums.weighted_log_odds * faded
            square += sums.weighted_square * faded
            squared_mass += sums.squared_weight * faded * faded
            signals += sums.signals
            clusters += sums.clusters
    if mass <= 0 or squared_mass <= 0 or not math.isfinite(mass):
        return Evidence(signals=signals, clusters=clusters)
    mean /= mass
    return Evidence(
        mass=mass,
        mean=mean,
        spread=max(0.0, square / mass - mean * mean),
        independent=mass * mass / squared_mass,
        signals=signals,
        clusters=clusters,
    )
