"""EDGAR over HTTP: new filings once, in order, with their times; its temper, and whatever breaks."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from bellwether.adapters.providers.edgar import BLOCKED_FOR, MOST_FILINGS, targets
from bellwether.adapters.providers.edgar_tickers import Tickers
from bellwether.adapters.providers.provider import Cursor
from bellwether.adapters.providers.terms import TERMS
from bellwether.domain.entities import Asset
from tests.peers import web
from tests.peers.edgar import (
    CIK,
    CONTACT,
    RELEASE,
    REPORT,
    TOO_QUICK,
    UNDECLARED,
    Edgar,
    form4,
    submission,
    trade,
)
from tests.unit.providers.news_rig import Broken, Rig, Time, faults, titles

pytestmark = pytest.mark.enable_socket

HOUR = timedelta(hours=1)
NOW = datetime(2026, 11, 23, 18, 0, tzinfo=UTC)
"""One o'clock in the afternoon in New York."""
WALL = (NOW - 6 * HOUR).replace(tzinfo=None)
"""An hour ago, on a clock in New York."""
NUMBER = "0001234567-26-000001"


@pytest.fixture(autouse=True)
def tickers(monkeypatch: pytest.MonkeyPatch) -> None:
    """What one test knows of companies is not known to the next."""
    monkeypatch.setattr("bellwether.adapters.providers.edgar._TICKERS", Tickers())


@pytest.fixture
def rig() -> Iterator[Rig]:
    with web.site() as site:
        made = Rig("edgar", site, targets, {"providers": {"user_agent": CONTACT}}, Time(NOW))
        made.track(Asset(symbol="ACME", name="Acme"))
        yield made


@pytest.fixture
def edgar(rig: Rig) -> Edgar:
    return Edgar(rig.site, rig.time)


def report(number: int, wall: datetime) -> bytes:
    return submission(
        f"0001234567-26-{number:06d}", wall, ("8-K", REPORT), ("GRAPHIC", "begin"), ("EX-99.1", RELEASE)
    )


@pytest.mark.req("C5")
def test_a_report_is_told_with_its_items_its_words_and_the_time_of_its_header(rig: Rig, edgar: Edgar) -> None:
    edgar.file(1, "8-K", WALL, report(1, WALL), items="2.02,9.01")
    edgar.file(2, "10-Q", WALL, b"")
    fetched = rig.fetch()
    assert (fetched.health.state, fetched.health.refused) == ("ok", 0)
    (item,) = fetched.items
    assert item.title == "Acme & Sons Inc. ($ACME): 8-K report: Results of Operations and Financial Condition"
    assert item.text is not None
    assert item.text.splitlines() == [
        "Item 2.02 Results of Operations and Financial Condition.",
        "On Monday Acme released its results — see Exhibit 99.1.",
        "Acme beats estimates; profit rises 12%.",
    ]
    assert (item.source, item.source_id) == ("edgar", NUMBER)
    assert (
        item.url
        == f"https://www.sec.gov/Archives/edgar/data/{CIK}/{NUMBER.replace('-', '')}/{NUMBER}-index.htm"
    )
    assert (item.published_at, item.observed_at) == (NOW - HOUR, NOW)
    assert {asked.headers["user-agent"] for asked in rig.site.asked} == {CONTACT}


@pytest.mark.req("C5")
def test_what_an_insider_did_is_a_sentence(rig: Rig, edgar: Edgar) -> None:
    source = form4(trade(), trade(shares="500", price="21.40"), trade(code="M", way="A", price="0"), plan="1")
    edgar.file(1, "4", WALL, submission(NUMBER, WALL, ("4", f"<XML>\n{source}\n</XML>")))
    (item,) = rig.fetch().items
    assert item.title == (
        "Acme & Sons Inc. ($ACME): Doe Jane (director, Chief Executive Officer) sold 1,500 shares of "
        "Common Stock (Form 4)"
    )
    assert item.text is not None
    assert item.text.splitlines() == [
        "Insider of Acme & Sons Inc. ($ACME): Doe Jane (director, Chief Executive Officer).",
        "Sold 1,500 shares of Common Stock at 20.80 dollars a share on average on 2026-11-20, "
        "31,200 dollars in all (open-market or private sale, code S).",
        "Acquired 1,000 shares of Common Stock on 2026-11-20 "
        "(exercise or conversion of a derivative, code M).",
        "Under a Rule 10b5-1 trading plan.",
        "Holds 5,000 shares of Common Stock directly afterwards.",
    ]


