"""Counting the most frequent keys of a stream in bounded memory (Space-Saving).

Metwally, Agrawal, El Abbadi, "Efficient computation of frequent and top-k elements in data streams", ICDT
2005. With m slots and N counted things a key's count is never too low and at most N/m too high; a key that
makes up more than N/m of the stream is always there. Taking the smallest count off a full sketch gives a
count that is never too high (the isomorphism with Misra–Gries: Agarwal et al., "Mergeable summaries", PODS
2012).
"""


def count_in(counts: dict[str, int], key: str, slots: int) -> None:
    """Counts `key` once, in place; a full sketch gives the slot of its rarest key to a new one."""
    if key in counts:
        counts[key] += 1
    elif len(counts) < slots:
        counts[key] = 1
    else:
        least = min(counts.values())
        rarest = min([known for known, count in counts.items() if count == least])
        counts[key] = counts.pop(rarest) + 1


def at_least(counts: dict[str, int], key: str, slots: int) -> int:
    """How often `key` was counted at the very least; exact as long as the sketch has free slots."""
    seen = counts.get(key, 0)
    if seen == 0 or len(counts) < slots:
        return seen
    return seen - min(counts.values())
