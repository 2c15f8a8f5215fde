"""The web application firewall in front of the REST API."""

from collections.abc import Sequence

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_logs as logs
from aws_cdk import aws_wafv2 as wafv2
from constructs import Construct

from infrastructure.constructs.function import RETENTION
from infrastructure.settings import API_VERSION, StageSettings

REQUESTS_PER_ADDRESS = 3_000
"""In five minutes. A collector that sends batches stays far below; a flood from one address does not get
through.
"""

# Posts quote addresses, markup and paths, and batches are large: over bodies these rules would refuse
# honest items. The handlers bound, decode and validate every body themselves.
_COUNTED = (
    "SizeRestrictions_BODY",
    "CrossSiteScripting_BODY",
    "GenericLFI_BODY",
    "GenericRFI_BODY",
    "EC2MetaDataSSRF_BODY",
)

_NEVER_LOGGED = ("authorization", "x-api-key")


class Firewall(Construct):
    """AWS's managed rules and a limit per address, tied to the API's stage."""

    def __init__(
        self, scope: Construct, construct_id: str, *, api: apigateway.RestApi, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        self._prefix = settings.prefix
        acl = wafv2.CfnWebACL(
            self,
            "Acl",
            description=f"In front of the REST API of {settings.prefix}",
            scope="REGIONAL",
            default_action=wafv2.CfnWebACL.DefaultActionProperty(allow={}),
            visibility_config=self._seen("all"),
            rules=[
                self._limit(),
                self._managed(1, "AWSManagedRulesAmazonIpReputationList"),
                self._managed(2, "AWSManagedRulesKnownBadInputsRuleSet"),
                self._managed(3, "AWSManagedRulesCommonRuleSet", counted=_COUNTED),
            ],
        )
        stack = Stack.of(self)
        gateway = f"arn:{stack.partition}:apigateway:{stack.region}::"
        stage = f"{gateway}/restapis/{api.rest_api_id}/stages/{API_VERSION}"
        association = wafv2.CfnWebACLAssociation(
            self, "Association", resource_arn=stage, web_acl_arn=acl.attr_arn
        )
        association.node.add_dependency(api.deployment_stage)
        self._log(acl, settings)

    def _log(self, acl: wafv2.CfnWebACL, settings: StageSettings) -> None:
        # The service takes only a log group whose name begins so.
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"aws-waf-logs-{settings.prefix}",
            retention=RETENTION[settings.log_days["security"]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        wafv2.CfnLoggingConfiguration(
            self,
            "Logging",
            resource_arn=acl.attr_arn,
            # Its own ARN ends in `:*`, which the service refuses.
            log_destination_configs=[
                Stack.of(self).format_arn(
                    service="logs",
                    resource="log-group",
                    resource_name=log.log_group_name,
                    arn_format=ArnFormat.COLON_RESOURCE_NAME,
                )
            ],
            redacted_fields=[
                wafv2.CfnLoggingConfiguration.FieldToMatchProperty(single_header={"Name": name})
                for name in _NEVER_LOGGED
            ],
        )

    def _limit(self) -> wafv2.CfnWebACL.RuleProperty:
        return wafv2.CfnWebACL.RuleProperty(
            name="requests-per-address",
            priority=0,
            action=wafv2.CfnWebACL.RuleActionProperty(block={}),
            statement=wafv2.CfnWebACL.StatementProperty(
                rate_based_statement=wafv2.CfnWebACL.RateBasedStatementProperty(
                    limit=REQUESTS_PER_ADDRESS, aggregate_key_type="IP", evaluation_window_sec=300
                )
            ),
            visibility_config=self._seen("requests-per-address"),
        )

    def _managed(self, priority: int, name: str, counted: Sequence[str] = ()) -> wafv2.CfnWebACL.RuleProperty:
        count = wafv2.CfnWebACL.RuleActionProperty(count={})
        return wafv2.CfnWebACL.RuleProperty(
            name=name,
            priority=priority,
            override_action=wafv2.CfnWebACL.OverrideActionProperty(none={}),
            statement=wafv2.CfnWebACL.StatementProperty(
                managed_rule_group_statement=wafv2.CfnWebACL.ManagedRuleGroupStatementProperty(
                    vendor_name="AWS",
                    name=name,
                    rule_action_overrides=[
                        wafv2.CfnWebACL.RuleActionOverrideProperty(name=rule, action_to_use=count)
                        for rule in counted
                    ]
                    or None,
                )
            ),
            visibility_config=self._seen(name),
        )

    def _seen(self, name: str) -> wafv2.CfnWebACL.VisibilityConfigProperty:
        return wafv2.CfnWebACL.VisibilityConfigProperty(
            cloud_watch_metrics_enabled=True,
            sampled_requests_enabled=True,
            metric_name=f"{self._prefix}-{name}",
        )
