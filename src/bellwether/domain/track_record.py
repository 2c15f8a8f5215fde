"""An agent's track record, from the outcomes of what it forecast."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from datetime import date

from msgspec import Struct

from bellwether.domain.agents_config import AgentConfig
from bellwether.domain.calibration import brier, brier_parts, brier_skill, expected_calibration_error
from bellwether.domain.clustered_error import clustered_error, trading_day
from bellwether.domain.information_coefficient import information_coefficient, pearson
from bellwether.domain.limits import CostModel
from bellwether.domain.outcomes import AgentTrackRecord, Outcome
from bellwether.domain.reliability import reliability_of
from bellwether.domain.trading_cost import fixed_round_trip

SAME_DAY_CORRELATION = 0.25
"""How much assets' outcomes of one day go together: about the mean pairwise correlation of stocks."""
FEWEST_JOINT = 30
DEFAULT_COSTS = CostModel()

Key = tuple[str, date, int]


class Forecast(Struct, frozen=True, kw_only=True):
    """One agent's resolved forecast of one asset."""

    asset: str
    day: date
    horizon: int
    agent_version: int
    p_up: float
    base_rate: float
    went_up: bool
    forward_return: float
    relative_return: float | None = None
    return_share: float | None = None

    @property
    def key(self) -> Key:
        """What two agents' forecasts of the same thing share."""
        return self.asset, self.day, self.horizon


def distinct(outcomes: Iterable[Outcome]) -> list[Outcome]:
    """Outcomes by day, each asset, day and horizon once.

    A proposal and the score it came from are one forecast; kept scores are preferred.
    """
    chosen: dict[Key, Outcome] = {}
    for outcome in sorted(outcomes, key=lambda o: (o.scope != "score", o.outcome_id)):
        chosen.setdefault((outcome.asset, outcome.as_of.date(), outcome.horizon), outcome)
    return sorted(chosen.values(), key=lambda o: (o.as_of.date(), o.horizon, o.asset))


def forecasts_by_agent(outcomes: Iterable[Outcome]) -> dict[str, list[Forecast]]:
    """Every agent's forecasts by day, each asset, day and horizon once."""
    found: dict[str, list[Forecast]] = {}
    for outcome in distinct(outcomes):
        for part in outcome.attribution:
            found.setdefault(part.agent_id, []).append(
                Forecast(
                    asset=outcome.asset,
                    day=outcome.as_of.date(),
                    horizon=outcome.horizon,
                    agent_version=part.agent_version,
                    p_up=part.p_up,
                    base_rate=outcome.base_rate,
                    went_up=outcome.went_up,
                    forward_return=outcome.raw_return,
                    relative_return=outcome.relative_return,
                    return_share=part.return_share,
                )
            )
    return found


def independent_count(forecasts: Sequence[Forecast]) -> float:
    """How many independent forecasts the forecasts are worth.

    m forecasts of one day count m/(1 + (m−1)ρ) (Kish 1965, the design effect of clusters), ρ = 0.25;
    forecasts over h trading days overlap with those of the h−1 days before and count 1/h.
    """
    days = Counter((f.day, f.horizon) for f in forecasts)
    return sum(m / (1 + (m - 1) * SAME_DAY_CORRELATION) / horizon for (_, horizon), m in days.items())


class Followed(Struct, frozen=True, kw_only=True):
    """What following the side of an agent's view returned against the benchmark, a forecast (decimals)."""

    forecasts: int = 0
    mean: float | None = None
    error: float | None = None
    net: float | None = None