def test_a_filing_comes_once_and_late_ones_are_not_lost(rig: Rig, edgar: Edgar) -> None:
    edgar.file(1, "8-K", WALL, report(1, WALL), items="8.01")
    first = rig.fetch()
    asked = len(rig.site.asked)
    rig.time.later(minutes=15)
    again = rig.fetch(first.cursor)
    assert (again.items, again.health.state) == ([], "ok")
    # one list, no filing, and the list of companies is known
    assert len(rig.site.asked) - asked == 1
    late = WALL - 5 * HOUR
    edgar.file(2, "8-K", late, report(2, late), items="1.01")
    rig.time.later(minutes=15)
    assert [item.source_id for item in rig.fetch(again.cursor).items] == ["0001234567-26-000002"]


def test_many_filings_are_read_over_several_reads_the_oldest_first(rig: Rig, edgar: Edgar) -> None:
    walls = [WALL - timedelta(minutes=n) for n in range(20, 0, -1)]
    for number, wall in enumerate(walls):
        edgar.file(number, "8-K", wall, report(number, wall), items="8.01")
    numbers: list[str] = []
    cursor = Cursor()
    for _ in range(3):
        fetched = rig.fetch(cursor)
        assert fetched.health.state == "ok", fetched.health
        assert len(fetched.items) <= MOST_FILINGS
        numbers += [item.source_id for item in fetched.items]
        cursor = fetched.cursor
        assert (cursor.page is None) == (len(numbers) == 20)
        assert (cursor.not_before is None) == (len(numbers) < 20)
        rig.time.later(seconds=30)
    assert numbers == [f"0001234567-26-{number:06d}" for number in range(20)]


def test_what_is_very_large_is_read_by_its_main_document(rig: Rig, edgar: Edgar) -> None:
    edgar.file(1, "8-K", WALL, b"", items="2.02", size=16_000_000)
    edgar.filed[f"{NUMBER.replace('-', '')}/main.htm"] = REPORT.encode()
    (item,) = rig.fetch().items
    assert str(item.text).startswith("Item 2.02")
    # from the list, whose Z is not one
    assert item.published_at == NOW - HOUR


@pytest.mark.parametrize("document", ["../../../etc/passwd", "/etc/passwd", "a b.htm", "..", ""])
def test_a_document_with_a_name_that_leads_elsewhere_is_not_asked_for(
    rig: Rig, edgar: Edgar, document: str
) -> None:
    edgar.file(1, "8-K", WALL, b"", items="2.02", size=16_000_000, primaryDocument=document)
    (item,) = rig.fetch().items
    assert item.text is None
    assert len(rig.site.asked) == 2


def test_a_filing_that_is_not_there_yet_is_tried_for_an_hour_then_its_listing_does(
    rig: Rig, edgar: Edgar
) -> None:
    wall = (NOW - 5 * HOUR).replace(tzinfo=None) - timedelta(minutes=10)
    edgar.file(1, "8-K", wall, b"", items="2.02")
    del edgar.filed[f"{NUMBER}.txt"]
    edgar.file(2, "8-K", wall, report(2, wall), items="8.01")
    fetched = rig.fetch()
    assert (fetched.health.state, fetched.health.code) == ("failing", "http_404")
    assert [item.source_id for item in fetched.items] == ["0001234567-26-000002"]
    rig.time.later(hours=1)
    fetched = rig.fetch(fetched.cursor)
    assert (fetched.health.state, titles(fetched)) == (
        "ok",
        ["Acme & Sons Inc. ($ACME): 8-K report: Results of Operations and Financial Condition"],
    )


@pytest.mark.req("C5")
def test_without_a_contact_nothing_is_asked(rig: Rig, edgar: Edgar) -> None:
    assert TERMS["edgar"].missing({}) == ("user_agent",)
    rig.keys = {}
    assert rig.targets() == []
    rig.keys = {"providers": {"user_agent": "Bellwether/1.0"}}
    fetched = rig.fetch()
    assert (fetched.health.state, fetched.health.code) == ("failing", "no_contact")
    assert rig.site.asked == []


