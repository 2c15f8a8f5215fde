"""The chain's hashes against the standard library alone, and ids and ULIDs at their limits."""

import hashlib
import hmac
import json
from datetime import UTC, datetime, timedelta

import msgspec
import pytest
from msgspec import Struct

from bellwether.domain.ids import is_item_id, is_ulid, ulid, ulid_time
from bellwether.domain.items import author_hash, item_id
from bellwether.domain.ledger import (
    GENESIS,
    BrokenLink,
    Entry,
    canonical,
    content_hash,
    entry_hash,
    first_broken_link,
    next_entry,
)
from bellwether.domain.outcomes import outcome_id
from bellwether.domain.scores import score_id
from tests.unit.trading import score

pytestmark = pytest.mark.req("A7")

AT = datetime(2026, 3, 4, 15, 0, tzinfo=UTC)
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Note(Struct):
    text: str
    b: float = 2.5
    a: int = 1


def plain(value: object) -> bytes:
    """Canonical JSON as the standard library writes it."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode()


@pytest.mark.parametrize(
    "value", [{"b": 1, "a": [1.5, None, True]}, "Zürich — “quoted”", {"z": {"y": 1, "x": ""}}, [], 0.1]
)
def test_canonical_json_is_the_sorted_json_of_the_standard_library(value: object) -> None:
    assert canonical(value) == plain(value)
    assert content_hash(value) == hashlib.sha256(plain(value)).hexdigest()


def test_two_links_by_hand() -> None:
    first = next_entry(None, at=AT, kind="proposal", subject="P", record=Note("ä"))
    second = next_entry(first, at=AT, kind="decision", subject="P", record=Note("b", 0.1, 7))
    body = {
        "sequence": 1,
        "at": "2026-03-04T15:00:00Z",
        "kind": "proposal",
        "subject": "P",
        "body": {"text": "ä", "b": 2.5, "a": 1},
        "previous_hash": "0" * 64,
    }
    assert first.hash == hashlib.sha256(plain(body)).hexdigest() == entry_hash(first)
    body = {
        **body,
        "sequence": 2,
        "kind": "decision",
        "body": {"text": "b", "b": 0.1, "a": 7},
        "previous_hash": first.hash,
    }
    assert second.hash == hashlib.sha256(plain(body)).hexdigest()
    assert (first.previous_hash, GENESIS) == ("0" * 64, "0" * 64)
    assert first_broken_link([first, second]) is None


def test_a_broken_link_says_what_is_wrong() -> None:
    first = next_entry(None, at=AT, kind="proposal", subject="P", record=Note("a"))
    second = next_entry(first, at=AT, kind="decision", subject="P", record=Note("b"))
    third = next_entry(second, at=AT, kind="decision", subject="P", record=Note("c"))

    def link(*entries: Entry) -> BrokenLink | None:
        return first_broken_link(entries)

    assert link(first, third) == BrokenLink(sequence=2, reason="entry 2 is missing, 3 follows")
    assert link(second) == BrokenLink(sequence=1, reason="entry 1 is missing, 2 follows")
    forged = msgspec.structs.replace(second, subject="Q")
    assert link(first, forged) == BrokenLink(sequence=2, reason="its content does not match its hash")
    other = next_entry(None, at=AT, kind="proposal", subject="P", record=Note("other"))
    unfitting = "it does not name the hash of the entry before it"
    assert link(other, second) == BrokenLink(sequence=2, reason=unfitting)
    assert link() is None


def test_ids_are_cut_from_their_hashes() -> None:
    digest = hashlib.sha256(b"x\x00post 1").hexdigest()
    assert item_id("x", "post 1") == f"x-{digest[:32]}"
    keyed = hmac.new(b"salt", b"x\x00ann", hashlib.sha256).hexdigest()
    assert author_hash(b"salt", "x", "ann") == keyed[:20]
    digest = hashlib.sha256(b"score\x00ACME:20260304:1").hexdigest()
    assert outcome_id("score", "ACME:20260304:1") == f"o-{digest[:24]}"


def test_a_score_is_named_for_all_it_follows_from() -> None:
    made = score()
    parts = msgspec.to_builtins(made.contributions)
    content = ["ACME", "2026-03-04T15:00:00Z", 1, 0.51, parts]
    digest = hashlib.sha256(plain(content)).hexdigest()[:16]
    found = score_id("ACME", as_of=AT, horizon=1, base_rate=0.51, contributions=made.contributions)
    assert found == f"score:ACME:20260304T150000.000000Z:1:{digest}"


@pytest.mark.parametrize(
    ("milliseconds", "begins"), [(0, "0000000000"), (1, "0000000001"), (31, "000000000Z"), (32, "0000000010")]
)
def test_a_ulid_counts_milliseconds_in_base_32(milliseconds: int, begins: str) -> None:
    at = EPOCH + timedelta(milliseconds=milliseconds)
    made = ulid(at, bytes(9) + b"\x21")
    assert made == begins + "0" * 14 + "11"  # 33 = 1·32 + 1
    assert ulid_time(made) == at


def test_more_randomness_than_ten_bytes_is_left_out() -> None:
    assert ulid(EPOCH, b"\x01" * 10) == ulid(EPOCH, b"\x01" * 10 + b"rest")
    with pytest.raises(ValueError, match="needs 10 bytes of randomness, not 9"):
        ulid(EPOCH, bytes(9))
    with pytest.raises(ValueError, match="cannot hold the time 1969"):
        ulid(EPOCH - timedelta(milliseconds=1), bytes(10))


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("7" + "Z" * 25, False),  # beyond the year 9999
        ("76EZ91ZPZZ" + "Z" * 16, True),
        ("76EZ91ZQ00" + "0" * 16, False),
        ("0" * 26, True),
        ("8" + "0" * 25, False),
        ("0" * 25, False),
        ("0" * 27, False),
        ("0" * 25 + "U", False),  # not in Crockford's alphabet
        ("0" * 25 + "u", False),
        ("", False),
    ],
)
def test_what_is_a_ulid(text: str, is_one: bool) -> None:
    assert is_ulid(text) is is_one
    if is_one:
        assert ulid_time(text).year <= 9999
    else:
        with pytest.raises(ValueError, match="is not a ULID"):
            ulid_time(text)


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("rss-" + "0f" * 16, True),
        ("rss-" + "0f" * 15 + "0", False),
        ("rss-" + "0F" * 16, False),
        ("RSS-" + "0f" * 16, False),
        ("-" + "0f" * 16, False),
        ("rss-" + "0f" * 16 + "0", False),
    ],
)
def test_what_is_an_items_id(text: str, is_one: bool) -> None:
    assert is_item_id(text) is is_one
