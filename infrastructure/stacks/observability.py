"""What tells the operator how the desk is."""

from aws_cdk import Stack
from constructs import Construct

from infrastructure.constructs.alarms import Alarms
from infrastructure.constructs.health_dashboard import HealthDashboard
from infrastructure.constructs.outputs import publish
from infrastructure.settings import StageSettings
from infrastructure.stacks.api import ApiStack
from infrastructure.stacks.auth import AuthStack
from infrastructure.stacks.compute import ComputeStack
from infrastructure.stacks.environment import environment
from infrastructure.stacks.holdings import Keys


class ObservabilityStack(Stack):
    """Alarms, their topic and the dashboard; logs belong to the functions that write them."""

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
        functions = [
            *compute.functions.by_name.values(),
            *api.functions.by_name.values(),
            *auth.functions.by_name.values(),
        ]
        failures = {**compute.failure_queues, "lost_changes": api.lost_changes}
        self.alarms = Alarms(self, "Alarms", key=security.alarm_key, settings=settings)
        self.alarms.watch_api(api.rest.api)
        for name, queue in failures.items():
            self.alarms.watch_failures(name, queue)
        for function in functions:
            self.alarms.watch_function(function)
        self.health = HealthDashboard(
            self,
            "Health",
            api=api.rest.api,
            functions=functions,
            failures=failures,
            alarms=self.alarms.watched,
        )
        publish(self, "alarm_topic_arn", self.alarms.topic.topic_arn, "Topic all alarms notify")
        publish(
            self, "dashboard_name", self.health.dashboard.dashboard_name, "Dashboard of the desk's health"
        )
