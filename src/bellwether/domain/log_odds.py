"""Probabilities and log-odds, clipped to [0.01, 0.99] as formula 2 asks."""

import math

LEAST_P, MOST_P = 0.01, 0.99


def log_odds(p: float) -> float:
    """ln(p/(1−p)) of p clipped to [0.01, 0.99]. Raises `ValueError` for what is no number."""
    if not LEAST_P <= p <= MOST_P:
        p = _clipped(p)
    return math.log(p / (1 - p))


def probability(log_odds_up: float) -> float:
    """σ(ℓ) = 1/(1+e^−ℓ), clipped to [0.01, 0.99]. Raises `ValueError` for what is no number."""
    # the exponent is never positive: nothing overflows
    if log_odds_up >= 0:
        p = 1 / (1 + math.exp(-log_odds_up))
    else:
        grown = math.exp(log_odds_up)
        p = grown / (1 + grown)
    return p if LEAST_P <= p <= MOST_P else _clipped(p)


def _clipped(p: float) -> float:
    if math.isnan(p):
        # Clipping would take it for the least probability there is.
        raise ValueError("a probability cannot be made of what is no number")
    return min(MOST_P, max(LEAST_P, p))
