"""Keys and secrets: what everything else is protected with."""

from aws_cdk import Stack
from constructs import Construct

from infrastructure.constructs.keys import CustomerKey
from infrastructure.constructs.secrets import DeskSecrets
from infrastructure.settings import StageSettings
from infrastructure.stacks.environment import environment


class SecurityStack(Stack):
    """Customer keys, one for each kind of data, and the secrets."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        self.table_key = CustomerKey(self, "Tables", purpose="rows of the tables", settings=settings)
        self.lake_key = CustomerKey(
            self, "Lake", purpose="objects of the lake and the ledger", settings=settings
        )
        self.secret_key = CustomerKey(self, "Secrets", purpose="secrets", settings=settings)
        self.alarm_key = CustomerKey(self, "Alarms", purpose="alarm notifications", settings=settings)
        self.alarm_key.let_service("cloudwatch.amazonaws.com")
        self.log_key = CustomerKey(self, "Logs", purpose="lines of the log groups", settings=settings)
        self.secrets = DeskSecrets(self, "DeskSecrets", key=self.secret_key, settings=settings)
