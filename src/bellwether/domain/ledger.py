"""The append-only, hash-chained ledger of proposals, decisions, outcomes and what an owner configured.

An entry's hash is SHA-256 over the canonical JSON of the entry without its hash; each entry names the hash of
the one before, so that changing, removing or reordering any entry breaks every later link.
"""

import hashlib
from collections.abc import Iterable
from typing import Any, Literal

import msgspec
from msgspec import Struct

from bellwether.domain.items import Instant

EntryKind = Literal["proposal", "decision", "outcome", "configuration"]
GENESIS = "0" * 64


class Entry(Struct, frozen=True, kw_only=True):
    """One link. `sequence` counts from 1 without gaps; `body` is the record as plain JSON values."""

    sequence: int
    at: Instant
    kind: EntryKind
    subject: str
    body: dict[str, Any]
    previous_hash: str
    hash: str


class BrokenLink(Struct, frozen=True, kw_only=True):
    """The first entry that does not follow from the one before it, and why."""

    sequence: int
    reason: str


def canonical(value: Any) -> bytes:
    """Canonical JSON: keys sorted, no spaces, UTF-8; the bytes every hash in the product is taken over."""
    return msgspec.json.encode(msgspec.to_builtins(value), order="sorted")


def content_hash(value: Any) -> str:
    """SHA-256 of the canonical JSON, in hex."""
    return hashlib.sha256(canonical(value)).hexdigest()


def entry_hash(entry: Entry) -> str:
    """The hash an entry must carry."""
    body = msgspec.to_builtins(entry)
    del body["hash"]
    return content_hash(body)


def next_entry(
    previous: Entry | None, *, at: Instant, kind: EntryKind, subject: str, record: Struct
) -> Entry:
    """The entry that follows `previous` (`None` for the first)."""
    entry = Entry(
        sequence=previous.sequence + 1 if previous else 1,
        at=at,
        kind=kind,
        subject=subject,
        body=msgspec.to_builtins(record),
        previous_hash=previous.hash if previous else GENESIS,
        hash="",
    )
    return msgspec.structs.replace(entry, hash=entry_hash(entry))


def first_broken_link(entries: Iterable[Entry]) -> BrokenLink | None:
    """Recomputes the chain over entries in order of `sequence`, from 1; `None` when it is unbroken."""
    previous_hash, expected = GENESIS, 1
    for entry in entries:
        if entry.sequence != expected:
            return BrokenLink(
                sequence=expected, reason=f"entry {expected} is missing, {entry.sequence} follows"
            )
        if entry.previous_hash != previous_hash:
            return BrokenLink(
                sequence=entry.sequence, reason="it does not name the hash of the entry before it"
            )
        if entry_hash(entry) != entry.hash:
            return BrokenLink(sequence=entry.sequence, reason="its content does not match its hash")
        previous_hash, expected = entry.hash, expected + 1
    return None
