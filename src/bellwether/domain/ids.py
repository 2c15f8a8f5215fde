"""Ids that sort by time: ULIDs, and how the product's other ids are told apart."""

import re
from datetime import UTC, datetime

CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_LAST_TIME = "76EZ91ZPZZ"
"""The end of the year 9999: the specification goes on for 900 years, a date does not."""
_ULID = re.compile(rf"^[0-7][{CROCKFORD}]{{25}}$")
_ITEM = re.compile(r"^[a-z]+-[0-9a-f]{32}$")


def ulid(at: datetime, randomness: bytes) -> str:
    """26 characters of Crockford's base 32: 48 bits of milliseconds since 1970, then 80 bits of `randomness`.

    Raises `ValueError` for fewer than 10 bytes or a time before 1970 (ULID specification,
    github.com/ulid/spec).
    """
    if len(randomness) < 10:
        raise ValueError(f"a ULID needs 10 bytes of randomness, not {len(randomness)}")
    milliseconds = int(at.timestamp() * 1000)
    if not 0 <= milliseconds < 1 << 48:
        raise ValueError(f"a ULID cannot hold the time {at.isoformat()}")
    number = milliseconds << 80 | int.from_bytes(randomness[:10], "big")
    return "".join(CROCKFORD[number >> shift & 31] for shift in range(125, -1, -5))


def ulid_time(text: str) -> datetime:
    """When a ULID was made, to the millisecond. Raises `ValueError` when `text` is not one."""
    if not is_ulid(text):
        raise ValueError(f"{text!r} is not a ULID")
    milliseconds = 0
    for letter in text[:10]:
        milliseconds = milliseconds << 5 | CROCKFORD.index(letter)
    return datetime.fromtimestamp(milliseconds / 1000, UTC)


def is_ulid(text: str) -> bool:
    """Whether `text` has the shape of a ULID (proposals, changes, batches without an Idempotency-Key)."""
    return _ULID.match(text) is not None and text[:10] <= _LAST_TIME


def is_item_id(text: str) -> bool:
    """Whether `text` has the shape of an item's id (see `items.item_id`)."""
    return _ITEM.match(text) is not None
