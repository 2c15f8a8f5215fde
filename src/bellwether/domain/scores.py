"""The fused score of an asset: what the desk believes, how much stands behind it, and why."""

from datetime import UTC, datetime
from typing import Literal

import msgspec
from msgspec import Struct

from bellwether.domain.campaigns import Burst, RepeatedText
from bellwether.domain.items import Instant
from bellwether.domain.ledger import content_hash

TrackRecord = Literal["proven", "unproven"]


class Contribution(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One agent's part in a score.

    `log_odds` is the agent's view relative to the base rate (ℓᵢ−ℓ₀), `weight` wᵢ in [0, 1] as fused,
    `evidence` Mᵢ, `share` what it moved the fused log-odds by. `signal_ids` names the signals that moved it
    most; `abstained` says why the agent has no view.
    """

    agent_id: str
    agent_version: int
    weight: float
    log_odds: float
    evidence: float
    reliability: float
    share: float
    signals: int = 0
    track_record: TrackRecord = "unproven"
    signal_ids: tuple[str, ...] = ()
    rationale: str | None = None
    abstained: str | None = None


class Concentration(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """How the items behind a score are spread: shares in [0, 1], `items` and `authors` as counts.

    `repeated_text` and `burst` are what most young accounts did together of late, `None` where they did
    nothing; whether that is a campaign is for the desk's limits to say (MANIPULATION).
    """

    items: int
    authors: int
    top_author_share: float
    top_cluster_share: float
    young_author_share: float
    repeated_text: RepeatedText | None = None
    burst: Burst | None = None


class Score(Struct, frozen=True, kw_only=True):
    """A fused forecast. `p_up`, `edge` and `interval` are `None` when every agent abstains.

    `edge` = p_up − base rate; `interval` holds p_up with 90 % probability; `horizon` in trading days.
    """

    score_id: str
    asset: str
    as_of: Instant
    horizon: int
    p_up: float | None
    edge: float | None
    base_rate: float
    n_eff: float
    disagreement: float | None
    interval: tuple[float, float] | None
    contributions: tuple[Contribution, ...]
    track_record: TrackRecord
    concentration: Concentration
    last_event: Instant | None = None
    explanation: str = ""


def score_id(
    asset: str,
    *,
    as_of: datetime,
    horizon: int,
    base_rate: float,
    contributions: tuple[Contribution, ...],
) -> str:
    """`score:ASSET:as_of:horizon:` and 64 bits of SHA-256 of all the score follows from.

    The same inputs give the same id, and a score that was changed does not fit its id any more. Taken over
    the contributions as they read back from JSON, so that 1 and 1.0 are the same weight.
    """
    stored = msgspec.convert(msgspec.to_builtins(contributions), tuple[Contribution, ...])
    content = content_hash([asset, as_of.astimezone(UTC), horizon, float(base_rate), stored])
    return f"score:{asset}:{as_of.astimezone(UTC):%Y%m%dT%H%M%S.%fZ}:{horizon}:{content[:16]}"


def fits_its_id(score: Score) -> bool:
    """Whether a score's id is that of its content."""
    return score.score_id == score_id(
        score.asset,
        as_of=score.as_of,
        horizon=score.horizon,
        base_rate=score.base_rate,
        contributions=score.contributions,
    )
