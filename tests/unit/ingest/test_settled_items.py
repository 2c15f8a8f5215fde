"""What an item becomes when it is taken: its words, its cluster, its times, and the words of a refusal."""

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from bellwether.domain.items import (
    CLOCK_SKEW,
    EARLIEST,
    HISTORY_AFTER,
    Item,
    RejectedItem,
    StoredItem,
    author_hash,
    cluster_id,
    item_id,
    settle,
)

pytestmark = pytest.mark.req("A1")

NOW = datetime(2026, 11, 20, 12, tzinfo=UTC)


def item(**fields: Any) -> Item:
    return Item(**{"source": "x", "source_id": "1", "published_at": NOW, "text": "Beacon rises", **fields})


def settled(**fields: Any) -> StoredItem:
    return settle(item(**fields), kind="social", received_at=NOW, salt=b"salt")


def refusal(**fields: Any) -> RejectedItem:
    with pytest.raises(RejectedItem) as refused:
        settled(**fields)
    return refused.value


def test_words_are_title_and_text_whichever_there_is() -> None:
    assert settled(title="Beacon", text="rises").words == "Beacon\nrises"
    assert settled(title="Beacon", text=None).words == "Beacon"
    assert replace(settled(), title=None, text=None).words == ""


def test_four_words_make_a_cluster_wherever_they_stand() -> None:
    four = cluster_id(item(text="Beacon rises on profit"))
    assert four.startswith("w-")
    assert len(four) == 26
    assert cluster_id(item(title="Beacon rises", text="on profit", source_id="2")) == four
    assert cluster_id(item(text="RT @ann: BEACON rises, on profit!", source_id="3")) == four


def test_fewer_words_are_their_own_item_s_or_that_of_what_they_repeat() -> None:
    assert cluster_id(item(text="Beacon rises again")) == f"i-{item_id('x', '1')}"
    assert cluster_id(item(text="wow", source_id="2", repost_of="1")) == f"i-{item_id('x', '1')}"
    assert cluster_id(item(text="wow", source="reddit")) == f"i-{item_id('reddit', '1')}"


def test_clocks_may_be_as_far_off_as_we_say_and_no_further() -> None:
    further = CLOCK_SKEW + timedelta(microseconds=1)
    assert settled(published_at=NOW + CLOCK_SKEW).published_at == NOW
    assert settled(observed_at=NOW + CLOCK_SKEW).observed_at == NOW
    early = settled(observed_at=NOW - CLOCK_SKEW)
    assert early.observed_at == early.known_at == NOW - CLOCK_SKEW
    assert refusal(published_at=NOW + further).code == "in_the_future"
    assert refusal(observed_at=NOW + further).code == "in_the_future"
    assert refusal(observed_at=NOW - further).code == "observed_before_published"


def test_everything_that_was_sent_is_kept_but_the_author_s_name() -> None:
    sent = item(
        source_id="77",
        author="ann",
        title="Beacon",
        url="https://example.com/77",
        lang="en",
        repost_of="76",
        engagement={"likes": 3.0},
    )
    assert settle(sent, kind="news", received_at=NOW, salt=b"salt") == StoredItem(
        item_id=item_id("x", "77"),
        kind="news",
        source="x",
        source_id="77",
        published_at=NOW,
        observed_at=NOW,
        known_at=NOW,
        cluster_id=f"i-{item_id('x', '76')}",
        author=author_hash(b"salt", "x", "ann"),
        title="Beacon",
        text="Beacon rises",
        url="https://example.com/77",
        lang="en",
        repost_of="76",
        engagement={"likes": 3.0},
    )
    assert settled(author=None).author is None
    assert settled(author="").author is None


def test_a_time_before_ours_is_refused_by_name() -> None:
    early = datetime(1969, 12, 31, 23, tzinfo=UTC)
    for name in ("published_at", "observed_at"):
        refused = refusal(**{name: early})
        assert (refused.code, refused.detail) == ("too_early", f"{name} {early.isoformat()} is before 1970")


def test_times_are_kept_in_utc() -> None:
    kept = settled(published_at=datetime.fromisoformat("2026-11-20T13:00:00+01:00"))
    assert (kept.published_at, kept.published_at.tzinfo, kept.observed_at.tzinfo) == (NOW, UTC, UTC)


def test_a_refusal_says_what_is_wrong() -> None:
    wordless = refusal(text=" ")
    assert (wordless.code, wordless.detail, str(wordless)) == (
        "no_words",
        "an item needs a title or a text",
        "an item needs a title or a text",
    )
    assert refusal(observed_at=NOW - timedelta(hours=9)).detail == "observed_at is before published_at"


NEAR = st.sampled_from([timedelta(0), CLOCK_SKEW, HISTORY_AFTER, NOW - EARLIEST])
ABOUT = st.builds(
    lambda far, sign, near, hours: (NOW + sign * far + near).astimezone(timezone(timedelta(hours=hours))),
    NEAR,
    st.sampled_from([-1, 1]),
    st.sampled_from([timedelta(microseconds=n) for n in (-1, 0, 1)]),
    st.integers(-12, 12),
)


def times_by_rule(published: datetime, observed: datetime | None) -> tuple[datetime, ...] | str:
    """Published, observed and known as `settle` describes them, or why they are refused."""
    times = {"published_at": published, "observed_at": observed}
    told = {name: at for name, at in times.items() if at is not None}
    for name, at in told.items():
        if at < EARLIEST:
            return f"{name} {at.isoformat()} is before 1970"
    for name, at in told.items():
        if at > NOW + CLOCK_SKEW:
            return f"{name} {at.isoformat()} is in the future"
    if observed is not None and observed < published - CLOCK_SKEW:
        return "observed_at is before published_at"
    known = published if observed is None and NOW - published > HISTORY_AFTER else (observed or NOW)
    return tuple(min(at, NOW) for at in (published, observed or NOW, known))


@given(ABOUT, st.none() | ABOUT)
@example(EARLIEST - timedelta(microseconds=1), EARLIEST - timedelta(days=1))
@example(NOW + timedelta(days=1), EARLIEST - timedelta(days=1))
def test_times_are_settled_as_the_rules_say(published: datetime, observed: datetime | None) -> None:
    expected = times_by_rule(published, observed)
    if isinstance(expected, str):
        assert refusal(published_at=published, observed_at=observed).detail == expected
        return
    kept = settled(published_at=published, observed_at=observed)
    times = kept.published_at, kept.observed_at, kept.known_at
    assert times == expected
    assert {at.tzinfo for at in times} == {UTC}
