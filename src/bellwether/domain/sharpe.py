"""Sharpe ratios, and what is left of one after the search that found it."""

import math
from collections.abc import Sequence
from statistics import NormalDist, fmean, variance

from bellwether.domain.trading_cost import TRADING_DAYS

EULER_MASCHERONI = 0.5772156649015329
_NORMAL = NormalDist()


def sharpe(returns: Sequence[float]) -> float | None:
    """Mean over standard deviation of the returns, per period (Sharpe 1994, "The Sharpe ratio").

    The deviation has n−1 below it. `None` below two returns or when they do not vary.
    """
    if len(returns) < 2:
        return None
    deviation = math.sqrt(variance(returns))
    return fmean(returns) / deviation if deviation > 1e-15 else None


def annualised(ratio: float | None, periods: int = TRADING_DAYS) -> float | None:
    """A ratio per period times √periods, as for independent returns."""
    return None if ratio is None else ratio * math.sqrt(periods)


def skewness(values: Sequence[float]) -> float:
    """Third standardised moment, divided by n; 0 when the values do not vary."""
    return _standardised(values, 3) or 0.0


def kurtosis(values: Sequence[float]) -> float:
    """Fourth standardised moment, divided by n (Pearson: 3 for a normal); 3 when the values do not vary."""
    return _standardised(values, 4) or 3.0


def _standardised(values: Sequence[float], order: int) -> float | None:
    if len(values) < 2:
        return None
    mean = fmean(values)
    second = fmean([(value - mean) ** 2 for value in values])
    if second <= 1e-30:
        return None
    moment: float = fmean([(value - mean) ** order for value in values]) / second ** (order / 2)
    return moment


def probabilistic_sharpe(returns: Sequence[float], threshold: float = 0.0) -> float | None:
    """The probability that the true Sharpe ratio (per period) is above `threshold`.

    PSR = Φ((SR−SR*)·√(n−1) / √(1 − γ₃·SR + (γ₄−1)/4·SR²)), γ₄ Pearson kurtosis (Bailey & López de Prado, "The
    Sharpe ratio efficient frontier", Journal of Risk 2012). `None` where the ratio is undefined.
    """
    ratio = sharpe(returns)
    if ratio is None:
        return None
    spread = 1 - skewness(returns) * ratio + (kurtosis(returns) - 1) / 4 * ratio * ratio
    if spread <= 0:
        return None
    return _NORMAL.cdf((ratio - threshold) * math.sqrt(len(returns) - 1) / math.sqrt(spread))


def expected_best(trials: Sequence[float]) -> float:
    """The highest Sharpe ratio to be expected of so many trials without any skill.

    √V·((1−γ)·Φ⁻¹(1−1/N) + γ·Φ⁻¹(1−1/(N·e))), V the variance of the trials' ratios, γ Euler–Mascheroni's
    constant; 0 below two trials.
    """
    n = len(trials)
    if n < 2:
        return 0.0
    first = _NORMAL.inv_cdf(1 - 1 / n)
    second = _NORMAL.inv_cdf(1 - 1 / (n * math.e))
    return math.sqrt(variance(trials)) * ((1 - EULER_MASCHERONI) * first + EULER_MASCHERONI * second)


def deflated_sharpe(returns: Sequence[float], trials: Sequence[float]) -> float | None:
    """The probability that the Sharpe ratio is above the best of as many trials without skill.

    `trials` are the ratios per period of all configurations tried, this one among them. Bailey & López de
    Prado, "The deflated Sharpe ratio", Journal of Portfolio Management 2014. `None` where undefined.
    """
    return probabilistic_sharpe(returns, expected_best(trials))
