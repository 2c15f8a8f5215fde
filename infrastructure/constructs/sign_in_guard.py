"""What the user pool does about suspicious sign-ins, and where it writes every one of them down."""

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.constructs.function import RETENTION
from infrastructure.constructs.user_pool import DeskUsers
from infrastructure.settings import StageSettings


class SignInGuard(Construct):
    """Passwords known to be stolen are refused, sign-ins of high risk are blocked, every event is logged.

    A sign-in of medium or low risk goes on: the second factor is asked of everybody anyway. Nobody is
    notified by mail, which would need a sender the pool does not have; the log and its alarms tell.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, users: DeskUsers, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        pool_id = users.pool.user_pool_id
        self._refuse_risk(pool_id)
        # The service takes an ARN that does not end in `:*`.
        name = f"{settings.prefix}-sign-ins"
        log = logs.LogGroup(
            self,
            "SignIns",
            log_group_name=name,
            retention=RETENTION[settings.log_days["security"]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        target = cognito.CfnLogDeliveryConfiguration.CloudWatchLogsConfigurationProperty(
            log_group_arn=Stack.of(self).format_arn(
                service="logs",
                resource="log-group",
                resource_name=name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            )
        )
        delivery = cognito.CfnLogDeliveryConfiguration(
            self,
            "Delivery",
            user_pool_id=pool_id,
            log_configurations=[
                cognito.CfnLogDeliveryConfiguration.LogConfigurationProperty(
                    event_source=source, log_level=level, cloud_watch_logs_configuration=target
                )
                for source, level in (("userAuthEvents", "INFO"), ("userNotification", "ERROR"))
            ],
        )
        delivery.node.add_dependency(log)

    def _refuse_risk(self, pool_id: str) -> None:
        kind = cognito.CfnUserPoolRiskConfigurationAttachment
        kind(
            self,
            "Risk",
            user_pool_id=pool_id,
            client_id="ALL",
            compromised_credentials_risk_configuration=(
                kind.CompromisedCredentialsRiskConfigurationTypeProperty(
                    actions=kind.CompromisedCredentialsActionsTypeProperty(event_action="BLOCK"),
                    event_filter=["SIGN_IN", "PASSWORD_CHANGE"],
                )
            ),
            account_takeover_risk_configuration=kind.AccountTakeoverRiskConfigurationTypeProperty(
                actions=kind.AccountTakeoverActionsTypeProperty(
                    high_action=kind.AccountTakeoverActionTypeProperty(event_action="BLOCK", notify=False),
                    medium_action=kind.AccountTakeoverActionTypeProperty(
                        event_action="MFA_REQUIRED", notify=False
                    ),
                )
            ),
        )
