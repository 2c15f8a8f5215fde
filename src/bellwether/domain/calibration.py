"""How well forecasts match what happened: Brier score and its parts, calibration error, calibration fit."""

import math
from collections.abc import Sequence

from msgspec import Struct

from bellwether.domain.outcomes import BrierParts, CalibrationBin

BINS = 10
ITERATIONS = 50


def brier(forecasts: Sequence[float], happened: Sequence[bool]) -> float | None:
    """BS = mean((f−o)²) (Brier 1950); `None` without forecasts."""
    if not forecasts:
        return None
    return sum([(f - o) ** 2 for f, o in zip(forecasts, happened, strict=True)]) / len(forecasts)


def brier_skill(score: float | None, reference: float | None) -> float | None:
    """BSS = 1 − BS/BS_ref; `None` where either is undefined or the reference is perfect."""
    if score is None or not reference:
        return None
    return 1 - score / reference


def _binned(
    forecasts: Sequence[float], happened: Sequence[bool], bins: int
) -> list[list[tuple[float, bool]]]:
    grouped: list[list[tuple[float, bool]]] = [[] for _ in range(bins)]
    for f, o in zip(forecasts, happened, strict=True):
        grouped[min(bins - 1, int(f * bins))].append((f, o))
    return grouped


def calibration_bins(
    forecasts: Sequence[float], happened: Sequence[bool], bins: int = BINS
) -> list[CalibrationBin]:
    """The reliability diagram: `bins` bins of equal width over [0, 1], empty ones too."""
    table = []
    for number, members in enumerate(_binned(forecasts, happened, bins)):
        n = len(members)
        table.append(
            CalibrationBin(
                low=number / bins,
                high=(number + 1) / bins,
                n=n,
                mean_p=sum(f for f, _ in members) / n if n else None,
                frequency=sum(o for _, o in members) / n if n else None,
            )
        )
    return table


def expected_calibration_error(
    forecasts: Sequence[float], happened: Sequence[bool], bins: int = BINS
) -> float | None:
    """ECE = Σ nₖ/n·|ōₖ − f̄ₖ| over `bins` bins of equal width; `None` without forecasts.

    Naeini, Cooper, Hauskrecht 2015, "Obtaining well calibrated probabilities using Bayesian binning".
    """
    n = len(forecasts)
    if not n:
        return None
    gaps = [
        abs(sum(o for _, o in members) - sum(f for f, _ in members))
        for members in _binned(forecasts, happened, bins)
    ]
    return sum(gaps) / n


def brier_parts(forecasts: Sequence[float], happened: Sequence[bool], bins: int = BINS) -> BrierParts | None:
    """Murphy (1973), "A new vector partition of the probability score", over bins of equal width.

    `within` is within-bin variance less twice the within-bin covariance (Stephenson, Coelho, Jolliffe
    2008), so that reliability − resolution + uncertainty + within is the Brier score exactly. `None`
    without forecasts.
    """
    n = len(forecasts)
    if not n:
        return None
    base = sum(happened) / n
    reliability = resolution = within = 0.0
    for members in _binned(forecasts, happened, bins):
        if not members:
            continue
        size = len(members)
        mean = sum(f for f, _ in members) / size
        frequency = sum(o for _, o in members) / size
        reliability += size * (mean - frequency) ** 2
        resolution += size * (frequency - base) ** 2
        within += sum((f - mean) ** 2 - 2 * (f - mean) * (o - frequency) for f, o in members)
    return BrierParts(
        reliability=reliability / n,
        resolution=resolution / n,
        uncertainty=base * (1 - base),
        within=within / n,
    )


class Calibration(Struct, frozen=True, kw_only=True):
    """How well p_up matched what happened over `n` forecasts."""

    n: int
    hit_rate: float | None
    brier: float | None
    ece: float | None
    bins: list[CalibrationBin]


def calibration(forecasts: Sequence[float], happened: Sequence[bool]) -> Calibration:
    """All figures at once; undefined ones are `None`."""
    n = len(forecasts)
    hits = sum((f > 0.5) == o for f, o in zip(forecasts, happened, strict=True))
    return Calibration(
        n=n,
        hit_rate=hits / n if n else None,
        brier=brier(forecasts, happened),
        ece=expected_calibration_error(forecasts, happened),
        bins=calibration_bins(forecasts, happened),
    )


class Fit(Struct, frozen=True):
    """log-odds of going up = offset + intercept + slope·x."""

    intercept: float
    slope: float


def _sigmoid(z: float) -> float:
    return 1 / (1 + math.exp(-z)) if z >= 0 else math.exp(z) / (1 + math.exp(z))


def _loss(z: Sequence[float], happened: Sequence[bool]) -> float:
    return sum(max(v, 0.0) - v * o + math.log1p(math.exp(-abs(v))) for v, o in zip(z, happened, strict=True))


def fit_logistic(
    readings: Sequence[float],
    happened: Sequence[bool],
    offsets: Sequence[float] | None = None,
    *,
    ridge: float = 1.0,
) -> Fit | None:
    """Logistic calibration (Platt 1999; Cox 1958) of raw readings against what happened, by Newton's method.

    `offsets` are known log-odds (of the base rates) that the fit adds to. `ridge` adds ½·ridge·(intercept²
    + slope²) to the negative log-likelihood and keeps separable data finite. `None` without any variation
    in the readings or the outcomes.
    """
    if len(set(readings)) < 2 or len(set(happened)) < 2:
        return None
    known = offsets if offsets is not None else [0.0] * len(readings)
    a = b = 0.0

    def penalised(a: float, b: float) -> float:
        z = [c + a + b * x for c, x in zip(known, readings, strict=True)]
        return _loss(z, happened) + ridge * (a * a + b * b) / 2

    current = penalised(a, b)
    for _ in range(ITERATIONS):
        step_a, step_b = _newton_step(readings, happened, known, a, b, ridge)
        scale = 1.0
        while scale > 1e-8 and penalised(a - scale * step_a, b - scale * step_b) > current:
            scale /= 2
        a, b = a - scale * step_a, b - scale * step_b
        before, current = current, penalised(a, b)
        if before - current < 1e-12 * (1 + abs(current)):
            break
    return Fit(intercept=a, slope=b)


def _newton_step(
    readings: Sequence[float],
    happened: Sequence[bool],
    offsets: Sequence[float],
    a: float,
    b: float,
    ridge: float,
) -> tuple[float, float]:
    """The Newton step of the penalised negative log-likelihood in (intercept, slope)."""
    grad_a, grad_b, aa, ab, bb = ridge * a, ridge * b, ridge, 0.0, ridge
    for x, o, c in zip(readings, happened, offsets, strict=True):
        p = _sigmoid(c + a + b * x)
        weight = p * (1 - p)
        grad_a += p - o
        grad_b += (p - o) * x
        aa += weight
        ab += weight * x
        bb += weight * x * x
    determinant = aa * bb - ab * ab
    if determinant <= 1e-300:
        return 0.0, 0.0
    return (bb * grad_a - ab * grad_b) / determinant, (aa * grad_b - ab * grad_a) / determinant
