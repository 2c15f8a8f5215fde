"""An agent's track record from columns: what `domain.track_record.track_record` says of single forecasts."""

from datetime import date
from math import isnan

import numpy as np

from bellwether.backtest.by_day import ByDay
from bellwether.backtest.columns import Flags, Floats, Ints
from bellwether.backtest.forecasts import Outcomes
from bellwether.backtest.records import Settings
from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.calibration import BINS, brier_skill
from bellwether.domain.clustered_error import clustered_error, error_of_day_sums, trading_day
from bellwether.domain.outcomes import AgentTrackRecord, BrierParts
from bellwether.domain.reliability import reliability_of
from bellwether.domain.track_record import SAME_DAY_CORRELATION, Followed
from bellwether.domain.trading_cost import fixed_round_trip


def agent_record(config: AgentConfig, resolved: Outcomes, settings: Settings) -> AgentTrackRecord:
    """How an agent's forecasts did, against the base rates known when they were made, and the benchmark."""
    made = resolved.forecasts
    own = resolved.take(np.empty(0, np.int64))
    p_up = np.empty(0)
    if config.agent_id in made.agents:
        row = made.agents.index(config.agent_id)
        own = resolved.take(np.flatnonzero(made.spoke[row]))
        p_up = own.forecasts.agent_p_up[row]
    return _Record(config, own, p_up, settings).record()


class _Record:
    """One agent's forecasts: its own probabilities beside what came of them."""

    def __init__(self, config: AgentConfig, own: Outcomes, p_up: Floats, settings: Settings) -> None:
        self._config, self._own, self._p_up, self._settings = config, own, p_up, settings
        self._by_day = ByDay(own.forecasts.day)
        self._trading_days = [trading_day(date.fromordinal(day)) for day in self._by_day.days.tolist()]

    def record(self) -> AgentTrackRecord:
        made, up, p_up = self._own.forecasts, self._own.went_up, self._p_up
        squares, reference = (p_up - up) ** 2, (made.base_rate - up) ** 2
        day_sizes = self._by_day.counts
        score, score_of_base = _mean(squares), _mean(reference)
        ic = self._information_coefficients()
        money = self._followed()
        parts, ece = _brier_parts(p_up, up), _calibration_error(p_up, up)
        return AgentTrackRecord(
            agent_id=self._config.agent_id,
            resolved=len(p_up),
            independent=float(
                (day_sizes / (1 + (day_sizes - 1) * SAME_DAY_CORRELATION)).sum() / self._settings.horizon
            ),
            brier=score,
            brier_reference=score_of_base,
            brier_skill=brier_skill(score, score_of_base),
            reliability=reliability_of(self._config),
            hit_rate=_mean((p_up > 0.5) == up),
            information_coefficient=sum(value for _, value in ic) / len(ic) if ic else None,
            information_coefficient_error=clustered_error(ic, horizon=self._settings.horizon),
            information_coefficient_dates=len({day for day, _ in ic}),
            ece=ece,
            parts=parts,
            version=self._config.version,
            followed=money.forecasts,
            relative_return=money.mean,
            relative_return_error=money.error,
            relative_return_net=money.net,
            brier_gain=_mean(reference - squares),
            brier_gain_error=self._error(reference - squares),
            return_share=self._return_share(),
        )

    def _information_coefficients(self) -> list[tuple[int, float]]:
        """Each day's, by trading day."""
        daily = self._by_day.spearman(self._p_up - self._own.forecasts.base_rate, self._own.value)
        pairs = zip(self._trading_days, daily.tolist(), strict=True)
        return [(day, value) for day, value in pairs if not isnan(value)]

    def _error(self, values: Floats, among: Flags | None = None) -> float | None:
        """The clustered standard error of the mean of values, or of some of them."""
        chosen = np.ones(len(values), np.bool_) if among is None else among
        n = int(chosen.sum())
        if not n:
            return None
        deviations = np.where(chosen, values - values[chosen].mean(), 0.0)
        sums: dict[int, float] = {}
        pairs = zip(self._by_day.sums(deviations).tolist(), self._by_day.sums(chosen).tolist(), strict=True)
        for day, (value, members) in zip(self._trading_days, pairs, strict=True):
            if members:
                sums[day] = sums.get(day, 0.0) + value
        return error_of_day_sums(sums, n, horizon=self._settings.horizon)

    def _followed(self) -> Followed:
        """`domain.track_record.followed`."""
        base = self._own.forecasts.base_rate
        relative = self._own.value - self._own.benchmark
        sided = ~np.isnan(relative) & (self._p_up != base)
        if not sided.any():
            return Followed()
        long = self._p_up > base
        gains = np.where(long, relative, -relative)
        costs, horizon = self._settings.costs, self._settings.horizon
        buying, selling = (fixed_round_trip(costs, side, horizon) for side in ("buy", "sell"))
        paid = np.where(long, buying, selling)
        return Followed(
            forecasts=int(sided.sum()),
            mean=float(gains[sided].mean()),
            error=self._error(gains, sided),
            net=float((gains - paid)[sided].mean()),
        )

    def _return_share(self) -> float | None:
        """As `domain.evaluation.attributed` shares out a return."""
        made = self._own.forecasts
        if not len(made):
            return None
        row = made.agents.index(self._config.agent_id)
        moved = np.where(made.spoke, np.abs(made.moved), 0.0).sum(axis=0)
        share = np.divide(made.moved[row], moved, out=np.zeros(len(moved)), where=moved > 0)
        return float((self._own.value * share).sum())


def _mean(values: Floats | Flags) -> float | None:
    return float(values.mean()) if len(values) else None


def _bins(p_up: Floats) -> Ints:
    return np.minimum(BINS - 1, (p_up * BINS).astype(np.int64))


def _binned(p_up: Floats, values: Floats | Flags) -> Floats:
    return np.bincount(_bins(p_up), weights=values, minlength=BINS).astype(np.float64)


def _calibration_error(p_up: Floats, up: Flags) -> float | None:
    """`domain.calibration.expected_calibration_error`."""
    return float(np.abs(_binned(p_up, up - p_up)).sum() / len(p_up)) if len(p_up) else None


def _brier_parts(p_up: Floats, up: Flags) -> BrierParts | None:
    """`domain.calibration.brier_parts`."""
    n = len(p_up)
    if not n:
        return None
    counts = np.bincount(_bins(p_up), minlength=BINS)
    mean, frequency = (_binned(p_up, of) / np.maximum(counts, 1) for of in (p_up, up))
    base = float(up.mean())
    off_p, off_o = p_up - mean[_bins(p_up)], up - frequency[_bins(p_up)]
    return BrierParts(
        reliability=float((counts * (mean - frequency) ** 2).sum() / n),
        resolution=float((counts * (frequency - base) ** 2).sum() / n),
        uncertainty=base * (1 - base),
        within=float((off_p**2 - 2 * off_p * off_o).mean()),
    )
