"""What the desk keeps per asset and day of knowledge, so that a score never scans signals.

One `AssetDay` holds everything signals known on that day add up to. Sums are forward-decayed (Cormode,
Shkapenyuk, Srivastava, Xu 2009) with the day's start as landmark L: a signal with evidence e, event time t
and half-life h adds e·2^((t−L)/h) once; at `as_of` the sum is multiplied by 2^(−(as_of−L)/h), which gives
Σ e·2^(−(as_of−t)/h), exactly the decayed sum. Its size is bounded whatever the number of signals.
"""

from msgspec import Struct

from bellwether.domain.seen_texts import SeenText

MOST_AUTHORS = 64
MOST_CLUSTERS = 32
MOST_TOP_SIGNALS = 5


class AgentSums(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One agent's share of a day. `half_life` in hours; sums are relative to the day's start (see module).

    With u the decayed evidence of a cluster and ℓ its log-odds: `weight` Σu, `weighted_log_odds` Σuℓ,
    `weighted_square` Σuℓ², `squared_weight` Σu². `newest` is the latest event in hours from the day's start.
    `signals` counts all, with copies and abstentions; `clusters` those that added evidence.
    """

    half_life: float
    weight: float = 0.0
    weighted_log_odds: float = 0.0
    weighted_square: float = 0.0
    squared_weight: float = 0.0
    newest: float | None = None
    signals: int = 0
    clusters: int = 0


class TopSignal(Struct, frozen=True, kw_only=True):
    """One of the signals that moved a day's sums most; `pull` = evidence·|log-odds|, undecayed."""

    signal_id: str
    agent_id: str
    item_id: str
    p_up: float
    evidence: float
    pull: float


class AssetDay(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """State of one asset for one day of knowledge (`yyyymmdd`, UTC). `version` guards concurrent updates.

    `agents` is keyed `agent_id@half_life`, so that a changed half-life starts its own sum. `items` counts all
    items, `mentions` their clusters (copies once), `mentions_by_hour` the same by hour of knowledge (24);
    `young_mentions` are those of young accounts, `young_by_hour` the young accounts that spoke up for the
    first time that day. `clusters` are bounded heavy-hitter counts (see `heavy_hitters`) of items, `authors`
    of clusters whose author is known, of which there are `author_items`. `texts` are those seen of late.
    """

    asset: str
    day: str
    version: int = 0
    agents: dict[str, AgentSums] = {}
    items: int = 0
    mentions: int = 0
    young_items: int = 0
    young_mentions: int = 0
    author_items: int = 0
    authors: dict[str, int] = {}
    clusters: dict[str, int] = {}
    top: tuple[TopSignal, ...] = ()
    last_event: str | None = None
    mentions_by_hour: tuple[int, ...] = ()
    young_by_hour: tuple[int, ...] = ()
    texts: tuple[SeenText, ...] = ()
