"""Probabilities and log-odds, clipped to [0.01, 0.99] as formula 2 asks."""

import math

LEAST_P, MOST_P = 0.01, 0.99


def log_odds(p: float) -> float:
    """ln(p/(1−p)) of p clipped to [0.01, 0.99]. Raises `ValueError` for what is no number."""
    _require_a_number(p)
    p = min(MOST_P, max(LEAST_P, p))
    return math.log(p / (1 - p))


def probability(log_odds_up: float) -> float:
    """σ(ℓ) = 1/(1+e^−ℓ), clipped to [0.01, 0.99]. Raises `ValueError` for what is no number."""
    _require_a_number(log_odds_up)
    if log_odds_up >= 0:
        p = 1 / (1 + math.exp(-min(log_odds_up, 700.0)))
    else:
        grown = math.exp(max(log_odds_up, -700.0))
        p = grown / (1 + grown)
    return min(MOST_P, max(LEAST_P, p))


def _require_a_number(value: float) -> None:
    # Clipping would take it for the least probability there is.
    if math.isnan(value):
        raise ValueError("a probability cannot be made of what is no number")
