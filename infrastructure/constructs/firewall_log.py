"""What the firewalls write down: requests they blocked or counted, without credentials."""

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infrastructure.constructs.function import RETENTION
from infrastructure.settings import StageSettings

UNLOGGED_HEADERS = ("authorization", "x-api-key", "cookie")


class FirewallLog(Construct):
    """A log group for one list of rules. What passes is in the log of what stands behind the firewall.

    `part` tells the stage's firewalls apart (empty: the API's); `key` is needed outside the stage's region.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        acl: wafv2.CfnWebACL,
        settings: StageSettings,
        part: str = "",
        key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        # The service takes only a log group whose name begins so, by an ARN that does not end in `:*`.
        name = f"aws-waf-logs-{settings.prefix}{part}"
        log = logs.LogGroup(
            self,
            "Group",
            log_group_name=name,
            encryption_key=key,
            retention=RETENTION[settings.log_days["security"]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        address = Stack.of(self).format_arn(
            service="logs",
            resource="log-group",
            resource_name=name,
            arn_format=ArnFormat.COLON_RESOURCE_NAME,
        )
        kind = wafv2.CfnLoggingConfiguration
        kept = {"Behavior": "KEEP", "Requirement": "MEETS_ANY", "Conditions": [_was("BLOCK"), _was("COUNT")]}
        logging = kind(
            self,
            "Logging",
            resource_arn=acl.attr_arn,
            log_destination_configs=[address],
            logging_filter={"DefaultBehavior": "DROP", "Filters": [kept]},
            redacted_fields=[
                kind.FieldToMatchProperty(single_header={"Name": header}) for header in UNLOGGED_HEADERS
            ],
        )
        logging.node.add_dependency(log)


def _was(action: str) -> dict[str, dict[str, str]]:
    return {"ActionCondition": {"Action": action}}
