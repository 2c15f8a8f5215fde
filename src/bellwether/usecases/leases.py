"""One worker at a time at one batch, however often its message is delivered."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import datetime, timedelta

from bellwether.domain.problems import Problem
from bellwether.usecases.ports import ItemClaims

LEASE = timedelta(seconds=180)
"""How long a worker has a batch to itself: its function's 120 seconds, after which it is certainly dead, and
a minute for clocks that disagree and writes still on their way. Shorter than the queue hides the message of a
killed worker."""


@contextmanager
def leased(claims: ItemClaims, batch_id: str, now: datetime) -> Iterator[None]:
    """Has the batch for itself, `LEASE` from `now` at the most. Raises `Held` while another worker has it.

    A failure gives the lease back, so that the next try need not wait. Work that is done keeps it: until it
    ends the finished mark can be read everywhere, so nobody begins in between. A killed worker gives nothing
    back, and its lease runs out.
    """
    lease = claims.lease(batch_id, now, now + LEASE)
    try:
        yield
    except Exception:
        with suppress(Problem):
            claims.release(batch_id, lease)
        raise