def followed(forecasts: Iterable[Forecast], costs: CostModel) -> Followed:
    """Buying what an agent puts above its base rate and selling what it puts below, each for its horizon.

    A view that takes no side, and a return without a benchmark, do not count. Net of the round trip's spread,
    commission and borrowing; market impact depends on a size nobody chose.
    """
    sided = [
        (f, 1 if f.p_up > f.base_rate else -1, f.relative_return)
        for f in forecasts
        if f.relative_return is not None and f.p_up != f.base_rate
    ]
    if not sided:
        return Followed()
    n = len(sided)
    gains = [sign * gain for _, sign, gain in sided]
    paid = [fixed_round_trip(costs, "buy" if sign > 0 else "sell", f.horizon) for f, sign, _ in sided]
    days = [trading_day(f.day) for f, _, _ in sided]
    longest = max(f.horizon for f, _, _ in sided)
    return Followed(
        forecasts=n,
        mean=sum(gains) / n,
        error=clustered_error(zip(days, gains, strict=True), horizon=longest),
        net=(sum(gains) - sum(paid)) / n,
    )


def track_record(
    config: AgentConfig, forecasts: Sequence[Forecast], costs: CostModel = DEFAULT_COSTS
) -> AgentTrackRecord:
    """How an agent's forecasts did, against the base rates known when they were made, and the benchmark."""
    probabilities = [f.p_up for f in forecasts]
    happened = [f.went_up for f in forecasts]
    n = len(forecasts)
    score = brier(probabilities, happened)
    reference = brier([f.base_rate for f in forecasts], happened)
    longest = max((f.horizon for f in forecasts), default=1)
    ic = information_coefficient(
        (((f.day, f.horizon), f.p_up - f.base_rate, f.forward_return) for f in forecasts),
        horizon=longest,
        day_of=lambda section: trading_day(section[0]),
    )
    gains = [(trading_day(f.day), _brier_gain(f)) for f in forecasts]
    money = followed(forecasts, costs)
    shares = [f.return_share for f in forecasts if f.return_share is not None]
    return AgentTrackRecord(
        agent_id=config.agent_id,
        resolved=n,
        independent=independent_count(forecasts),
        brier=score,
        brier_reference=reference,
        brier_skill=brier_skill(score, reference),
        reliability=reliability_of(config),
        hit_rate=sum((f.p_up > 0.5) == f.went_up for f in forecasts) / n if n else None,
        information_coefficient=ic.mean,
        information_coefficient_error=ic.error,
        information_coefficient_dates=ic.dates,
        ece=expected_calibration_error(probabilities, happened),
        parts=brier_parts(probabilities, happened),
        version=config.version,
        followed=money.forecasts,
        relative_return=money.mean,
        relative_return_error=money.error,
        relative_return_net=money.net,
        brier_gain=sum(gain for _, gain in gains) / n if n else None,
        brier_gain_error=clustered_error(gains, horizon=longest),
        return_share=sum(shares) if shares else None,
    )


def _brier_gain(forecast: Forecast) -> float:
    """How much better the forecast scored than the base rate alone."""
    happened = float(forecast.went_up)
    return (forecast.base_rate - happened) ** 2 - (forecast.p_up - happened) ** 2


def error_correlations(forecasts: Mapping[str, Sequence[Forecast]], agent_id: str) -> dict[str, float]:
    """Correlation of one agent's errors with each other agent's, from at least 30 common forecasts.

    An error here is p − mean(p | what happened): the plain p − o of two forecasters near ½ correlate by
    almost 1 whatever they know, because they share o. Given the outcome, independent agents are
    uncorrelated and their log-odds add; identical ones correlate by 1 and count once, which is what the
    pool's R asks.
    """
    own = {f.key: f for f in forecasts.get(agent_id, ())}
    found = {}
    for other, theirs in forecasts.items():
        joint = [(own[f.key], f) for f in theirs if f.key in own] if other != agent_id else []
        if len(joint) < FEWEST_JOINT:
            continue
        value = pearson(_errors([mine for mine, _ in joint]), _errors([their for _, their in joint]))
        if value is not None:
            found[other] = value
    return found


def _errors(forecasts: Sequence[Forecast]) -> list[float]:
    views = [f.p_up - f.base_rate for f in forecasts]
    means = {}
    for outcome in (True, False):
        of_class = [v for v, f in zip(views, forecasts, strict=True) if f.went_up is outcome]
        means[outcome] = sum(of_class) / len(of_class) if of_class else 0.0
    return [v - means[f.went_up] for v, f in zip(views, forecasts, strict=True)]
