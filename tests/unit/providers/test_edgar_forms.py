"""EDGAR's documents: whose clock a list shows, what a Form 4 says, and forms that mean harm."""

import os
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from bellwether.adapters.providers.eastern_time import from_eastern, to_eastern
from bellwether.adapters.providers.edgar_filings import (
    FORMS,
    ITEMS,
    Company,
    Recent,
    filings_of,
    in_eastern_time,
)
from bellwether.adapters.providers.edgar_form4 import Unreadable, read_form4
from bellwether.adapters.providers.edgar_submission import read_submission, report_words, words_of
from bellwether.adapters.providers.edgar_tickers import Tickers
from bellwether.adapters.providers.guarded_http import Response
from tests.peers.edgar import REPORT, form4, submission, trade

DATA = Path(os.environ.get("BELLWETHER_DATA", Path(__file__).parents[4] / "shared" / "data")) / "edgar"
real = pytest.mark.skipif(not DATA.is_dir(), reason="the real filings ($BELLWETHER_DATA/edgar) are not here")
WALL = datetime(2026, 11, 20, 16, 5, 9)  # noqa: DTZ001  a clock on a wall


@pytest.mark.parametrize(
    ("wall", "hours"),
    [("2026-03-08 01:59", 5), ("2026-03-08 03:00", 4), ("2026-07-01 12:00", 4),
     ("2026-11-01 00:59", 4), ("2026-11-01 02:00", 5), ("2027-03-14 03:00", 4), ("2027-01-01 12:00", 5)],
)  # fmt: skip
def test_the_clock_of_new_york(wall: str, hours: int) -> None:
    at = datetime.fromisoformat(wall)
    assert from_eastern(at) == (at + timedelta(hours=hours)).replace(tzinfo=UTC)
    assert to_eastern(from_eastern(at)) == at


@given(st.datetimes(datetime(2007, 3, 12), datetime(2037, 12, 31)))  # noqa: DTZ001
def test_the_clock_of_new_york_is_the_one_the_time_zone_file_shows(moment: datetime) -> None:
    try:
        zone = ZoneInfo("America/New_York")
    except ZoneInfoNotFoundError:
        pytest.skip("this machine has no time zone files")
    at = moment.replace(tzinfo=UTC)
    local = at.astimezone(zone)
    if local.fold == 0:
        assert to_eastern(at) == local.replace(tzinfo=None)


def listed(*times: str) -> Recent:
    return Recent(
        accession_number=[f"0001234567-26-{n:06d}" for n in range(len(times))],
        form=["8-K"] * len(times),
        acceptance_date_time=list(times),
    )


@pytest.mark.parametrize(
    ("times", "first"),
    [
        # eight in the evening in London is four in New York: nothing tells; the later reading is taken
        (["2026-11-20T20:05:00.000Z"], "2026-11-21T01:05:00+00:00"),
        # half past one at night is when a company files whose list is in UTC
        (["2026-11-20T20:05:00.000Z", "2026-11-19T01:30:00.000Z"], "2026-11-19T01:30:00+00:00"),
        # six in the morning is when EDGAR opens: read as UTC it would be one at night
        (["2026-11-20T16:05:00.000Z", "2026-11-19T06:04:00.000Z"], "2026-11-19T11:04:00+00:00"),
    ],
)
def test_whose_clock_a_company_s_list_shows(times: list[str], first: str) -> None:
    found, refused = filings_of(listed(*times))
    assert (found[0].accepted.isoformat(), refused) == (first, 0)


@given(st.lists(st.datetimes(datetime(2020, 1, 1), datetime(2026, 1, 1)), min_size=20, max_size=60))  # noqa: DTZ001
def test_both_ways_to_list_the_same_filings_are_told_apart(moments: list[datetime]) -> None:
    walls = [at.replace(hour=6 + at.hour % 16) for at in moments]
    # early risers and late ones are what the two differ in
    walls += [walls[0].replace(hour=6), walls[0].replace(hour=21)]
    assert in_eastern_time(wall.replace(tzinfo=UTC) for wall in walls)
    assert not in_eastern_time(from_eastern(wall) for wall in walls)


@real
def test_a_real_list_shows_new_york_s_clock_with_a_z() -> None:
    company = msgspec.json.decode((DATA / "tesla_submissions.json").read_bytes(), type=Company)
    found, refused = filings_of(company.filings.recent)
    assert (company.name, refused) == ("Tesla, Inc.", 0)
    assert len(found) > 600
    assert {filing.form for filing in found} <= FORMS
    hours = [to_eastern(filing.accepted).hour for filing in found]
    assert sum(6 <= hour < 22 for hour in hours) >= len(hours) - 2
    results = next(filing for filing in found if filing.accession == "0001564590-22-034639")
    assert (results.accepted, results.size) == (datetime(2022, 10, 19, 21, 15, 46, tzinfo=UTC), 16088730)
    assert results.subjects == ["Results of Operations and Financial Condition"]
    assert all(number in ITEMS for filing in found for number in filing.items)


@real
def test_the_real_list_of_companies_knows_them() -> None:
    content = (DATA / "company_tickers.json").read_bytes()
    tickers, at = Tickers(), datetime(2026, 11, 23, tzinfo=UTC)

    def fetched() -> Response:
        return Response(status=200, url="", headers={}, content=content)

    assert tickers.cik("AAPL", fetched, "list", at) == 320193
    assert tickers.cik("BRK-B", fetched, "list", at) == 1067983


