"""What the edge proves itself to the API's firewall with."""

from aws_cdk import RemovalPolicy
from aws_cdk import aws_kms as kms
from aws_cdk import aws_secretsmanager as secretsmanager
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.setting_checks import EDGE_REGION
from infrastructure.settings import StageSettings


class EdgeSecret(Construct):
    """A generated secret, copied to the region the edge's stack is in.

    It opens nothing: it only tells the API's firewall that an address is CloudFront's and that the visitors
    behind it have been counted one by one. `reference` is resolved by CloudFormation in either region, so the
    secret is in no template. It is named, because a stack of another region can find it by nothing else.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, key: kms.IKey, settings: StageSettings
    ) -> None:
        super().__init__(scope, construct_id)
        name = f"{settings.prefix}-edge"
        secret = secretsmanager.Secret(
            self,
            "Secret",
            secret_name=name,
            description="Sent by the edge to the API's firewall",
            # By its ARN: the construct would widen the policy of the key.
            encryption_key=kms.Key.from_key_arn(self, "Key", key.key_arn),
            replica_regions=[secretsmanager.ReplicaRegion(region=EDGE_REGION)],
            generate_secret_string=secretsmanager.SecretStringGenerator(
                password_length=48, exclude_punctuation=True
            ),
            removal_policy=RemovalPolicy.DESTROY,
        )
        accept(
            secret,
            "The distribution and the firewall take a new value only when both are deployed again.",
            "AwsSolutions-SMG4",
            "NIST.800.53.R5-SecretsManagerRotationEnabled",
        )
        self.secret = secret
        self.reference = f"{{{{resolve:secretsmanager:{name}:SecretString}}}}"
