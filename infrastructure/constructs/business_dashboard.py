"""The dashboard of what the desk is for."""

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from bellwether.handlers.figure_names import DIMENSIONS
from infrastructure.conditions.condition import HOUR, figure
from infrastructure.constructs.dashboard import DeskDashboard, graph, numbers
from infrastructure.settings import StageSettings


class BusinessDashboard(DeskDashboard):
    """From items to outcomes, and how often the desk was right."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(
            scope,
            construct_id,
            kind="business",
            title="Business",
            answers=(
                "How much comes in, and what becomes of it: items, signals, scores, proposals, decisions?",
                "How often was the desk right, and does it know how sure it may be?",
                "Which routes do people use, and how long do they wait?",
            ),
            runbooks=("no-items", "no-signals", "agent-failures", "broken-ledger"),
            settings=settings,
        )

        self.row(
            numbers(
                "Chain", *_each(settings, "ItemsAccepted", "Signals", "Proposals", "Approvals", "Outcomes")
            ),
            numbers(
                "Share of forecasts right", figure(settings, "HitRate", statistic="Average", period=HOUR)
            ),
        )
        self.row(
            graph("Items", *_each(settings, "ItemsAccepted", "ItemsDuplicate", "ItemsRejected")),
            graph("Signals and scores", *_each(settings, "Signals", "Scores", "AgentFailures")),
        )
        self.row(
            graph(
                "Proposals and decisions",
                *_each(settings, "Proposals", "Approvals", "Rejections", "Revocations"),
            ),
            graph("Outcomes", *_each(settings, "Outcomes")),
        )
        self.row(
            graph(
                "Hit rate, Brier score and calibration error",
                *_each(settings, "HitRate", "Brier", "CalibrationError", statistic="Average"),
            ),
            graph(
                "Time in the function by route, p95 (ms)",
                *(
                    figure(settings, "AnswerMilliseconds", statistic="p95", route=route, label=route)
                    for route in DIMENSIONS["route"]
                ),
            ),
        )


def _each(settings: StageSettings, *names: str, statistic: str = "Sum") -> list[cloudwatch.Metric]:
    return [figure(settings, name, statistic=statistic, period=HOUR) for name in names]