@pytest.mark.parametrize(
    "fault",
    [
        web.status(403, UNDECLARED),
        web.status(429, TOO_QUICK),
        web.instead(web.Said(200, UNDECLARED)),
        web.instead(web.Said(200, TOO_QUICK)),
    ],
)
def test_once_refused_everybody_waits_as_long_as_the_sec_does(
    rig: Rig, edgar: Edgar, fault: web.Fault
) -> None:
    rig.track(Asset(symbol="BRK-B", name="Berkshire"))
    rig.site.faults.append(fault)
    refused = rig.fetch()
    assert refused.health.code in {"blocked", "too_many_requests"}
    assert rig.ports.providers.get("edgar").not_before == NOW + BLOCKED_FOR
    assert rig.fetch(target=1).health.state == "waiting"
    assert len(rig.site.asked) == 1
    rig.time.later(minutes=11)
    assert rig.fetch(refused.cursor).health.state == "ok"


def test_the_rate_the_sec_allows_is_kept_over_all_companies(rig: Rig, edgar: Edgar) -> None:
    for number in range(8):
        edgar.file(number, "8-K", WALL, report(number, WALL), items="8.01")
    for _ in range(6):
        assert rig.fetch().health.state == "ok"
    assert len(rig.site.asked) > 50
    assert rig.time.slept


def test_a_symbol_the_list_does_not_have_is_left_alone_for_a_day(rig: Rig, edgar: Edgar) -> None:
    edgar.symbol = "OTHER"
    fetched = rig.fetch()
    assert (fetched.health.code, fetched.cursor.not_before) == ("unknown_symbol", NOW + timedelta(hours=24))
    assert rig.ports.providers.get("edgar").not_before is None


def test_the_list_of_companies_is_fetched_once_a_day(rig: Rig, edgar: Edgar) -> None:
    for _ in range(3):
        rig.fetch()
    assert [asked.path for asked in rig.site.asked].count("/files/company_tickers.json") == 1
    rig.time.later(hours=25)
    rig.fetch()
    assert [asked.path for asked in rig.site.asked].count("/files/company_tickers.json") == 2


def test_a_desk_that_was_away_for_long_says_what_it_left_out(rig: Rig, edgar: Edgar) -> None:
    fetched = rig.fetch(Cursor(since=NOW - timedelta(days=90)))
    assert (fetched.health.state, fetched.health.code) == ("ok", "left_out")


@pytest.mark.parametrize("at", ["companies", "list", "filing"])
@pytest.mark.parametrize("broken", faults(empty="bad_answer"), ids=lambda one: one.name)
def test_whatever_breaks_is_known_by_a_code_and_moves_no_cursor(
    rig: Rig, edgar: Edgar, broken: Broken, at: str
) -> None:
    # within the hour in which a filing is tried again
    wall = (NOW - 5 * HOUR).replace(tzinfo=None) - timedelta(minutes=5)
    edgar.file(1, "8-K", wall, report(1, wall), items="8.01")
    rig.seconds = 0.5 if broken.name == "trickle" else 5.0
    rig.site.faults.extend([None] * ["companies", "list", "filing"].index(at))
    rig.site.faults.append(broken.fault)
    before = Cursor(since=NOW - 3 * HOUR, seen=("kept",))
    fetched = rig.fetch(before)
    half = at == "filing" and broken.code == "bad_answer"
    assert fetched.health.code == ("cut_short" if half else broken.code), fetched.health.detail
    if broken.code is None:
        assert len(fetched.items) == 1
        return
    assert (fetched.health.state, fetched.items) == ("failing", [])
    assert "kept" in fetched.cursor.seen
    rig.seconds = 5.0
    rig.time.later(hours=3)
    again = rig.fetch(fetched.cursor)
    assert [item.source_id for item in again.items] == [NUMBER]


def test_rows_that_are_none_sink_nothing(rig: Rig, edgar: Edgar) -> None:
    edgar.file(1, "8-K", WALL, report(1, WALL), items="8.01")
    edgar.file(2, "8-K", WALL, b"", acceptanceDateTime="soon")
    edgar.file(3, "4", WALL, b"", accessionNumber=None)
    edgar.file(4, "8-K", WALL, report(4, WALL), items=None, size="many")
    edgar.file(5, "8-K", WALL, b"", acceptanceDateTime="2999-01-01T00:00:00.000Z")
    fetched = rig.fetch()
    assert fetched.health.refused == 2
    assert {item.source_id[-1] for item in fetched.items} >= {"1", "4"}
    assert all(item.published_at <= NOW for item in fetched.items)
