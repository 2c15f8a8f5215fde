"""What tells the operator how the desk is."""

from collections.abc import Iterator, Mapping

from aws_cdk import Stack
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from infrastructure.conditions.answers import answer_conditions
from infrastructure.conditions.condition import Condition
from infrastructure.conditions.money import provider_conditions
from infrastructure.conditions.security import caller_conditions, firewall_conditions, sign_in_conditions
from infrastructure.conditions.silence import silence_conditions
from infrastructure.conditions.work import (
    failure_conditions,
    function_conditions,
    lag_conditions,
    table_conditions,
)
from infrastructure.constructs.access_figures import AccessFigures
from infrastructure.constructs.alarms import Alarms
from infrastructure.constructs.business_dashboard import BusinessDashboard
from infrastructure.constructs.cost_dashboard import CostDashboard
from infrastructure.constructs.health_dashboard import HealthDashboard
from infrastructure.constructs.notifications import Notifications
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.saved_queries import SavedQueries
from infrastructure.constructs.security_dashboard import SecurityDashboard
from infrastructure.settings import Feature, StageSettings
from infrastructure.stacks.api import ApiStack
from infrastructure.stacks.auth import AuthStack
from infrastructure.stacks.compute import ComputeStack
from infrastructure.stacks.environment import environment
from infrastructure.stacks.holdings import Keys


class ObservabilityStack(Stack):
    """Alarms, who hears them, dashboards and saved queries; logs belong to the functions that write them."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        security: Keys,
        auth: AuthStack,
        compute: ComputeStack,
        api: ApiStack,
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        self._settings, self._auth, self._compute, self._api = settings, auth, compute, api
        self._functions = [
            *compute.functions.by_name.values(),
            *api.functions.by_name.values(),
            *auth.functions.by_name.values(),
        ]
        self.notifications = Notifications(self, "Notifications", key=security.alarm_key, settings=settings)
        self.failures: Mapping[str, sqs.IQueue] = {
            **compute.failure_queues,
            "lost_changes": api.lost_changes,
            "undelivered": self.notifications.undelivered,
        }
        self.alarms = Alarms(
            self,
            "Alarms",
            conditions=self._conditions(),
            notifications=self.notifications,
            settings=settings,
        )
        if settings.has(Feature.ACCESS_LOG_ROLE):
            AccessFigures(self, "AccessFigures", log=api.rest.access_log, settings=settings)
        if settings.has(Feature.SAVED_QUERIES):
            SavedQueries(
                self,
                "Queries",
                functions=self._functions,
                access_log=api.rest.access_log,
                settings=settings,
            )
        self._dashboards()
        publish(self, "alarm_topic_arn", self.notifications.pages.topic_arn, "Topic of what pages")
        publish(self, "ticket_topic_arn", self.notifications.tickets.topic_arn, "Topic of what can wait")
        publish(
            self,
            "notifications_queue_url",
            self.notifications.sent.queue_url,
            "Notifications as they were sent",
        )

    def _conditions(self) -> Iterator[Condition]:
        settings, compute, api = self._settings, self._compute, self._api
        yield from answer_conditions(api.rest.api, settings)
        yield from failure_conditions(self.failures)
        yield from lag_conditions(compute.ingest.queue, compute.decisions.queue, api.functions["broadcast"])
        yield from function_conditions(self._functions, settings)
        yield from caller_conditions(settings)
        yield from provider_conditions(settings)
        if settings.has(Feature.METRIC_MATH):
            yield from table_conditions(compute.given.tables)
            yield from sign_in_conditions(*self._sign_ins())
        if settings.has(Feature.SILENCE):
            yield from silence_conditions(settings)
        if settings.has(Feature.FIREWALL):
            yield from firewall_conditions(self, settings)

    def _sign_ins(self) -> tuple[str, str]:
        users = self._auth.users
        return users.pool.user_pool_id, users.client.user_pool_client_id

    def _dashboards(self) -> None:
        settings, compute, api = self._settings, self._compute, self._api
        alarms = [*self.alarms.incidents, *self.alarms.watched]
        self.health = HealthDashboard(
            self,
            "Health",
            api=api.rest.api,
            functions=self._functions,
            queues={"ingest": compute.ingest.queue, "decisions": compute.decisions.queue},
            failures=self.failures,
            alarms=alarms,
            settings=settings,
        )
        business = BusinessDashboard(self, "Business", settings=settings)
        cost = CostDashboard(
            self,
            "Cost",
            api=api.rest.api,
            functions=self._functions,
            tables=compute.given.tables,
            settings=settings,
        )
        security = SecurityDashboard(
            self,
            "Security",
            region=self.region,
            sign_ins=self._sign_ins(),
            alarms=self.alarms.incidents,
            settings=settings,
        )
        for name, shown in {
            "dashboard_name": self.health,
            "business_dashboard_name": business,
            "cost_dashboard_name": cost,
            "security_dashboard_name": security,
        }.items():
            publish(self, name, shown.dashboard.dashboard_name, "Dashboard")
