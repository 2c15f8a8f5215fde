"""Who may sign in."""

from aws_cdk import Duration, RemovalPolicy
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_lambda as lambda_
from constructs import Construct

from bellwether.domain.rights import GROUPS
from bellwether.handlers.sign_in import PASSWORD_SET
from infrastructure.constructs.acknowledged import acknowledge
from infrastructure.settings import Feature, StageSettings

RIGHTS_OF = {
    "viewer": "reads the dashboard, its stream and the metrics",
    "analyst": "reads, ingests, scores, proposes, checks risk and evaluates",
    "approver": "reads and decides on others' proposals",
    "admin": "reads and configures the desk",
}


class DeskUsers(Construct):
    """The user pool with its four groups and the one public client (dashboard and command line).

    `sign_in` is called before tokens are made and after a forgotten password was set anew.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, settings: StageSettings, sign_in: lambda_.IFunction
    ) -> None:
        super().__init__(scope, construct_id)
        guarded = settings.has(Feature.THREAT_PROTECTION)
        required = settings.has(Feature.REQUIRED_MFA)
        self.pool = cognito.UserPool(
            self,
            "Pool",
            self_sign_up_enabled=False,
            sign_in_aliases=cognito.SignInAliases(username=True, email=True),
            sign_in_case_sensitive=False,
            auto_verify=cognito.AutoVerifiedAttrs(email=True),
            account_recovery=cognito.AccountRecovery.EMAIL_ONLY,
            mfa=cognito.Mfa.REQUIRED if required else cognito.Mfa.OPTIONAL,
            mfa_second_factor=cognito.MfaSecondFactor(sms=False, otp=True),
            password_policy=cognito.PasswordPolicy(
                min_length=14,
                require_lowercase=True,
                require_uppercase=True,
                require_digits=True,
                require_symbols=True,
                password_history_size=12 if guarded else None,
                temp_password_validity=Duration.days(3),
            ),
            feature_plan=cognito.FeaturePlan.PLUS if guarded else cognito.FeaturePlan.ESSENTIALS,
            standard_threat_protection_mode=(
                cognito.StandardThreatProtectionMode.FULL_FUNCTION if guarded else None
            ),
            custom_attributes={
                PASSWORD_SET.removeprefix("custom:"): cognito.StringAttribute(max_len=40, mutable=True)
            },
            deletion_protection=settings.retain_data,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        self.pool.add_trigger(
            cognito.UserPoolOperation.PRE_TOKEN_GENERATION_CONFIG, sign_in, cognito.LambdaVersion.V2_0
        )
        self.pool.add_trigger(cognito.UserPoolOperation.POST_CONFIRMATION, sign_in)
        if not required:
            acknowledge(self.pool, COG2="Only where the stage cannot enforce it; see settings.ENGINE_LACKS.")
        if not guarded:
            acknowledge(self.pool, COG3="Only where the stage cannot do it; see settings.ENGINE_LACKS.")
        for precedence, group in enumerate(reversed(GROUPS)):
            self.pool.add_group(
                group.capitalize(), group_name=group, description=RIGHTS_OF[group], precedence=precedence
            )
        self.client = self.pool.add_client(
            "Desk",
            auth_flows=cognito.AuthFlow(user_srp=True, user_password=settings.password_sign_in),
            # What a client may write, whoever is signed in may change: their name, and not how old their
            # password is.
            write_attributes=cognito.ClientAttributes().with_standard_attributes(fullname=True),
            read_attributes=cognito.ClientAttributes()
            .with_standard_attributes(fullname=True, email=True, email_verified=True)
            .with_custom_attributes(PASSWORD_SET.removeprefix("custom:")),
            generate_secret=False,
            disable_o_auth=True,
            prevent_user_existence_errors=True,
            enable_token_revocation=True,
            access_token_validity=Duration.hours(1),
            id_token_validity=Duration.hours(1),
            refresh_token_validity=Duration.hours(12),
        )
