"""What the desk meters itself. The bill of AWS is watched from the billing stack, where it is told."""

from collections.abc import Iterator

from aws_cdk import Duration

from infrastructure.conditions.condition import Condition, figure
from infrastructure.settings import StageSettings

SHARE = 0.8
_TWENTY_MINUTES = Duration.minutes(20)


def provider_conditions(settings: StageSettings) -> Iterator[Condition]:
    """Providers that keep failing, and one whose budget of a day or a month is four fifths spent."""
    yield Condition(
        runbook="provider-failures",
        meaning="Targets of a data provider have been failing for an hour",
        metric=figure(settings, "ProviderFailures", statistic="Maximum", period=_TWENTY_MINUTES),
        threshold=0,
        periods=3,
    )
    yield Condition(
        runbook="provider-spend",
        meaning=f"A provider has used up {SHARE:.0%} of its budget of the day or the month; at all of it the "
        "desk stops asking that provider, and no other",
        metric=figure(settings, "ProviderBudgetUsed", statistic="Maximum", period=_TWENTY_MINUTES),
        # what is compared is rounded to four places
        threshold=SHARE - 0.0001,
    )
