"""Every metric the desk makes of its own work: name, unit, meaning and the one dimension it is split by.

Handlers record by these names, dashboards and alarms read by them, and a test holds the three together. Each
series costs money every month, so what splits a figure is one of a few known words and never a user's, an
asset's or an item's.
"""

from collections.abc import Mapping
from typing import Literal, NamedTuple

from bellwether.domain.rights import ROUTES

Unit = Literal["Count", "Milliseconds", "Seconds", "None"]
Source = Literal["handlers", "access log"]

SERVICE = "bellwether"
OTHER = "other"
"""What a value that is none of the known ones is counted as."""

DIMENSIONS: Mapping[str, tuple[str, ...]] = {
    "route": tuple(sorted({route for _, route in ROUTES} | {"/health"})),
    "function": (
        "back_up",
        "clean_up",
        "comply",
        "evaluate",
        "fetch_news",
        "fetch_prices",
        "fetch_social",
        "project_ledger",
        "recover",
        "roll_signal_tables",
        "signal_worker",
    ),
    "provider": (
        "alphavantage",
        "edgar",
        "finnhub",
        "gdelt",
        "newsapi",
        "openai",
        "polygon",
        "reddit",
        "rss",
        "stooq",
        "tiingo",
        "x",
    ),
    "direction": ("cached", "input", "output"),
}
"""The known values of each dimension beside `service`."""


class Figure(NamedTuple):
    """One metric. `by` is the dimension it is also kept by, beside the total over all of its values."""

    unit: Unit
    meaning: str
    by: str | None = None
    source: Source = "handlers"


FIGURES: Mapping[str, Figure] = {
    # business
    "ItemsAccepted": Figure("Count", "posts and articles taken in"),
    "ItemsDuplicate": Figure("Count", "posts and articles that were known already"),
    "ItemsRejected": Figure("Count", "posts and articles refused as malformed"),
    "Signals": Figure("Count", "signals stored, abstentions included"),
    "AgentFailures": Figure("Count", "readings of an agent that raised"),
    "Scores": Figure("Count", "assets scored"),
    "Proposals": Figure("Count", "proposals appended to the ledger"),
    "Approvals": Figure("Count", "approvals"),
    "Rejections": Figure("Count", "rejections"),
    "Revocations": Figure("Count", "approvals taken back"),
    "Outcomes": Figure("Count", "forecasts that reached their horizon"),
    "HitRate": Figure("None", "share of newly resolved forecasts with the right sign"),
    "Brier": Figure("None", "mean Brier score of newly resolved forecasts"),
    "CalibrationError": Figure("None", "expected calibration error of an agent's resolved forecasts"),
    "BarsHeldBack": Figure("Count", "daily bars that were fetched and not believed"),
    "BrokenLedgerLinks": Figure("Count", "ledger entries that do not follow from the one before"),
    # performance, errors and successes
    "Answers": Figure("Count", "requests answered by a function"),
    "Refusals": Figure("Count", "1 for an answer that is the caller's fault (4xx), else 0"),
    "Faults": Figure("Count", "1 for an answer that is the desk's fault (5xx), else 0"),
    "AnswerMilliseconds": Figure("Milliseconds", "time in the function for an answer", by="route"),
    "Messages": Figure("Count", "messages worked on"),
    "MessageFailures": Figure("Count", "1 for a message that failed and comes again, else 0", by="function"),
    "MessageMilliseconds": Figure("Milliseconds", "time to work on a message"),
    "MessageWaitSeconds": Figure("Seconds", "age of a message when work on it began", by="function"),
    "Runs": Figure("Count", "scheduled runs begun", by="function"),
    "RunFailures": Figure("Count", "1 for a scheduled run that failed, else 0", by="function"),
    "RunMilliseconds": Figure("Milliseconds", "time of a scheduled run"),
    # security
    "Unauthorized": Figure("Count", "calls without a valid token or key"),
    "Forbidden": Figure("Count", "calls by somebody known without the right to make them"),
    "AuthorizerFaults": Figure("Count", "calls the authorizer could not decide"),
    "DeniedAtGateway": Figure("Count", "requests the gateway turned away by policy", source="access log"),
    # cost
    "ProviderCalls": Figure("Count", "calls to data providers", by="provider"),
    "ProviderItems": Figure("Count", "new items of data providers"),
    "ProviderLagSeconds": Figure("Seconds", "median age of new items when they were read"),
    "ProviderFailures": Figure("Count", "targets of providers that keep failing"),
    "ProviderDollars": Figure("None", "what calls to data providers cost, in US dollars", by="provider"),
    "ProviderBudgetUsed": Figure("None", "larger share of a day's or month's budget spent"),
    "LlmTokens": Figure("Count", "tokens language models read and wrote", by="direction"),
}


def namespace(stage: str) -> str:
    """The CloudWatch namespace of a stage's figures: stages of one account never mix."""
    return f"Bellwether/{stage}"


def known(dimension: str, value: str) -> str:
    """The value if it is one of the dimension's, else `other`."""
    return value if value in DIMENSIONS[dimension] else OTHER
