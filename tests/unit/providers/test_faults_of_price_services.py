"""Every way the web breaks, at every provider of prices: a code, no bar, and no key anywhere."""

import logging
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date
from urllib.parse import urlsplit

import pytest

from bellwether.adapters.memory import MemoryProviderRecords
from bellwether.adapters.providers.guarded_http import GuardedHttp, Refused
from bellwether.adapters.providers.prices.asking import PriceProvider
from bellwether.adapters.providers.prices.choosing import KEY_MEMBERS, price_provider, price_providers
from bellwether.adapters.providers.prices.rows import history_of
from tests.peers import alphavantage_bars as alphavantage
from tests.peers import market_data, polygon, web
from tests.peers.market_data import NAMES, Waits, price_sources
from tests.peers.web import Asked, Fault, Said, Site, said

pytestmark = pytest.mark.enable_socket

FIRST, LAST = date(2024, 1, 2), date(2024, 1, 31)
KEYS = {
    "tiingo_api_key": market_data.KEY,
    "polygon_api_key": polygon.KEY,
    "alphavantage_key": alphavantage.KEY,
    "stooq_api_key": "stooqKEY123",
}
DAYS = ("2024-01-03", "2024-01-02", "2024-01-04", "2024-01-03", "2024-06-03")
"""Out of order, one twice, and one that is still to come."""


def tiingo(served: Site) -> None:
    def prices(asked: Asked) -> Said:
        if asked.headers.get("authorization") != f"Token {market_data.KEY}":
            return said({"detail": "Invalid token."}, 401)
        return said([market_data.tiingo_bar(day) for day in DAYS])

    served.route("GET", "/tiingo/daily/KO/prices", prices)


def stooq(served: Site) -> None:
    rows = market_data.stooq_table(*(f"{day},60,61,59,60,1000" for day in DAYS))
    served.route("GET", "/q/d/l/", lambda _: Said(200, rows, {"Content-Type": "text/plain"}))


def massive(served: Site) -> None:
    polygon.Polygon(served, bars={"KO": [polygon.aggregate(day) for day in DAYS]})


def vantage(served: Site) -> None:
    alphavantage.AlphaVantage(served, series={"KO": {day: alphavantage.daily() for day in DAYS}})


SERVED: dict[str, Callable[[Site], None]] = {
    "tiingo": tiingo,
    "polygon": massive,
    "alphavantage": vantage,
    "stooq": stooq,
}


@dataclass
class At:
    """One provider at its peer."""

    name: str
    site: Site
    provider: PriceProvider
    records: MemoryProviderRecords
    waits: Waits


@pytest.fixture(params=NAMES)
def at(request: pytest.FixtureRequest) -> Iterator[At]:
    with web.site() as started:
        SERVED[request.param](started)
        waits, records = Waits(), MemoryProviderRecords()
        http = GuardedHttp(trusted={started.host}, seconds=0.6, largest=200_000)
        sources = price_sources(started.address, (), waits, http=http, records=records, keys=KEYS)
        provider = price_provider(request.param, sources, patience=0.0)
        assert provider is not None
        yield At(request.param, started, provider, records, waits)


FAULTS: dict[str, tuple[Fault, set[str]]] = {
    "busy": (web.status(429, b"{}"), {"too_many_requests"}),
    "away": (web.status(503, b"<html>"), {"http_503"}),
    "teapot": (web.status(418), {"http_418"}),
    "no key": (web.status(401, b'{"detail": "no"}'), {"key_refused"}),
    "cut": (web.cut, {"cut_short"}),
    "reset": (web.reset, {"unreachable"}),
    "trickle": (web.trickle(0.05), {"too_slow"}),
    "bomb": (web.bomb(), {"too_large"}),
    "five megabytes": (web.large(5_000_000), {"too_large"}),
    "to ourselves": (web.redirect("http://127.0.0.1:1/"), {"private_address"}),
    "to a file": (web.redirect("file:///etc/passwd"), {"bad_address"}),
    "a page": (web.html(), {"bad_answer"}),
    "nothing": (web.instead(Said(200, b"")), {"bad_answer", "no_bars"}),
    "null": (web.instead(Said(200, b"null")), {"bad_answer"}),
    "no text": (web.changed(lambda body: b"\xff\xfa\x00" + body), {"bad_answer"}),
    "not gzip": (
        web.changed(lambda body: body, Content_Encoding="gzip"),
        {"bad_encoding"},
    ),
}


