"""Keys and secrets: what everything else is protected with."""

from aws_cdk import Fn, Stack
from constructs import Construct

from infrastructure.constructs.keys import CustomerKey
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.secrets import DeskSecrets
from infrastructure.settings import StageSettings
from infrastructure.stacks.environment import environment
from infrastructure.stacks.recovery import RecoveryStack, key_elsewhere


def secret_name_output(name: str) -> str:
    """The output with what a secret's ARN ends with, which that of its replica ends with too."""
    return f"{name}_secret_name"


class SecurityStack(Stack):
    """Customer keys, one for each kind of data, and the secrets."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        recovery: RecoveryStack | None = None,
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))

        def key(name: str, purpose: str, *through: str) -> CustomerKey:
            return CustomerKey(self, name, purpose=purpose, settings=settings, through=through)

        self.table_key = key("Tables", "rows of the tables", "dynamodb")
        self.lake_key = key("Lake", "objects of the lake and the ledger", "s3")
        self.secret_key = key("Secrets", "secrets", "secretsmanager")
        self.alarm_key = key("Alarms", "alarm notifications", "sns")
        self.alarm_key.let_service("cloudwatch.amazonaws.com")
        self.log_key = key("Logs", "log groups")
        self.log_key.let_logs(settings)
        self.secrets = DeskSecrets(
            self,
            "DeskSecrets",
            key=self.secret_key,
            settings=settings,
            replica_key=key_elsewhere(self, "ReplicaKey", recovery.secret_key) if recovery else None,
        )
        for name, arn in self.secrets.arns.items():
            publish(self, f"{name}_secret_arn", arn, f"Secret {name}")
        if recovery:
            for name, arn in self.secrets.arns.items():
                publish(self, secret_name_output(name), Fn.select(6, Fn.split(":", arn)), f"Its name: {name}")
