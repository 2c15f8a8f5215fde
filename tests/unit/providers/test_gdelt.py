"""GDELT: windows that are halved, sentences instead of JSON, JSON that is none, and whatever breaks."""

import json
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime, timedelta
from unittest import mock
from urllib.parse import parse_qs, urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.providers import gdelt as gdelt_module
from bellwether.adapters.providers.asset_names import groups
from bellwether.adapters.providers.gdelt import (
    LANGUAGE,
    LONGEST_QUERY,
    OVERLAP,
    query_of,
    targets,
)
from bellwether.adapters.providers.gdelt_answer import read_articles, tidy_title
from bellwether.adapters.providers.guarded_http import Refused, Response
from bellwether.adapters.providers.provider import Cursor
from bellwether.domain.entities import Asset
from tests.peers import web
from tests.peers.gdelt import PATH, SLOW_DOWN, TOO_LONG, Gdelt, article, moment, refusal_of, sentence
from tests.unit.providers.news_rig import NOW, Broken, Rig, faults, titles

pytestmark = pytest.mark.enable_socket

MINUTE = timedelta(minutes=1)
COKE = Asset(symbol="KO", name="The Coca-Cola Company", aliases=("Coke",))
APPLE = Asset(symbol="AAPL", name="Apple Inc.")


@pytest.fixture
def rig() -> Iterator[Rig]:
    with web.site() as site:
        made = Rig("gdelt", site, targets)
        made.track(COKE, APPLE)
        yield made


@pytest.fixture
def gdelt(rig: Rig) -> Gdelt:
    return Gdelt(rig.site, clock=rig.time)


@pytest.mark.req("C5")
def test_assets_are_asked_for_by_name_and_each_article_comes_once(rig: Rig, gdelt: Gdelt) -> None:
    gdelt.articles = [
        article("Coca - Cola raises prices 3 . 5 % , says U . S . chief", NOW - 30 * MINUTE),
        article("Apple 's new phone", NOW - 20 * MINUTE),
    ]
    first = rig.fetch()
    assert titles(first) == ["Coca-Cola raises prices 3.5%, says U.S. chief", "Apple's new phone"]
    assert gdelt.queries == [f'("Apple Inc" OR "Coca-Cola" OR Coke) {LANGUAGE}']
    (item, _) = first.items
    assert (item.source, item.lang, item.author) == ("gdelt", "en", "news.example")
    assert item.source_id == item.url
    assert (item.published_at, item.observed_at) == (NOW - 30 * MINUTE, NOW)
    assert (first.health.state, first.health.items, first.health.target) == ("ok", 2, "AAPL, KO")
    assert first.cursor.since == NOW
    gdelt.articles.append(article("A late one", NOW - 50 * MINUTE))
    rig.time.later(minutes=20)
    assert titles(rig.fetch(first.cursor)) == ["A late one"]


def test_nothing_new_is_nothing_even_when_the_list_is_left_out(rig: Rig, gdelt: Gdelt) -> None:
    fetched = rig.fetch()
    assert (fetched.items, fetched.health.state, fetched.cursor.since) == ([], "ok", NOW)


def test_a_read_is_not_repeated_before_the_others_had_their_turn(rig: Rig, gdelt: Gdelt) -> None:
    fetched = rig.fetch()
    assert fetched.cursor.not_before is not None
    assert timedelta(minutes=14) <= fetched.cursor.not_before - NOW <= timedelta(minutes=15)
    rig.time.later(minutes=5)
    assert rig.fetch(fetched.cursor).health.state == "waiting"
    assert len(rig.site.asked) == 1


@pytest.mark.req("C5")
def test_a_full_window_is_halved_until_it_fits_and_nothing_is_lost(rig: Rig, gdelt: Gdelt) -> None:
    gdelt.articles = [article(f"News {n}", NOW - timedelta(seconds=40 * n + 1)) for n in range(900)]
    seen: set[str] = set()
    cursor, rounds = Cursor(), 0
    while True:
        fetched = rig.fetch(cursor)
        assert not seen & {item.source_id for item in fetched.items}
        seen |= {item.source_id for item in fetched.items}
        cursor, rounds = fetched.cursor, rounds + 1
        if cursor.page is None:
            break
        # a read that is not finished is gone on with at once
        assert cursor.not_before is None
        rig.time.later(seconds=30)
    assert len(seen) == 900
    assert 1 < rounds < 10
    assert SLOW_DOWN.encode() not in b"".join(asked.body for asked in rig.site.asked)
    spaces = [asked.one("startdatetime") for asked in rig.site.asked]
    assert len(set(spaces)) < len(spaces)


