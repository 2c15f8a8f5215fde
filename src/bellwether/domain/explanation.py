"""A score in plain words."""

from collections.abc import Sequence

from bellwether.domain.fusion import Fused
from bellwether.domain.scores import Contribution


def explanation(
    asset: str, horizon: int, base_rate: float, fused: Fused, contributions: Sequence[Contribution]
) -> str:
    """What the desk believes, what it rests on and how sure it is, in a few sentences."""
    period = "the next trading day" if horizon == 1 else f"the next {horizon} trading days"
    silent = "; ".join(f"{c.agent_id} abstains: {c.abstained}" for c in contributions if c.abstained)
    if fused.p_up is None or fused.interval is None:
        return f"No agent has a view of {asset} for {period}. {silent}."
    low, high = fused.interval
    spoken = [c for c in contributions if c.abstained is None]
    parts = [
        f"{asset} is given a {fused.p_up:.1%} chance to rise over {period}, against {base_rate:.1%} anyway.",
        *(_part(c) for c in sorted(spoken, key=lambda c: -abs(c.share))),
        f"With 90 % probability the chance lies between {low:.1%} and {high:.1%}"
        + (", which includes the base rate: no edge is shown." if low <= base_rate <= high else "."),
    ]
    return " ".join([*parts, f"{silent}."] if silent else parts)


def _part(contribution: Contribution) -> str:
    way = "up" if contribution.share > 0 else "down" if contribution.share < 0 else "nowhere"
    moved = f" by {abs(contribution.share):.4f} log-odds" if contribution.share else ""
    return (
        f"{contribution.agent_id} ({contribution.track_record}, weight {contribution.weight:.3f}) points "
        f"{way}{moved}: {contribution.rationale or 'no rationale given'}."
    )
