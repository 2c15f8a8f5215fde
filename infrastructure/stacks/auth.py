"""Users, groups and how they sign in."""

from aws_cdk import Stack
from constructs import Construct

from infrastructure.constructs.outputs import publish
from infrastructure.constructs.user_pool import DeskUsers
from infrastructure.settings import StageSettings
from infrastructure.stacks.environment import environment


class AuthStack(Stack):
    """The user pool; `issuer` and `jwks_url` are what a token is verified against."""

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(scope, construct_id, env=environment(settings))
        self.users = DeskUsers(self, "Users", settings=settings)
        pool_id = self.users.pool.user_pool_id
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