@pytest.mark.req("C5", "S4")
@pytest.mark.parametrize("fault", FAULTS)
def test_a_fault_has_a_code_and_shows_no_key(at: At, fault: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    broken, codes = FAULTS[fault]
    at.site.faults.append(broken)
    with pytest.raises(Refused) as refused:
        at.provider.fetch("KO", FIRST, LAST)
    assert refused.value.code in codes
    record = at.records.get(at.name)
    shown = f"{refused.value.detail} {refused.value!r} {record} {caplog.text}"
    assert all(key not in shown for key in KEYS.values())
    assert refused.value.detail.isprintable()
    assert len(at.site.asked) == 1


@pytest.mark.req("C5")
@pytest.mark.parametrize("at", ["tiingo", "polygon", "alphavantage"], indirect=True)
def test_half_a_document_is_no_answer(at: At) -> None:
    at.site.faults.append(web.truncated)
    with pytest.raises(Refused) as refused:
        at.provider.fetch("KO", FIRST, LAST)
    assert refused.value.code == "bad_answer"


@pytest.mark.req("C5")
def test_a_provider_that_answers_again_is_used_again(at: At) -> None:
    at.site.faults.append(web.status(503))
    with pytest.raises(Refused):
        at.provider.fetch("KO", FIRST, LAST)
    at.waits.sleep(3_600)
    patient = price_sources(at.site.address, {at.site.host}, at.waits, records=at.records, keys=KEYS)
    provider = price_provider(at.name, patient, patience=60)
    assert provider is not None
    provider.fetch("KO", FIRST, LAST)
    assert at.records.get(at.name).state == "ok"


@pytest.mark.req("C5")
def test_after_failures_in_a_row_nobody_asks_for_a_while(at: At) -> None:
    for _ in range(5):
        at.site.faults.append(web.status(500))
        with pytest.raises(Refused):
            at.provider.fetch("KO", FIRST, LAST)
        at.waits.sleep(30)
        # the quotas of a day are not what is looked at here
        record = at.records.get(at.name)
        assert record.failures > 0
        if at.name == "alphavantage":
            at.waits.sleep(4_000)
    asked = len(at.site.asked)
    at.waits.now = at.records.get(at.name).called_at or at.waits.now
    with pytest.raises(Refused):
        at.provider.fetch("KO", FIRST, LAST)
    assert len(at.site.asked) == asked


@pytest.mark.req("A3")
def test_days_out_of_order_twice_and_to_come_are_put_right(at: At) -> None:
    patient = price_sources(at.site.address, {at.site.host}, at.waits, keys=KEYS)
    provider = price_provider(at.name, patient, patience=60)
    assert provider is not None
    told = provider.fetch("KO", FIRST, LAST)
    history, held = history_of("KO", told, FIRST, LAST)
    assert history.dates == [date(2024, 1, 2), date(2024, 1, 3), date(2024, 1, 4)]
    assert history.close == [60.0] * 3
    assert {one.code for one in held} <= {"in_the_future"}


def test_a_row_told_twice_in_two_ways_is_none() -> None:
    told = market_data.tiingo_bar("2024-01-02"), market_data.tiingo_bar("2024-01-02", close=60.5)
    with web.site() as served:
        served.route("GET", "/tiingo/daily/KO/prices", lambda _: said(list(told)))
        sources = price_sources(served.address, {served.host}, keys=KEYS)
        provider = price_provider("tiingo", sources, patience=0)
        assert provider is not None
        history, held = history_of("KO", provider.fetch("KO", FIRST, LAST), FIRST, LAST)
    assert history.dates == []
    assert [one.code for one in held] == ["two_bars"]


def test_providers_are_asked_in_the_order_of_their_keys_and_stooq_last() -> None:
    some = {"polygon_api_key": "k", "alphavantage_key": " ", "tiingo_api_key": "two words"}
    usable, refused = price_providers(price_sources("http://127.0.0.1:1", (), keys=some), patience=0)
    assert [one.name for one in usable] == ["polygon", "stooq"]
    assert [(name, fault.code) for name, fault in refused.items()] == [("tiingo", "key_refused")]
    usable, refused = price_providers(price_sources("http://127.0.0.1:1", (), keys=KEYS), patience=0)
    assert [one.name for one in usable] == list(KEY_MEMBERS)


def test_the_peers_know_the_real_addresses() -> None:
    from bellwether.adapters.providers.prices import alphavantage as av
    from bellwether.adapters.providers.prices import polygon as massive_com
    from bellwether.adapters.providers.prices import stooq as st
    from bellwether.adapters.providers.prices import tiingo as ti

    hosts = {urlsplit(module.ADDRESS).hostname for module in (av, massive_com, st, ti)}
    assert hosts == {"www.alphavantage.co", "api.massive.com", "stooq.com", "api.tiingo.com"}
