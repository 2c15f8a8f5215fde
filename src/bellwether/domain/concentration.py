"""How the items behind a score are spread over authors and texts: what the manipulation check looks at."""

from collections import defaultdict
from collections.abc import Sequence
from datetime import datetime

from bellwether.domain.campaigns import burst, repeated_text
from bellwether.domain.decay import day_start, hours_between
from bellwether.domain.scores import Concentration
from bellwether.domain.state import AssetDay

FADES_IN = 24.0
"""Hours after which an item counts half in a share, as what it says fades from the score: a month of calm
must not hide what happens today."""


def concentration(days: Sequence[AssetDay], as_of: datetime) -> Concentration:
    """Over these days: items and known authors, the shares of the most active of each, and campaigns.

    The author's share is of clusters whose author is known, the cluster's of all items, and so is the share
    of young accounts. Days count in the shares as they fade. The counts are heavy-hitter counts: a share is
    never understated, and overstated by 1/64 (authors) or 1/32 (clusters) at the most; `authors` counts
    those that are still in a day's sketch.
    """
    authors: dict[str, float] = defaultdict(float)
    clusters: dict[str, float] = defaultdict(float)
    items = author_items = young_items = 0.0
    for day in days:
        faded = 2.0 ** (-hours_between(day_start(day.day), as_of) / FADES_IN)
        for author, count in day.authors.items():
            authors[author] += faded * count
        for cluster, count in day.clusters.items():
            clusters[cluster] += faded * count
        items += faded * day.items
        author_items += faded * day.author_items
        young_items += faded * day.young_items
    return Concentration(
        items=sum(day.items for day in days),
        authors=len(authors),
        top_author_share=_share(max(authors.values(), default=0.0), author_items),
        top_cluster_share=_share(max(clusters.values(), default=0.0), items),
        young_author_share=_share(young_items, items),
        repeated_text=repeated_text(days, as_of),
        burst=burst(days, as_of),
    )


def _share(part: float, whole: float) -> float:
    return min(1.0, part / whole) if whole else 0.0
