"""Secrets that functions read at run time; none of them is ever an environment variable."""

import json
from collections.abc import Mapping
from typing import cast

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.grants import CLIENT
from infrastructure.settings import RECOVERY_REGION, Feature, StageSettings

_ROTATION = ("AwsSolutions-SMG4", "NIST.800.53.R5-SecretsManagerRotationEnabled")

DOCUMENTS: Mapping[str, str] = {
    "providers": "What all fetchers share, and keys of providers without a secret of theirs: {name: value}",
    "openai": "OpenAI, or a server that speaks its protocol: {api_key, model, base_url}",
    "x": "X: {bearer_token}",
    "reddit": "Reddit: {client_id, client_secret}",
    "news": "News services: {newsapi_key, finnhub_key, alphavantage_key}",
    "prices": "Price services: {tiingo_api_key, polygon_api_key, stooq_api_key}",
    "api_clients": "Machines that may call: {name: sha256 hex of its key}",
}
"""Secrets the operator fills, one for each key set, so that a function reads only those of its provider."""


class DeskSecrets(Construct):
    """The salt of author names, the providers' keys and the API clients' key digests.

    Only the desk's own roles and the operators read them, whatever other policies of the account say. With
    a `replica_key` each has a replica in the second region, under that key.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        settings: StageSettings,
        replica_key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        # By its ARN: the construct would give the account rights in the key's policy that the policy has
        # narrower already.
        self._key = kms.Key.from_key_arn(self, "Key", key.key_arn)
        self._replica_key = replica_key
        salt = self._secret(
            "AuthorSalt",
            "Salt of the hashes that stand for authors' handles",
            secretsmanager.SecretStringGenerator(password_length=64, exclude_punctuation=True),
        )
        accept(
            salt,
            "A new salt would cut every author off from their history; only an erasure drops it.",
            *_ROTATION,
        )
        self.by_name = {"author_salt": salt}
        for name, holds in DOCUMENTS.items():
            construct_name = "".join(part.capitalize() for part in name.split("_"))
            self.by_name[name] = self._document(construct_name, holds)
        for name in settings.api_clients:
            self.by_name[f"{CLIENT}{name}"] = self._client_key(name)

    @property
    def arns(self) -> dict[str, str]:
        """The secrets' ARNs by the names the functions' table uses.

        Read from the attribute `Id`: a reference (`Ref`) is the ARN on AWS too, but the secret's name on the
        embedded engine.
        """
        return {
            name: cast("secretsmanager.CfnSecret", secret.node.default_child).attr_id
            for name, secret in self.by_name.items()
        }

    def _client_key(self, name: str) -> secretsmanager.Secret:
        secret = self._secret(
            f"Client{name.capitalize()}",
            f"API key of the machine {name}: {{name, key}}; exchanged by rotate_client_key",
            secretsmanager.SecretStringGenerator(
                secret_string_template=json.dumps({"name": name}),
                generate_string_key="key",
                password_length=43,
                exclude_punctuation=True,
            ),
        )
        accept(
            secret,
            "It rotates; the schedule is in the later stack, of the function that exchanges the key.",
            *_ROTATION,
        )
        return secret

    def _document(self, construct_id: str, holds: str) -> secretsmanager.Secret:
        # Generated once with an unused member: a fixed empty value would overwrite what the operator put
        # there whenever the template changed.
        secret = self._secret(
            construct_id,
            f"{holds}; set by the operator",
            secretsmanager.SecretStringGenerator(
                secret_string_template="{}",  # noqa: S106
                generate_string_key="_",
                password_length=16,
                exclude_punctuation=True,
            ),
        )
        accept(
            secret,
            "Its values are issued elsewhere; nothing here could rotate them, and the runbook says how to.",
            *_ROTATION,
        )
        return secret

    def _secret(
        self, construct_id: str, description: str, value: secretsmanager.SecretStringGenerator
    ) -> secretsmanager.Secret:
        settings, there = self._settings, self._replica_key
        secret = secretsmanager.Secret(
            self,
            construct_id,
            description=description,
            encryption_key=self._key,
            generate_secret_string=value,
            replica_regions=_copies(there) if there else None,
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        if settings.has(Feature.SECRET_POLICIES):
            for statement in _for_nobody_else(Stack.of(self), settings):
                secret.add_to_resource_policy(statement)
        return secret


def _copies(key: kms.IKey) -> list[secretsmanager.ReplicaRegion]:
    return [secretsmanager.ReplicaRegion(region=RECOVERY_REGION, encryption_key=key)]


def _for_nobody_else(stack: Stack, settings: StageSettings) -> list[iam.PolicyStatement]:
    """Denies reading to whoever is neither a role of this stage nor an operator, and everything from outside.

    The names of roles CloudFormation makes begin with the stack's. Writing a value stays a matter of IAM: who
    may set a key need not be able to read one. Nobody is locked out, for the policy itself is not denied.
    """
    roles = [f"{settings.prefix}-*", *settings.operators]
    return [
        iam.PolicyStatement(
            sid="ReadByTheDeskAlone",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["secretsmanager:BatchGetSecretValue", "secretsmanager:GetSecretValue"],
            resources=["*"],
            conditions={
                "ArnNotLike": {
                    "aws:PrincipalArn": [
                        f"arn:{stack.partition}:iam::{stack.account}:role/{name}" for name in roles
                    ]
                }
            },
        ),
        iam.PolicyStatement(
            sid="NobodyFromOutside",
            effect=iam.Effect.DENY,
            principals=[iam.AnyPrincipal()],
            actions=["secretsmanager:*"],
            resources=["*"],
            conditions={"StringNotEquals": {"aws:PrincipalAccount": stack.account}},
        ),
    ]
