"""The web application firewall at the edge."""

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infrastructure.constructs.firewall import COUNTED, REQUESTS_PER_ADDRESS
from infrastructure.constructs.firewall_rules import Rules, seen
from infrastructure.constructs.function import RETENTION
from infrastructure.settings import StageSettings

UNLOGGED_HEADERS = ("authorization", "x-api-key", "cookie")


class EdgeFirewall(Construct):
    """The rules of the API's firewall, asked where a visitor's own address is still known.

    Page and API together may be asked twice as often as the API alone. Blocked and counted requests are
    logged without credentials; what passes is in the distribution's own log.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        rules = Rules(f"{settings.prefix}-edge")
        rules.limit("requests-per-address", REQUESTS_PER_ADDRESS * 2)
        rules.limit_each_route()
        rules.bound_bodies()
        rules.managed("AWSManagedRulesAmazonIpReputationList")
        rules.managed("AWSManagedRulesKnownBadInputsRuleSet")
        rules.managed("AWSManagedRulesCommonRuleSet", counted=COUNTED)
        self.acl = wafv2.CfnWebACL(
            self,
            "Acl",
            description=f"At the edge of {settings.prefix}",
            scope="CLOUDFRONT",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=seen(f"{settings.prefix}-edge-all"),
            rules=rules.made,
        )
        self._log(key, settings)

    def _log(self, key: kms.IKey, settings: StageSettings) -> None:
        # The service takes only a log group whose name begins so, by an ARN that does not end in `:*`.
        name = f"aws-waf-logs-{settings.prefix}-edge"
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=name,
            encryption_key=key,
            retention=RETENTION[settings.log_days["security"]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        kind = wafv2.CfnLoggingConfiguration
        kept = [
            {
                "Behavior": "KEEP",
                "Requirement": "MEETS_ANY",
                "Conditions": [_action("BLOCK"), _action("COUNT")],
            }
        ]
        logging = kind(
            self,
            "Logging",
            resource_arn=self.acl.attr_arn,
            log_destination_configs=[
                Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            logging_filter={"DefaultBehavior": "DROP", "Filters": kept},
            redacted_fields=[
                kind.FieldToMatchProperty(single_header={"Name": header}) for header in UNLOGGED_HEADERS
            ],
        )
        logging.node.add_dependency(log)


def _action(action: str) -> dict[str, dict[str, str]]:
    return {"ActionCondition": {"Action": action}}
