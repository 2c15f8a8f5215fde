"""The dashboard of security events."""

from collections.abc import Sequence

from aws_cdk import aws_cloudwatch as cloudwatch
from constructs import Construct

from infrastructure.conditions.condition import FIVE_MINUTES, HOUR, figure
from infrastructure.constructs.dashboard import DeskDashboard, graph
from infrastructure.constructs.firewall import Firewall
from infrastructure.settings import Feature, StageSettings

_RULES = (
    "requests-per-address",
    "AWSManagedRulesAmazonIpReputationList",
    "AWSManagedRulesKnownBadInputsRuleSet",
    "AWSManagedRulesCommonRuleSet",
)


class SecurityDashboard(DeskDashboard):
    """Who fails to get in, who is turned away, what the firewall stopped."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        region: str,
        sign_ins: Sequence[str],
        alarms: Sequence[cloudwatch.IAlarm],
        settings: StageSettings,
    ) -> None:
        super().__init__(
            scope,
            construct_id,
            kind="security",
            title="Security events",
            answers=(
                "Does somebody guess passwords, or use tokens that are none?",
                "Does somebody known try what their roles do not allow?",
                "What does the firewall stop, and is the authorizer itself well?",
            ),
            runbooks=("incident-attack", "failed-sign-ins", "unauthorized-calls", "forbidden-calls"),
            settings=settings,
        )
        self.show_alarms(alarms)
        pool_id, client_id = sign_ins
        attempts = cloudwatch.Metric(
            namespace="AWS/Cognito",
            metric_name="SignInSuccesses",
            dimensions_map={"UserPool": pool_id, "UserPoolClient": client_id},
            period=FIVE_MINUTES,
        )
        self.row(
            graph(
                "Sign-ins",
                attempts.with_(statistic="SampleCount", label="attempts"),
                attempts.with_(statistic="Sum", label="successes"),
            ),
            graph(
                "Calls turned away",
                figure(settings, "Unauthorized"),
                figure(settings, "Forbidden"),
                figure(settings, "DeniedAtGateway"),
                figure(settings, "AuthorizerFaults"),
            ),
        )
        if settings.has(Feature.FIREWALL):
            self.row(*self._firewall(region, settings))
        self.row(
            graph(
                "Decisions", *(figure(settings, name) for name in ("Approvals", "Rejections", "Revocations"))
            ),
            graph("Broken links of the ledger", figure(settings, "BrokenLedgerLinks", period=HOUR)),
        )

    @staticmethod
    def _firewall(region: str, settings: StageSettings) -> list[cloudwatch.IWidget]:
        def requests(metric: str, rule: str) -> cloudwatch.Metric:
            acl = {"WebACL": Firewall.metric_name(settings), "Region": region}
            return cloudwatch.Metric(
                namespace="AWS/WAFV2",
                metric_name=metric,
                dimensions_map={**acl, "Rule": rule},
                statistic="Sum",
                period=FIVE_MINUTES,
                label=rule,
            )

        return [
            graph("Firewall: all", requests("BlockedRequests", "ALL"), requests("AllowedRequests", "ALL")),
            graph(
                "Firewall: blocked by rule",
                *(requests("BlockedRequests", f"{settings.prefix}-{rule}") for rule in _RULES),
            ),
        ]
