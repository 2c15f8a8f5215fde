"""Columns of figures, one place a forecast or a bar, and the few functions both sides of them need."""

import numpy as np
import numpy.typing as npt

from bellwether.domain.log_odds import LEAST_P, MOST_P

Floats = npt.NDArray[np.float64]
Ints = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

_FURTHEST = 700.0
"""Beyond it e^x leaves the range of a float; probabilities are clipped long before."""


def distinct(values: Ints) -> list[int]:
    """Each of the values once, ascending."""
    return sorted(set(values.tolist()))


def log_odds(p: Floats) -> Floats:
    """`domain.log_odds.log_odds` of each."""
    clipped = np.clip(p, LEAST_P, MOST_P)
    found: Floats = np.log(clipped / (1 - clipped))
    return found


def probability(log_odds_up: Floats) -> Floats:
    """`domain.log_odds.probability` of each. Raises `ValueError` for what is no number."""
    if np.isnan(log_odds_up).any():
        raise ValueError("a probability cannot be made of what is no number")
    found: Floats = 1 / (1 + np.exp(-np.clip(log_odds_up, -_FURTHEST, _FURTHEST)))
    return np.clip(found, LEAST_P, MOST_P)
