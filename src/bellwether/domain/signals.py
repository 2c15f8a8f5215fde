"""Signals: what one agent makes of one item (or of prices) for one asset."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Annotated

from msgspec import Meta, Struct

from bellwether.domain.decay import day_start
from bellwether.domain.items import Instant

Probability = Annotated[float, Meta(ge=0, le=1)]
Hours = Annotated[float, Meta(gt=0)]


class Signal(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One agent's view of one asset.

    `event_time` is when what it speaks of happened (decay counts from here), `observed_time` when the desk
    could know it (replays cut here). `horizon` in trading days, `half_life` in hours. `p_up` is stated at an
    even base rate; the score carries it over to the asset's own by adding log-odds. `evidence` is the
    undecayed weight it adds to its agent's view: quality times the author's diminishing weight, and 0 for a
    further `copy` of a cluster that counted already, word for word, or for a lightly edited one of the item
    `near_copy_of`. `sketch` is what the latter is found by (see `near_duplicates`). `raw` is the agent's own
    reading before calibration.
    """

    asset: str
    agent_id: str
    agent_version: int
    item_ids: tuple[str, ...]
    event_time: Instant
    observed_time: Instant
    horizon: int
    p_up: Probability
    quality: Probability
    half_life: Hours
    expires_at: Instant
    input_hash: str
    rationale: str
    raw: float = 0.0
    abstained: bool = False
    cluster_id: str | None = None
    author: str | None = None
    evidence: float = 0.0
    young_author: bool = False
    copy: bool = False
    sketch: bytes | None = None
    near_copy_of: str | None = None

    @property
    def signal_id(self) -> str:
        """Readable and unique: asset, day, and the sort key of its row."""
        return f"{self.asset}#{day_of(self.observed_time)}#{sort_key(self)}"


class BareSignal(Struct, frozen=True, gc=False):
    """A signal's part that is added up, for a replay that keeps no signals: see `Signal` for the fields."""

    asset: str
    agent_id: str
    item_ids: tuple[str, ...]
    event_time: datetime
    observed_time: datetime
    half_life: float
    p_up: float
    quality: float
    abstained: bool
    cluster_id: str | None
    author: str | None
    young_author: bool
    copy: bool
    sketch: bytes | None

    @property
    def signal_id(self) -> str:
        """As the signal has it."""
        at = self.observed_time
        return f"{self.asset}#{day_of(at)}#{_sort_key(at, self.agent_id, self.item_ids[0])}"


def day_of(at: datetime) -> str:
    """`yyyymmdd` of an instant in UTC: the day part of the signals' partition key."""
    return at.astimezone(UTC).isoformat()[:10].replace("-", "")


@lru_cache(maxsize=4_096)
def day_before(day: str) -> str:
    """The `yyyymmdd` before a day."""
    return day_of(day_start(day) - timedelta(days=1))


def sort_key(signal: Signal) -> str:
    """`ts#agent#sourceId` of the signals table; `ts` is the observed time in UTC with microseconds."""
    source = signal.item_ids[0] if signal.item_ids else signal.input_hash[:16]
    return _sort_key(signal.observed_time, signal.agent_id, source)


def _sort_key(observed_time: datetime, agent_id: str, source: str) -> str:
    at = observed_time.astimezone(UTC).isoformat(timespec="microseconds").removesuffix("+00:00")
    return f"{at}Z#{agent_id}#{source}"
