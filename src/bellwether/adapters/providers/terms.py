"""The providers there are, what each allows and charges, and where that was read. A stage may say otherwise.

Quotas are below what a provider allows where it counts in a way that cannot be known (its own days, other
programs on the same key), and `burst` is what one round of targets needs.
"""

from collections.abc import Mapping

from bellwether.domain.provider_terms import Quota, Terms

MINUTE, HOUR, DAY = 60.0, 3_600.0, 86_400.0

_ROWS = (
    Terms(
        name="x",
        title="X",
        purpose="social",
        secret="x",  # noqa: S106  the name of a secret, not one
        needs=("bearer_token",),
        quotas=(Quota(calls=450, seconds=15 * MINUTE, burst=60),),
        item_dollars=0.005,
        daily_dollars=5.0,
        monthly_dollars=50.0,
        pause_after_429=15 * MINUTE,
        source="docs.x.com, recent search and pay-per-use prices, 2026-11",
    ),
    Terms(
        name="reddit",
        title="Reddit",
        purpose="social",
        secret="reddit",  # noqa: S106
        wants=("client_id", "client_secret", "username"),
        quotas=(Quota(calls=1_000, seconds=10 * MINUTE, burst=60),),
        source="Reddit Data API wiki, 100 queries a minute over ten minutes, 2026-11",
    ),
    Terms(
        name="rss",
        title="RSS and Atom feeds",
        purpose="news",
        source="each feed is its own server's; conditional requests every five minutes",
    ),
    Terms(
        name="gdelt",
        title="GDELT",
        purpose="news",
        quotas=(Quota(calls=1, seconds=5.5),),
        pause_after_429=5 * MINUTE,
        source="GDELT DOC 2.0, one request in five seconds, 2026-11",
    ),
    Terms(
        name="edgar",
        title="SEC EDGAR",
        purpose="news",
        secret="providers",  # noqa: S106
        needs=("user_agent",),
        quotas=(Quota(calls=8, seconds=1.0, burst=4),),
        pause_after_429=11 * MINUTE,
        source="sec.gov/os/accessing-edgar-data, ten requests a second in all, 2026-11",
    ),
    Terms(
        name="newsapi",
        title="NewsAPI",
        purpose="news",
        secret="news",  # noqa: S106
        needs=("newsapi_key",),
        quotas=(Quota(calls=100, seconds=DAY, burst=10),),
        pause_after_429=HOUR,
        source="newsapi.org/pricing, developer plan, 2026-11",
    ),
    Terms(
        name="finnhub",
        title="Finnhub",
        purpose="news",
        secret="news",  # noqa: S106
        needs=("finnhub_key",),
        quotas=(Quota(calls=60, seconds=MINUTE, burst=30), Quota(calls=30, seconds=1.0, burst=10)),
        source="finnhub.io/docs/api/rate-limit, free plan, 2026-11",
    ),
    Terms(
        name="alphavantage",
        title="Alpha Vantage",
        purpose="news",
        secret="news",  # noqa: S106
        needs=("alphavantage_key",),
        quotas=(Quota(calls=25, seconds=DAY, burst=4), Quota(calls=1, seconds=1.1)),
        pause_after_429=HOUR,
        source="alphavantage.co/support, free plan, 2026-11",
    ),
    Terms(
        name="tiingo",
        title="Tiingo",
        purpose="prices",
        secret="prices",  # noqa: S106
        needs=("tiingo_api_key",),
        quotas=(Quota(calls=50, seconds=HOUR, burst=40), Quota(calls=1_000, seconds=DAY, burst=500)),
        pause_after_429=HOUR,
        source="tiingo.com/about/pricing, free plan, 2026-11",
    ),
    Terms(
        name="polygon",
        title="Massive (Polygon)",
        purpose="prices",
        secret="prices",  # noqa: S106
        needs=("polygon_api_key",),
        quotas=(Quota(calls=5, seconds=MINUTE, burst=5),),
        source="massive.com/pricing, free plan, 2026-11",
    ),
    Terms(
        name="stooq",
        title="Stooq",
        purpose="prices",
        secret="prices",  # noqa: S106
        wants=("stooq_api_key",),
        quotas=(Quota(calls=200, seconds=DAY, burst=100), Quota(calls=1, seconds=1.0)),
        pause_after_429=HOUR,
        source="stooq.com; the daily limit is not published and was found by users, 2026-11",
    ),
    Terms(
        name="openai",
        title="OpenAI",
        purpose="agent",
        secret="openai",  # noqa: S106
        needs=("api_key",),
        quotas=(Quota(calls=500, seconds=MINUTE, burst=50),),
        daily_dollars=2.0,
        monthly_dollars=20.0,
        daily_tokens=4_000_000,
        monthly_tokens=40_000_000,
        source="platform.openai.com/docs/guides/rate-limits, tier 1, 2026-11",
    ),
)

TERMS: Mapping[str, Terms] = {row.name: row for row in _ROWS}
