"""The versioned configuration of an agent (table `agents_config`): what it is allowed to weigh and why."""

from typing import Annotated

from msgspec import Meta, Struct

from bellwether.domain.items import Instant


class AgentConfig(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One version of one agent's configuration; versions are never changed, only followed by the next.

    `slope` and `intercept` turn the raw reading into log-odds of going up: ℓ = ℓ₀ + intercept + slope·raw.
    `prior_slope` is used until `resolved` outcomes suffice. `reliability` is the shrunk Brier skill score in
    [0, 1] learned from `resolved` outcomes, `None` before there are any. `error_correlation` holds the
    correlation of this agent's forecast errors with the other agents'. Half-life in hours. `changed_by` is
    the owner who made this version by hand, empty when it was learned; `back_to` the version it says again.
    """

    agent_id: str
    version: int
    created_at: Instant
    enabled: bool = True
    half_life: Annotated[float, Meta(gt=0)] = 24.0
    horizon: Annotated[int, Meta(ge=1, le=252)] = 1
    slope: float = 0.0
    intercept: float = 0.0
    prior_slope: float = 0.1
    prior_reliability: Annotated[float, Meta(ge=0, le=1)] = 0.05
    shrinkage: Annotated[float, Meta(gt=0)] = 200.0
    resolved: int = 0
    brier_skill: float | None = None
    reliability: Annotated[float, Meta(ge=0, le=1)] | None = None
    error_correlation: dict[str, float] = {}
    reason: str = ""
    changed_by: str = ""
    back_to: int | None = None
