"""Secrets that functions read at run time; none of them is ever an environment variable."""

from typing import cast

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.settings import RECOVERY_REGION, StageSettings

_ROTATION = ("AwsSolutions-SMG4", "NIST.800.53.R5-SecretsManagerRotationEnabled")


class DeskSecrets(Construct):
    """The salt of author names, the providers' keys and the API clients' key digests."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        key: kms.IKey,
        settings: StageSettings,
        recovery_key: kms.IKey | None = None,
    ) -> None:
        super().__init__(scope, construct_id)
        self._recovery_key = recovery_key
        # By its ARN: the construct would give the account rights in the key's policy that the policy has
        # narrower already.
        key = kms.Key.from_key_arn(self, "Key", key.key_arn)
        removal = RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY
        self.author_salt = secretsmanager.Secret(
            self,
            "AuthorSalt",
            description="Salt of the hashes that stand for authors' handles",
            encryption_key=key,
            removal_policy=removal,
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=64, exclude_punctuation=True
            ),
        )
        self._replicate(self.author_salt)
        accept(
            self.author_salt,
            "A new salt would cut every author off from their history; only an erasure drops it.",
            *_ROTATION,
        )
        self.providers = _empty_document(
            self, "Providers", "Keys of providers: {name: key}; set by the operator", key, removal
        )
        self.api_clients = _empty_document(
            self, "ApiClients", "Machines that may call: {name: sha256 hex of its key}", key, removal
        )
        self._replicate(self.providers)
        self._replicate(self.api_clients)

    def _replicate(self, secret: secretsmanager.Secret) -> None:
        """Has the service keep the same value in the second region, under a key of that region."""
        if self._recovery_key:
            secret.add_replica_region(RECOVERY_REGION, self._recovery_key)

    @property
    def arns(self) -> dict[str, str]:
        """The secrets' ARNs by the names the functions' table uses.

        Read from the attribute `Id`: a reference (`Ref`) is the ARN on AWS too, but the secret's name on the
        embedded engine.
        """
        by_name = {
            "author_salt": self.author_salt,
            "providers": self.providers,
            "api_clients": self.api_clients,
        }
        return {name: _arn(secret) for name, secret in by_name.items()}


def _arn(secret: secretsmanager.Secret) -> str:
    return cast("secretsmanager.CfnSecret", secret.node.default_child).attr_id


def _empty_document(
    scope: Construct, construct_id: str, description: str, key: kms.IKey, removal: RemovalPolicy
) -> secretsmanager.Secret:
    # Generated once with an unused member: a fixed empty value would overwrite what the operator put there
    # whenever the template changed.
    secret = secretsmanager.Secret(
        scope,
        construct_id,
        description=description,
        encryption_key=key,
        removal_policy=removal,
        generate_secret_string=secretsmanager.SecretStringGenerator(
            secret_string_template="{}",  # noqa: S106
            generate_string_key="_",
            password_length=16,
            exclude_punctuation=True,
        ),
    )
    accept(
        secret,
        "Third parties issue these values and offer no call to rotate them; the runbook says how to.",
        *_ROTATION,
    )
    return secret
