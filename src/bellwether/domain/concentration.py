"""How the items behind a score are spread over authors and clusters: what the manipulation check looks at."""

from collections import Counter
from collections.abc import Sequence

from bellwether.domain.scores import Concentration
from bellwether.domain.state import AssetDay

YOUNG_DAYS = 30.0
"""An account younger than this many days counts as young."""


def concentration(days: Sequence[AssetDay]) -> Concentration:
    """Over these days: items and known authors, and the shares of the most active of each.

    The author's share is of clusters whose author is known, the cluster's of all items, and so is the share
    of young accounts. The counts are heavy-hitter counts: a share is never understated, and overstated by
    1/64 (authors) or 1/32 (clusters) at the most; `authors` counts those that are still in a day's sketch.
    """
    authors: Counter[str] = Counter()
    clusters: Counter[str] = Counter()
    for day in days:
        authors.update(day.authors)
        clusters.update(day.clusters)
    items = sum(day.items for day in days)
    author_items = sum(day.author_items for day in days)
    return Concentration(
        items=items,
        authors=len(authors),
        top_author_share=_share(max(authors.values(), default=0), author_items),
        top_cluster_share=_share(max(clusters.values(), default=0), items),
        young_author_share=_share(sum(day.young_items for day in days), items),
    )


def _share(part: int, whole: int) -> float:
    return min(1.0, part / whole) if whole else 0.0
