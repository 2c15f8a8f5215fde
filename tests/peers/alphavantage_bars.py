"""Alpha Vantage's daily bars, splits and dividends on loopback: numbers as text, faults as status 200."""

from dataclasses import dataclass, field
from typing import Any

from tests.peers.web import Asked, Said, Site, said

KEY = "AV0123456789KEYS"
UNKNOWN = (
    "Invalid API call. Please retry or visit the documentation "
    "(https://www.alphavantage.co/documentation/) for {function}."
)
BAD_KEY = (
    "the parameter apikey is invalid or missing. Please claim your free API key on "
    "(https://www.alphavantage.co/support/#api-key). It should take less than 20 seconds."
)
DAILY = (
    "We have detected your API key as {key} and our standard API rate limit is 25 requests per day. Please "
    "subscribe to any of the premium plans to instantly remove all daily rate limits."
)
MINUTELY = (
    "Thank you for using Alpha Vantage! Our standard API call frequency is 5 calls per minute. Please visit "
    "https://www.alphavantage.co/premium/ if you would like to target a higher API call frequency."
)
PREMIUM = (
    "Thank you for using Alpha Vantage! This is a premium endpoint. You may subscribe to any of the premium "
    "plans at https://www.alphavantage.co/premium/ to instantly unlock all premium endpoints"
)


def daily(close: Any = "60.0000", **figures: str) -> dict[str, Any]:
    """A day of the series."""
    plain = {"1. open": "60.0000", "2. high": "61.0000", "3. low": "59.0000", "4. close": close}
    return {**plain, "5. volume": "1000", **figures}


@dataclass
class AlphaVantage:
    """What it knows of each symbol, newest day first as it tells them."""

    site: Site
    series: dict[str, dict[str, Any]] = field(default_factory=dict)
    splits: list[dict[str, str]] = field(default_factory=list)
    dividends: list[dict[str, str]] = field(default_factory=list)
    calls_left: int = 25

    def __post_init__(self) -> None:
        self.site.route("GET", "/query", self._query)

    def _query(self, asked: Asked) -> Said:
        function, symbol, key = asked.one("function"), asked.one("symbol") or "", asked.one("apikey")
        if key != KEY:
            return said({"Error Message": BAD_KEY})
        if self.calls_left <= 0:
            return said({"Information": DAILY.format(key=KEY)})
        self.calls_left -= 1
        if function == "TIME_SERIES_DAILY":
            return self._daily(asked, symbol)
        if function in {"SPLITS", "DIVIDENDS"}:
            return said({"symbol": symbol, "data": self.splits if function == "SPLITS" else self.dividends})
        return said({"Information": PREMIUM})

    def _daily(self, asked: Asked, symbol: str) -> Said:
        if asked.one("outputsize") not in {None, "compact"}:
            return said({"Information": PREMIUM})
        if symbol not in self.series:
            return said({"Error Message": UNKNOWN.format(function="TIME_SERIES_DAILY")})
        days = sorted(self.series[symbol], reverse=True)[:100]
        return said(
            {
                "Meta Data": {"2. Symbol": symbol, "4. Output Size": "Compact", "5. Time Zone": "US/Eastern"},
                "Time Series (Daily)": {day: self.series[symbol][day] for day in days},
            }
        )
