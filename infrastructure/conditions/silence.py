"""Nothing fails and nothing happens: what only the absence of good news tells."""

from collections.abc import Iterator

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch

from infrastructure.conditions.condition import FIVE_MINUTES, HOUR, Condition, Incident, figure
from infrastructure.constructs.schedules import ALSO_IN_STANDBY
from infrastructure.settings import StageSettings

MANY_ITEMS = 50

EXPECTED: dict[str, tuple[Duration, int]] = {
    "fetch_social": (FIVE_MINUTES, 3),
    "fetch_news": (FIVE_MINUTES, 4),
    "recover": (HOUR, 3),
    "fetch_prices": (HOUR, 26),
    "comply": (HOUR, 3),
    "evaluate": (HOUR, 26),
    "back_up": (HOUR, 26),
    "roll_signal_tables": (HOUR, 26),
}
"""Within how many periods a schedule must have run at least once; two hours over a day, for the nights clocks
change. `clean_up` runs once a week, which is as long as CloudWatch looks back: only its failures alarm.
"""


def silence_conditions(settings: StageSettings) -> Iterator[Condition]:
    """Schedules that do not run, no items, and items that become no signals.

    What stands by is silent but for the schedule that runs there too.
    """
    for function, (period, periods) in EXPECTED.items():
        if settings.standby and function not in ALSO_IN_STANDBY:
            continue
        yield Condition(
            runbook="silent-schedule",
            name=function,
            meaning=f"{function} has not run when it should have",
            metric=_filled(figure(settings, "Runs", period=period, function=function), period),
            threshold=1,
            below=True,
            periods=periods,
            silence_is_bad=True,
            incident=Incident.SILENCE,
        )
    if settings.standby:
        return
    yield Condition(
        runbook="no-items",
        meaning=f"No post and no article was taken in for {settings.quiet_hours} hours",
        metric=_filled(figure(settings, "ItemsAccepted", period=HOUR), HOUR),
        threshold=1,
        below=True,
        periods=settings.quiet_hours,
        silence_is_bad=True,
        incident=Incident.SILENCE,
    )
    yield Condition(
        runbook="no-signals",
        meaning=f"{MANY_ITEMS} items or more in an hour, and not one signal",
        metric=cloudwatch.MathExpression(
            expression=f"IF(FILL(items, 0) >= {MANY_ITEMS} AND FILL(signals, 0) < 1, 1, 0)",
            using_metrics={
                "items": figure(settings, "ItemsAccepted", period=HOUR),
                "signals": figure(settings, "Signals", period=HOUR),
            },
            period=HOUR,
            label="items without signals",
        ),
        threshold=0,
        incident=Incident.SILENCE,
    )


def _filled(metric: cloudwatch.Metric, period: Duration) -> cloudwatch.MathExpression:
    """Zero where there is no data.

    With real points missing CloudWatch reaches further back for older ones, by how much it does not say: the
    alarm would come late. Filled, each period counts as what it is.
    """
    return cloudwatch.MathExpression(
        expression="FILL(seen, 0)", using_metrics={"seen": metric}, period=period, label="seen"
    )
