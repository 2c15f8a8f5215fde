"""The alarms: each condition as one, and those of an incident gathered into a single page."""

from collections.abc import Iterable

from aws_cdk import aws_cloudwatch as cloudwatch
from aws_cdk import aws_cloudwatch_actions as actions
from constructs import Construct

from infrastructure.conditions.condition import INCIDENTS, Condition, Incident
from infrastructure.constructs.notifications import Notifications
from infrastructure.settings import Feature, StageSettings


class Alarms(Construct):
    """`watched` lists the alarms for the dashboard, `incidents` what pages.

    A condition is a ticket. It pages through its incident; where a stage has no alarms made of alarms, it
    pages itself.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        conditions: Iterable[Condition],
        notifications: Notifications,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self._gathered = settings.has(Feature.COMPOSITE_ALARMS)
        self._page = actions.SnsAction(notifications.pages)
        self._ticket = actions.SnsAction(notifications.tickets)
        self.watched: list[cloudwatch.AlarmBase] = []
        members: dict[Incident, list[cloudwatch.AlarmBase]] = {}
        for condition in conditions:
            alarm = self._alarm(condition)
            self.watched.append(alarm)
            if condition.incident:
                members.setdefault(condition.incident, []).append(alarm)
        self.incidents = (
            [self._incident(incident, alarms) for incident, alarms in members.items()]
            if self._gathered
            else []
        )

    def _alarm(self, condition: Condition) -> cloudwatch.Alarm:
        compared = cloudwatch.ComparisonOperator
        missing = cloudwatch.TreatMissingData
        alarm = cloudwatch.Alarm(
            self,
            _construct_id(condition.full_name),
            alarm_name=f"{self._settings.prefix}-{condition.full_name}",
            alarm_description=self._told(condition.meaning, condition.runbook),
            metric=condition.metric,
            threshold=condition.threshold,
            comparison_operator=(
                compared.LESS_THAN_THRESHOLD if condition.below else compared.GREATER_THAN_THRESHOLD
            ),
            evaluation_periods=condition.periods,
            datapoints_to_alarm=condition.datapoints or condition.periods,
            treat_missing_data=missing.BREACHING if condition.silence_is_bad else missing.NOT_BREACHING,
        )
        pages = condition.incident is not None and not self._gathered
        self._notify(alarm, self._page if pages else self._ticket)
        return alarm

    def _incident(self, incident: Incident, alarms: list[cloudwatch.AlarmBase]) -> cloudwatch.CompositeAlarm:
        rules = [cloudwatch.AlarmRule.from_alarm(alarm, cloudwatch.AlarmState.ALARM) for alarm in alarms]
        gathered = cloudwatch.CompositeAlarm(
            self,
            _construct_id(incident.value),
            composite_alarm_name=f"{self._settings.prefix}-{incident.value}",
            alarm_description=self._told(INCIDENTS[incident], incident.value),
            alarm_rule=cloudwatch.AlarmRule.any_of(*rules),
        )
        self._notify(gathered, self._page)
        return gathered

    def _told(self, meaning: str, runbook: str) -> str:
        return f"{meaning} ({self._settings.name}). Runbook: {self._settings.runbooks}/{runbook}.md"

    @staticmethod
    def _notify(alarm: cloudwatch.AlarmBase, action: actions.SnsAction) -> None:
        alarm.add_alarm_action(action)
        alarm.add_ok_action(action)


def _construct_id(name: str) -> str:
    return "".join(part.capitalize() for part in name.split("-"))
