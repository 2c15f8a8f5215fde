"""What the desk meters itself. The bill of AWS is watched from the billing stack, where it is told."""

from collections.abc import Iterator

from aws_cdk import Duration

from infrastructure.conditions.condition import Condition, figure
from infrastructure.settings import StageSettings

SHARE = 0.8
DAYS = 30
_DAY = Duration.days(1)
_TWENTY_MINUTES = Duration.minutes(20)


def provider_conditions(settings: StageSettings) -> Iterator[Condition]:
    """Providers that keep failing, and a day's spending on course for four fifths of the month's budget."""
    yield Condition(
        runbook="provider-failures",
        meaning="Targets of a data provider have been failing for an hour",
        metric=figure(settings, "ProviderFailures", statistic="Maximum", period=_TWENTY_MINUTES),
        threshold=0,
        periods=3,
    )
    yield Condition(
        runbook="provider-spend",
        meaning=f"A day's calls to data providers cost more than {SHARE:.0%} of a day's share of "
        f"{settings.provider_budget:,.0f} dollars a month",
        metric=figure(settings, "ProviderDollars", period=_DAY),
        threshold=SHARE * settings.provider_budget / DAYS,
    )