def test_more_at_one_moment_than_an_answer_holds_is_said(rig: Rig, gdelt: Gdelt) -> None:
    gdelt.articles = [article(f"News {n}", NOW - MINUTE) for n in range(300)]
    fetched = rig.fetch()
    while fetched.cursor.page is not None:
        rig.time.later(seconds=30)
        fetched = rig.fetch(fetched.cursor)
    assert (fetched.health.state, fetched.health.code) == ("ok", "left_out")
    assert "left out" in str(fetched.health.detail)


def test_a_desk_that_was_away_for_long_says_what_it_left_out(rig: Rig, gdelt: Gdelt) -> None:
    fetched = rig.fetch(Cursor(since=NOW - timedelta(days=30)))
    assert (fetched.health.state, fetched.health.code) == ("ok", "left_out")
    assert "2026-11-20 06:00" in str(fetched.health.detail)
    assert rig.site.asked[0].one("startdatetime") == "20261120060000"


def test_the_overlap_is_read_again(rig: Rig, gdelt: Gdelt) -> None:
    rig.fetch(Cursor(since=NOW - timedelta(hours=2)))
    assert rig.site.asked[0].one("startdatetime") == f"{NOW - timedelta(hours=2) - OVERLAP:%Y%m%d%H%M%S}"


@pytest.mark.parametrize("broken", faults(truncated="cut_short"), ids=lambda one: one.name)
def test_whatever_breaks_is_known_by_a_code_and_moves_no_cursor(
    rig: Rig, gdelt: Gdelt, broken: Broken
) -> None:
    gdelt.articles = [article(f"News {n}", NOW - n * MINUTE) for n in range(1, 9)]
    rig.seconds = 0.5 if broken.name == "trickle" else 5.0
    rig.site.faults.append(broken.fault)
    before = Cursor(since=NOW - timedelta(hours=3), seen=("kept",))
    fetched = rig.fetch(before)
    assert fetched.health.code == broken.code, fetched.health.detail
    if broken.code is None:
        assert len(fetched.items) == 8
        return
    assert fetched.health.state == "failing"
    assert fetched.cursor.since is not None
    assert fetched.cursor.since <= NOW - timedelta(hours=3)
    assert "kept" in fetched.cursor.seen
    rig.seconds = 5.0
    rig.time.later(hours=7)
    again = rig.fetch(fetched.cursor)
    assert again.health.state == "ok"
    assert len(again.items) + len(fetched.items) == 8


@pytest.mark.parametrize(
    ("said", "code", "waits"),
    [
        (sentence(SLOW_DOWN), "too_many_requests", True),
        (sentence(SLOW_DOWN, 429), "too_many_requests", True),
        (sentence(TOO_LONG), "bad_query", False),
        (sentence("One or more of your keywords were too short."), "bad_query", False),
    ],
)
def test_a_sentence_instead_of_an_answer(rig: Rig, said: web.Said, code: str, waits: bool) -> None:
    rig.site.route("GET", PATH, lambda _: said)
    fetched = rig.fetch()
    assert (fetched.health.state, fetched.health.code) == ("failing", code)
    # what is wrong with one query is no reason to leave GDELT alone
    assert (rig.ports.providers.get("gdelt").not_before is not None) == waits
    assert (fetched.cursor.not_before is not None) == (not waits)


def test_dates_that_cannot_be_and_entries_that_are_none(rig: Rig, gdelt: Gdelt) -> None:
    gdelt.articles = [
        article("From the future", NOW + timedelta(days=40_000)),
        article("Undated", NOW, seendate="yesterday"),
        article("", NOW - MINUTE),
        article("No address", NOW - MINUTE, url=None),
        article("Twice", NOW - MINUTE),
        article("Twice", NOW - MINUTE),
        article("Long address", NOW - MINUTE, url="https://news.example/" + "x" * 600),
    ]
    fetched = rig.fetch()
    assert sorted(map(str, titles(fetched))) == ["From the future", "Long address", "Twice", "Undated"]
    assert {item.published_at for item in fetched.items if item.title in {"From the future", "Undated"}} == {
        NOW
    }
    assert fetched.health.refused == 2
    assert all(len(item.source_id) <= 512 for item in fetched.items)