@real
def test_a_real_form_4_in_words() -> None:
    form = read_form4((DATA / "form4_snow.xml").read_text(), "X")
    assert form.title == (
        "Snowflake Inc. ($SNOW): Scarpelli Michael (Chief Financial Officer) sold 200,000 shares of "
        "Class A Common Stock (Form 4)"
    )
    assert form.text.splitlines()[1] == (
        "Sold 200,000 shares of Class A Common Stock at 151.76 dollars a share on average on 2022-12-13, "
        "30,351,310 dollars in all (open-market or private sale, code S)."
    )
    assert "10b5-1" not in form.text
    assert form.text.endswith("Holds 101,097 shares of Class A Common Stock directly afterwards.")


@pytest.mark.parametrize(
    ("plan", "note", "said"),
    [
        ("1", "None.", "Under a Rule 10b5-1 trading plan."),
        ("true", "None.", "Under a Rule 10b5-1 trading plan."),
        ("0", "None.", "Not under a Rule 10b5-1 trading plan."),
        ("0", "Pursuant to a Rule 10b5-1 plan.", "A footnote mentions a Rule 10b5-1 trading plan."),
        ("", "Pursuant to a 10b51 plan.", "A footnote mentions a Rule 10b5-1 trading plan."),
        ("", "None.", None),
    ],
)
def test_whether_a_plan_is_told(plan: str, note: str, said: str | None) -> None:
    lines = read_form4(form4(trade(), plan=plan, note=note), "X").text.splitlines()
    assert [line for line in lines if "10b5" in line] == ([said] if said else [])


def test_forms_as_they_also_are() -> None:
    bought = read_form4(form4(trade("F", "10"), trade("P", "1,500.5", "", "A", day="")), "X")
    assert bought.title.endswith("bought 1,500 shares of Common Stock (Form 4)")
    assert "Disposed of 10 shares of Common Stock at 20.50 dollars a share on 2026-11-20" in bought.text
    assert "Bought 1,500 shares of Common Stock (open-market or private purchase, code P)." in bought.text
    assert read_form4(form4(), "X").title.endswith("reports holdings, no transaction (Form 4)")
    given_away = read_form4(form4(trade("G", way="D"), trade("??", way="A", shares="nan")), "X")
    assert "gave away 1,000 shares" in given_away.title
    two = form4(trade()).replace(
        "<aff10b5One>", "<reportingOwner><reportingOwnerId/></reportingOwner><aff10b5One>"
    )
    assert "Doe Jane (director, Chief Executive Officer) and 1 more sold" in read_form4(two, "X").title
    strange = form4(trade()).replace("acme", "see remarks")
    assert read_form4(strange, "ACME").symbol == "ACME"


BOMB = (
    '<!DOCTYPE x [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">'
    '<!ENTITY c "&b;&b;&b;&b;&b;&b;&b;&b;&b;&b;">]>'
)


@pytest.mark.req("S4")
@pytest.mark.parametrize(
    "source",
    [
        BOMB + form4(trade(shares="&c;")),
        '<!doctype x SYSTEM "file:///etc/passwd">' + form4(trade()),
        form4(trade(shares="&c;")),
        form4("<a>" * 50_000 + "</a>" * 50_000) + " " * 2_000_000,
        form4(trade()).replace("</issuer>", ""),
        "<html><body>Sorry</body></html>",
        "",
    ],
    ids=["bomb", "external", "entity", "large", "unbalanced", "page", "nothing"],
)
def test_forms_that_are_none_or_mean_harm_are_refused(source: str) -> None:
    with pytest.raises(Unreadable):
        read_form4(source, "X")


def test_deep_nesting_does_no_harm() -> None:
    with suppress(Unreadable):
        read_form4(form4("<a>" * 100_000 + "</a>" * 100_000), "X")


@given(st.integers(0, 3_000), st.integers(0, 60), st.text(max_size=30))
def test_no_form_makes_reading_it_fail(at: int, gone: int, junk: str) -> None:
    whole = form4(trade(), trade("P", way="A"))
    with suppress(Unreadable):
        form = read_form4(whole[:at] + junk + whole[at + gone :], "X")
        assert form.title
        assert form.text


def test_a_submission_is_taken_apart() -> None:
    content = submission(
        "0001234567-26-000001", WALL, ("8-K", REPORT), ("EX-101.INS", "x"), ("EX-99.1", "<p>Up")
    )
    found = read_submission(content)
    assert [one.type for one in found.documents] == ["8-K", "EX-101.INS", "EX-99.1"]
    assert (found.accepted, found.whole) == (datetime(2026, 11, 20, 21, 5, 9, tzinfo=UTC), True)
    assert str(words_of(found.documents)).endswith("\nUp")
    assert not read_submission(content[:-40]).whole
    assert read_submission(b"<html>Sorry</html>").documents == []
    assert read_submission(content.replace(b"20261120160509", b"20269920160509")).accepted is None


def test_a_report_without_items_is_taken_whole() -> None:
    assert report_words("<p>Something happened.</p><p>Signature</p><p>J. D.</p>") == "Something happened."
    assert report_words("") is None


@given(st.binary(max_size=300), st.integers(0, 900))
def test_no_submission_makes_reading_it_fail(junk: bytes, at: int) -> None:
    whole = submission("0001234567-26-000001", WALL, ("8-K", REPORT))
    words_of(read_submission(whole[:at] + junk + whole[at:]).documents)
