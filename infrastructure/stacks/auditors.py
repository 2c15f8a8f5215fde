"""The way in for an auditor of another account; there only when one is named."""

from aws_cdk import Stack
from constructs import Construct

from infrastructure.constructs.auditor_role import AuditorRole, Ledger
from infrastructure.constructs.outputs import publish
from infrastructure.settings import Auditor, StageSettings
from infrastructure.stacks.data import DataStack
from infrastructure.stacks.environment import environment
from infrastructure.stacks.security import SecurityStack


class AuditorsStack(Stack):
    """The auditor's role."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        auditor: Auditor,
        security: SecurityStack,
        data: DataStack,
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        ledger = Ledger(bucket=data.ledger.bucket, key=security.lake_key)
        made = AuditorRole(self, "Auditor", auditor=auditor, ledger=ledger, prefix=settings.prefix)
        publish(self, "auditor_role_arn", made.role.role_arn, "Role an auditor of the other account takes")
