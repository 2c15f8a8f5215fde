"""The desk's limits, costs and sizing policy: what the risk checks and the sizing are held to.

One typed value with defaults, read from the desk's controls before every proposal, check and decision.
Fractions are of the portfolio's equity unless the name says otherwise.
"""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from bellwether.domain.problems import InvalidInput
from bellwether.domain.proposals import DeskState

Share = Annotated[float, Meta(ge=0, le=1)]
Positive = Annotated[float, Meta(gt=0)]
NotNegative = Annotated[float, Meta(ge=0)]
Days = Annotated[int, Meta(ge=1, le=2_000)]


class RiskLimits(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What no order may exceed.

    `position` caps an asset's holding after the order; `asset_concentration` caps the same with every open
    proposal counted as if it were filled, `sector_concentration` so for the asset's sector. `var_95` and
    `es_97_5` are one-day losses. `var_method` "cornish_fisher" falls back to "historical" outside the
    expansion's domain. `stale_price_days` are calendar days between the last known bar and `as_of` (5 spans
    Easter). `author_share`, `cluster_share` and `young_author_share` are shares of the items behind a score;
    `campaign_accounts` young accounts that repeat one text, or speak up within six hours, are a campaign when
    they also make up more than `young_author_share` of those who do.
    """

    position: Share = 0.05
    gross_exposure: NotNegative = 1.5
    net_exposure: NotNegative = 1.0
    asset_concentration: Share = 0.10
    sector_concentration: Share = 0.30
    var_95: Share = 0.02
    es_97_5: Share = 0.03
    var_days: Days = 500
    var_method: Literal["historical", "cornish_fisher"] = "historical"
    drawdown: Share = 0.15
    drawdown_days: Days = 63
    volume_share: Share = 0.02
    volume_days: Days = 20
    stale_price_days: NotNegative = 5.0
    stale_signal_hours: NotNegative = 72.0
    cooldown_hours: NotNegative = 6.0
    unproven_position: Share = 0.01
    author_share: Share = 0.5
    cluster_share: Share = 0.5
    young_author_share: Share = 0.5
    campaign_accounts: Annotated[int, Meta(ge=2, le=10_000)] = 20
    two_approvers_above: NotNegative = 50_000.0
    approval_drift: Share = 0.05
    expires_after_hours: Positive = 24.0


class CostModel(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What trading costs. Fractions of the notional, one way; defaults are those of liquid US shares.

    `impact` scales the square-root law: cost = impact · daily volatility · √(order / average daily volume)
    (Almgren, Thum, Hauptmann, Li 2005 find an exponent near 0.6; the square root is the usual convention).
    `borrow_per_year` is paid on short positions.
    """

    half_spread: NotNegative = 0.00005
    commission: NotNegative = 0.00005
    minimum_commission: NotNegative = 0.0
    impact: NotNegative = 0.5
    borrow_per_year: NotNegative = 0.005


class SizingPolicy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How conviction becomes a size. `kelly_fraction` is λ; volatilities are annualised (√252).

    `caution` moves p_up from its mean (0) toward the end of its 90 % interval that is worse for the order
    (1) before the Kelly bet is computed. `least_edge` is the smallest |p_up − base rate| worth an order:
    Kelly alone would let an asset's drift pay for a signal that says next to nothing. `lot` is the smallest
    tradable quantity in shares.
    """

    kelly_fraction: Annotated[float, Meta(gt=0, le=0.5)] = 0.25
    caution: Share = 0.0
    least_edge: Share = 0.002
    target_volatility: Positive = 0.20
    volatility_floor: Positive = 0.05
    volatility_cap: Positive = 1.0
    volatility_days: Days = 60
    return_days: Days = 500
    fewest_returns: Annotated[int, Meta(ge=2)] = 60
    fewest_each_way: Annotated[int, Meta(ge=1)] = 10
    short_selling: bool = True
    lot: Positive = 1.0
    least_notional: NotNegative = 100.0
    limit_band: Share = 0.005


class Controls(Struct, frozen=True, kw_only=True):
    """The desk's switch and limits. `state` is `None` when what is stored cannot be understood: deny all."""

    state: DeskState | None = "ACTIVE"
    kill_switch: bool = False
    reason: str = ""
    limits: RiskLimits = RiskLimits()
    costs: CostModel = CostModel()
    sizing: SizingPolicy = SizingPolicy()

    @property
    def desk_state(self) -> DeskState:
        """The state as orders feel it: a thrown kill switch or an unknown state halts the desk."""
        if self.kill_switch or self.state is None:
            return "HALTED"
        return self.state


def checked_controls(values: Mapping[str, Any]) -> Controls:
    """Controls from plain values; empty gives the defaults. Raises `InvalidInput` with the path."""
    try:
        return msgspec.convert(dict(values), Controls)
    except msgspec.ValidationError as fault:
        raise InvalidInput(str(fault), path=str(fault).rpartition(" - at `")[2].rstrip("`") or None) from None


def read_controls(values: Mapping[str, Any]) -> Controls:
    """Controls as stored; what cannot be understood fails closed: default limits, state unknown."""
    try:
        return checked_controls(values)
    except InvalidInput as fault:
        return Controls(state=None, reason=f"the stored controls cannot be read: {fault.detail}")
