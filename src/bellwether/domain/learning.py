"""What an agent's outcomes change in its configuration: a new version, a small step a day, its reason."""

import math
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta

from msgspec.structs import replace

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.calibration import Fit, fit_logistic
from bellwether.domain.log_odds import log_odds
from bellwether.domain.outcomes import AgentTrackRecord
from bellwether.domain.problems import NotFound
from bellwether.domain.reliability import calibrated, reliability_of, shrunk_reliability, slope_of
from bellwether.domain.track_record import Forecast

RELIABILITY_STEP = 0.05
SLOPE_STEP = 0.05
INTERCEPT_STEP = 0.02
CORRELATION_STEP = 0.10
MOST_SLOPE = 2.0
A_DAY = timedelta(days=1)

VersionOf = Callable[[int], AgentConfig]


def within_step(value: float, before: float, step: float) -> float:
    """`value`, no further than `step` from `before`."""
    return min(before + step, max(before - step, value))


def in_force_a_day_ago(versions: Sequence[AgentConfig], at: datetime, default: AgentConfig) -> AgentConfig:
    """The version every change of the day is measured against, however often the evaluation runs that day.

    A way back counts from the moment it is made: measured against what was in force before it, the next
    night would undo it in one leap. `versions` are oldest first.
    """
    a_day_ago = at - A_DAY
    return next(
        (
            version
            for version in reversed(versions)
            if version.created_at <= a_day_ago or (version.back_to is not None and version.created_at <= at)
        ),
        default,
    )


def raw_reading(forecast: Forecast, version: AgentConfig) -> float | None:
    """The agent's reading behind a forecast, from the calibration it was made with; `None` when that was
    flat.

    Undoes ℓ − ℓ₀ = √(shorter/longer horizon)·(intercept + slope·raw).
    """
    slope = slope_of(version)
    if slope == 0:
        return None
    carried = math.sqrt(min(version.horizon, forecast.horizon) / max(version.horizon, forecast.horizon))
    view = (log_odds(forecast.p_up) - log_odds(forecast.base_rate)) / carried
    return (view - (version.intercept if calibrated(version) else 0.0)) / slope


def fitted(forecasts: Sequence[Forecast], version_of: VersionOf) -> Fit | None:
    """Logistic calibration of the agent's readings on what happened, the base rates' log-odds as offset."""
    readings, happened, offsets = [], [], []
    for forecast in forecasts:
        raw = raw_reading(forecast, version_of(forecast.agent_version))
        if raw is not None:
            readings.append(raw)
            happened.append(forecast.went_up)
            offsets.append(log_odds(forecast.base_rate))
    return fit_logistic(readings, happened, offsets)


def learned(
    current: AgentConfig,
    *,
    before: AgentConfig,
    record: AgentTrackRecord,
    fit: Fit | None,
    correlations: Mapping[str, float],
    at: datetime,
) -> AgentConfig | None:
    """The next version of a configuration; `None` when there is nothing to learn from or nothing changes.

    Reliability is the Brier skill score clipped to [0, 1] and shrunk n/(n+k) toward the prior, slope and
    intercept are the fit's, shrunk alike toward the prior slope and 0; n counts independent outcomes. Each
    moves at most one step from what was in force a day `before`.
    """
    n = int(record.independent)
    if n < 1:
        return None
    target = shrunk_reliability(
        record.brier_skill, n, prior=current.prior_reliability, strength=current.shrinkage
    )
    trust = n / (n + current.shrinkage)
    slope, intercept = current.prior_slope, 0.0
    if fit is not None:
        slope = trust * max(-MOST_SLOPE, min(MOST_SLOPE, fit.slope)) + (1 - trust) * current.prior_slope
        intercept = trust * fit.intercept
    old = reliability_of(before)
    changed = replace(
        current,
        resolved=n,
        brier_skill=record.brier_skill,
        reliability=within_step(target, old, RELIABILITY_STEP),
        slope=within_step(slope, slope_of(before), SLOPE_STEP),
        intercept=within_step(intercept, before.intercept if calibrated(before) else 0.0, INTERCEPT_STEP),
        error_correlation=_stepped(correlations, before.error_correlation),
    )
    if changed == current:
        return None
    return replace(
        changed,
        version=current.version + 1,
        created_at=at,
        reason=_reason(record, old, target, changed),
        changed_by="",
        back_to=None,
    )


def _stepped(measured: Mapping[str, float], before: Mapping[str, float]) -> dict[str, float]:
    return {
        other: within_step(value, before[other], CORRELATION_STEP) if other in before else value
        for other, value in sorted(measured.items())
    }


def _reason(record: AgentTrackRecord, old: float, target: float, changed: AgentConfig) -> str:
    skill = "undefined" if record.brier_skill is None else f"{record.brier_skill:.4f}"
    return (
        f"{record.resolved} outcomes, worth {changed.resolved} independent ones: Brier skill {skill}, "
        f"reliability {old:.4f} to {changed.reliability:.4f} (aim {target:.4f}), slope {changed.slope:.4f}"
    )


def gone_back(
    versions: Sequence[AgentConfig], to_version: int, *, at: datetime, reason: str, changed_by: str = ""
) -> AgentConfig:
    """A new version that says again what an earlier one said. Raises `NotFound`.

    Whether the agent is switched on stays as it is now: to go back in learning is not to switch on.
    """
    earlier = next((version for version in versions if version.version == to_version), None)
    if earlier is None:
        raise NotFound(f"there is no version {to_version}")
    newest = max(versions, key=lambda version: version.version)
    return replace(
        earlier,
        version=newest.version + 1,
        created_at=at,
        enabled=newest.enabled,
        reason=f"back to version {to_version}: {reason}",
        changed_by=changed_by,
        back_to=to_version,
    )


def switched(
    current: AgentConfig, *, enabled: bool, at: datetime, reason: str, changed_by: str
) -> AgentConfig:
    """A new version that differs from the current one in being switched on or off."""
    return replace(
        current,
        version=current.version + 1,
        created_at=at,
        enabled=enabled,
        reason=f"switched {'on' if enabled else 'off'}: {reason}",
        changed_by=changed_by,
        back_to=None,
    )
