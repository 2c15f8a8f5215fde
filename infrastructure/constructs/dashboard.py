"""What all dashboards are made of: a text that says what it answers, and graphs in rows of two."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infrastructure.settings import StageSettings

MINUTE = Duration.minutes(1)
_WIDTH = 12
_ALL = 24


class DeskDashboard(Construct):
    """One dashboard, named `bellwether-STAGE-KIND`.

    `answers` are the questions it answers, `runbooks` the files to read when it shows trouble.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        kind: str,
        title: str,
        answers: Sequence[str],
        runbooks: Sequence[str],
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self.dashboard = cloudwatch.Dashboard(
            self,
            "Dashboard",
            # A name is taken once in an account, whatever the region.
            dashboard_name=f"{settings.prefix}-{'standby-' if settings.standby else ''}{kind}",
            default_interval=Duration.hours(12),
        )
        lines = [f"# {title} ({settings.name})", *(f"* {question}" for question in answers)]
        links = ", ".join(f"[{name}]({settings.runbooks}/{name}.md)" for name in runbooks)
        self.dashboard.add_widgets(
            cloudwatch.TextWidget(
                markdown="\n".join([*lines, "", f"Runbooks: {links}"]),
                width=_ALL,
                height=3 + len(answers) // 2,
            )
        )

    def show_alarms(self, alarms: Sequence[cloudwatch.IAlarm]) -> None:
        """A row of alarms' states; the widget takes at most a hundred."""
        if alarms:
            self.dashboard.add_widgets(
                cloudwatch.AlarmStatusWidget(alarms=list(alarms)[:100], title="Alarms", width=_ALL, height=5)
            )

    def row(self, *graphs: cloudwatch.IWidget) -> None:
        """Graphs side by side."""
        self.dashboard.add_widgets(*graphs)


def graph(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.GraphWidget:
    """Half a row."""
    return cloudwatch.GraphWidget(title=title, left=list(metrics), width=_WIDTH)


def numbers(title: str, *metrics: cloudwatch.IMetric) -> cloudwatch.SingleValueWidget:
    """Half a row of single values over the dashboard's whole interval."""
    return cloudwatch.SingleValueWidget(
        title=title, metrics=list(metrics), width=_WIDTH, height=4, set_period_to_time_range=True
    )
