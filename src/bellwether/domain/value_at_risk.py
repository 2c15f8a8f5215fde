"""Value at risk and expected shortfall. Returns are decimals, losses are positive, undefined is `None`."""

import math
from collections.abc import Sequence
from functools import lru_cache

from msgspec import Struct


class TailLoss(Struct, frozen=True):
    """Historical VaR and ES at one confidence over `n` returns."""

    var: float
    es: float
    n: int


def tail_size(n: int, confidence: float) -> float:
    """k = (1−β)n, with 1−β taken in millionths so that 5 % of 100 is 5 and not 5.000000000000004."""
    return n * round((1 - confidence) * 1_000_000) / 1_000_000


def historical_of_ascending(ascending: Sequence[float], confidence: float) -> TailLoss | None:
    """`historical` for returns that are sorted already (the caller that needs several β sorts once)."""
    n = len(ascending)
    k = tail_size(n, confidence)
    if k < 1:
        return None
    ik = max(0, math.ceil(k) - 1)
    quantile = ascending[ik]
    shortfall = -sum(ascending[:ik]) / k + quantile * (ik / k - 1)
    return TailLoss(var=-quantile, es=shortfall, n=n)


def historical(returns: Sequence[float], confidence: float) -> TailLoss | None:
    """Historical VaR and ES at confidence β in (0, 1).

    k = (1−β)n, ik = max(0, ⌈k⌉−1), ascending x: VaR = −x[ik], ES = −Σx[0..ik−1]/k + x[ik](ik/k−1), the
    discrete expected shortfall of Rockafellar & Uryasev (2002), "Conditional value-at-risk for general loss
    distributions". `None` when n < 1/(1−β): the tail would hold no observation.
    """
    return historical_of_ascending(sorted(returns), confidence)


@lru_cache(maxsize=16)
def normal_quantile(probability: float) -> float:
    """The standard normal quantile."""
    from statistics import NormalDist

    return NormalDist().inv_cdf(probability)


class Moments(Struct, frozen=True):
    """Mean, standard deviation (n), skewness and excess kurtosis (population moments)."""

    mean: float
    deviation: float
    skewness: float
    excess_kurtosis: float


def moments(returns: Sequence[float]) -> Moments | None:
    """Population moments; `None` below four values or without variation."""
    n = len(returns)
    if n < 4:
        return None
    mean = sum(returns) / n
    squares = [(r - mean) ** 2 for r in returns]
    variance = sum(squares) / n
    # Rounding alone leaves about 1e-16 of the mean's square in a constant series.
    if variance <= 1e-24 + 1e-15 * mean * mean:
        return None
    deviation = math.sqrt(variance)
    skewness = sum(s * (r - mean) for s, r in zip(squares, returns, strict=True)) / n / deviation**3
    kurtosis = sum(s * s for s in squares) / n / variance**2 - 3
    return Moments(mean=mean, deviation=deviation, skewness=skewness, excess_kurtosis=kurtosis)


def in_cornish_fisher_domain(skewness: float, excess_kurtosis: float) -> bool:
    """Whether the expansion keeps quantiles in order.

    Maillard 2012, "A user's guide to the Cornish Fisher expansion":
    dz′/dz = z²(K/8 − S²/6) + zS/3 + 1 − K/8 + 5S²/36 must not change its sign for any z, so its discriminant
    S²/9 − 4(K/8 − S²/6)(1 − K/8 + 5S²/36) must not be positive and its ends must point up.
    """
    leading = excess_kurtosis / 8 - skewness**2 / 6
    constant = 1 - excess_kurtosis / 8 + 5 * skewness**2 / 36
    return leading >= 0 and constant > 0 and skewness**2 / 9 <= 4 * leading * constant


def cornish_fisher(returns: Sequence[float], confidence: float) -> float | None:
    """Cornish–Fisher VaR: −(μ + σz′) with z′ = z + (z²−1)S/6 + (z³−3z)K/24 − (2z³−5z)S²/36, z = Φ⁻¹(1−β).

    `None` outside the domain of validity, below four returns or without variation: use `historical` then.
    """
    m = moments(returns)
    if m is None or not in_cornish_fisher_domain(m.skewness, m.excess_kurtosis):
        return None
    z, s, k = normal_quantile(round(1 - confidence, 12)), m.skewness, m.excess_kurtosis
    adjusted = z + (z**2 - 1) * s / 6 + (z**3 - 3 * z) * k / 24 - (2 * z**3 - 5 * z) * s**2 / 36
    return -(m.mean + m.deviation * adjusted)