def test_json_that_is_none_is_read_as_far_as_it_can_be() -> None:
    entries = rb'{"url": "https://n.example/%d", "title": "%s", "seendate": "20261123T050000Z"}'
    good, control, escape = entries % (1, b"good"), entries % (2, b"a\x01\tb"), entries % (3, rb"Don\'t \x")
    hopeless = entries % (4, b'a \\\\"quoted" word')
    whole = b'{"articles": [' + b",".join([good, control, escape]) + b"]}"
    found = read_articles(whole)
    assert [one.title for one in found.articles] == ["good", "a  b", "Don't x"]
    assert (found.refused, found.cut_short) == (0, False)
    found = read_articles(b'{"articles": [' + b",".join([good, hopeless, escape]) + b"]}")
    assert [one.url for one in found.articles] == ["https://n.example/1", "https://n.example/3"]
    assert (found.refused, found.cut_short) == (1, False)
    latin = whole.replace(b"good", "déjà".encode("latin-1"))
    assert read_articles(latin).articles[0].title == "déjà"


@given(st.binary(max_size=200), st.integers(0, 400))
def test_no_answer_makes_reading_it_fail(junk: bytes, at: int) -> None:
    whole = b'{"articles": [{"url": "https://n.example/1", "title": "one", "seendate": "20261123T050000Z"}]}'
    for content in (junk, whole[:at] + junk + whole[at:], whole[:at]):
        with suppress(Refused):
            assert len(read_articles(content).articles) <= 2


@given(st.text(max_size=200))
def test_tidying_a_title_loses_no_letter(title: str) -> None:
    told = tidy_title(title, ["Coca-Cola"])
    assert "".join(told.split()) == "".join(title.split())


NAMES = st.text("abcdefgh ÄÖ&.-'’,Inc1", min_size=1, max_size=60)


@given(st.lists(st.tuples(NAMES, st.lists(NAMES, max_size=6)), max_size=30))
def test_every_query_is_one_gdelt_takes(assets: list[tuple[str, list[str]]]) -> None:
    tracked = [Asset(symbol=f"A{n}", name=name, aliases=tuple(more)) for n, (name, more) in enumerate(assets)]
    found = groups(tracked, LONGEST_QUERY - len(LANGUAGE) - len("() "))
    for group in found:
        assert refusal_of(query_of(group)) is None, query_of(group)
    symbols = [symbol for group in found for symbol in group.symbols]
    assert len(symbols) == len(set(symbols))


def test_many_assets_are_read_one_group_after_the_other(rig: Rig, gdelt: Gdelt) -> None:
    rig.track(*(Asset(symbol=f"T{n}", name=f"Tracked Number {n:03d} Industries") for n in range(60)))
    assert len(rig.targets()) > 5
    cursors: dict[str, Cursor] = {}
    read: list[str] = []
    for _ in range(12):
        for target in rig.targets():
            fetched = target.fetch(cursors.get(target.target, Cursor()), rig.time.now)
            if fetched.health.state != "waiting":
                cursors[target.target] = fetched.cursor
                read.append(target.target)
        rig.time.later(minutes=5)
    assert set(read) == {target.target for target in rig.targets()}
    assert max(read.count(name) for name in read) - min(read.count(name) for name in read) <= 1


class Archive:
    """Calls to a GDELT that holds these moments and gives five articles at most."""

    def __init__(self, moments: list[datetime]) -> None:
        self.moments = sorted(moments)

    def get(self, url: str, headers: object = None) -> Response:
        asked = parse_qs(urlsplit(url).query)
        start, end = (moment(asked[name][0]) for name in ("startdatetime", "enddatetime"))
        assert start is not None
        assert end is not None
        assert start < end
        found = [article(f"{n} {at}", at) for n, at in enumerate(self.moments) if start <= at <= end]
        content = json.dumps({"articles": found[:5]}).encode()
        return Response(status=200, url=url, headers={}, content=content)


@given(st.lists(st.integers(0, 12 * 60 - 1), max_size=60), st.lists(st.integers(1, 40), max_size=4))
def test_no_article_is_lost_between_windows(minutes: list[int], pauses: list[int]) -> None:
    (group,) = groups([COKE], 200)
    with mock.patch.object(gdelt_module, "MOST_ARTICLES", 5):
        archive = Archive([NOW - minute * MINUTE for minute in minutes])
        reader, cursor, at = gdelt_module._Windows("https://gdelt.example", group), Cursor(), NOW
        read: set[str] = set()
        complete = True
        for _ in range(300):
            got = reader.read(archive, cursor, at)  # type: ignore[arg-type]
            read |= {item.source_id for item in got.items}
            complete &= got.note is None
            cursor = got.cursor
            if cursor.page is None:
                break
            at += (pauses.pop() if pauses else 0) * MINUTE
        assert (cursor.page, cursor.since) == (None, at)
        if complete:
            assert len(read) == len(minutes)
