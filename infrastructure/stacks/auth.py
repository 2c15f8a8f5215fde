"""Users, groups and how they sign in."""

from aws_cdk import Stack
from aws_cdk import aws_iam as iam
from constructs import Construct

from infrastructure.constructs.function_set import FunctionSet
from infrastructure.constructs.outputs import publish
from infrastructure.constructs.pool_firewall import PoolFirewall
from infrastructure.constructs.sign_in_guard import SignInGuard
from infrastructure.constructs.user_pool import DeskUsers
from infrastructure.functions import FUNCTIONS
from infrastructure.grants import Resources
from infrastructure.packaging import Layer
from infrastructure.settings import Feature, StageSettings
from infrastructure.stacks.environment import environment
from infrastructure.stacks.holdings import Keys

OF_THE_POOL = tuple(name for name, row in FUNCTIONS.items() if row.of_the_pool)


class AuthStack(Stack):
    """The user pool, what it calls at a sign-in and what guards it.

    `issuer` and `jwks_url` are what a token is verified against.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        security: Keys,
        layer: Layer,
    ) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        self.functions = FunctionSet(
            self,
            "Functions",
            names=OF_THE_POOL,
            settings=settings,
            layer=layer,
            given=_nothing_but_keys(settings, security),
            values={"PASSWORD_DAYS": str(settings.password_days)},
        )
        sign_in = self.functions["sign_in"]
        self.users = DeskUsers(self, "Users", settings=settings, sign_in=sign_in.function)
        pool_id = self.users.pool.user_pool_id
        # A policy of its own: the pool needs the function, so the function must not wait for the pool.
        iam.Policy(
            self,
            "MarkPasswords",
            roles=[sign_in.role],
            statements=[
                iam.PolicyStatement(
                    actions=["cognito-idp:AdminUpdateUserAttributes"],
                    resources=[self.users.pool.user_pool_arn],
                )
            ],
        )
        if settings.has(Feature.THREAT_PROTECTION):
            SignInGuard(self, "Guard", users=self.users, settings=settings)
        if settings.has(Feature.FIREWALL):
            PoolFirewall(self, "Firewall", pool=self.users.pool, settings=settings)
        service = f"https://cognito-idp.{self.region}.amazonaws.com"
        self.issuer = f"{service}/{pool_id}"
        self.jwks_url = f"{settings.endpoint or service}/{pool_id}/.well-known/jwks.json"
        publish(self, "user_pool_id", pool_id, "User pool")
        publish(
            self,
            "user_pool_client_id",
            self.users.client.user_pool_client_id,
            "Public client of the user pool",
        )
        publish(self, "token_issuer", self.issuer, "Issuer of the tokens")


def _nothing_but_keys(settings: StageSettings, security: Keys) -> Resources:
    return Resources(
        tables={},
        buckets={},
        queues={},
        secrets={},
        table_key=security.table_key,
        lake_key=security.lake_key,
        secret_key=security.secret_key,
        log_key=security.log_key,
        signals_prefix=settings.signals_prefix,
    )
