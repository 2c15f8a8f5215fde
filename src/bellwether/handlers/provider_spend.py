"""What a round of calls to data providers came to, as figures: no bill of AWS shows what they cost."""

from collections.abc import Mapping
from datetime import datetime

from bellwether.adapters.providers.tally import Tally
from bellwether.domain.provider_record import budget_used
from bellwether.domain.provider_terms import Terms
from bellwether.handlers.figures import record
from bellwether.usecases.ports import ProviderRecords


def tell(
    tallies: Mapping[str, Tally], records: ProviderRecords, terms: Mapping[str, Terms], at: datetime
) -> None:
    """The figures of a round, a line for each provider. The share of a budget is told where there is one,
    of a provider that was not asked as well: it is what the alarm reads."""
    for provider, tally in sorted(tallies.items()):
        figures: dict[str, float] = {
            "ProviderCalls": tally.calls,
            "ProviderFailures": tally.failing,
            "ProviderItems": tally.items,
            "ProviderDollars": tally.dollars,
        }
        if tally.lag is not None:
            figures["ProviderLagSeconds"] = tally.lag
        if (used := budget_used(records.get(provider), terms[provider], at)) is not None:
            figures["ProviderBudgetUsed"] = round(used, 4)
        record({"provider": provider}, **figures)
