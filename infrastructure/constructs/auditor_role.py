"""How somebody from another account looks at the desk without being able to change or learn more."""

from dataclasses import dataclass

from aws_cdk import Duration, Stack
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.settings import Auditor

_SECURITY_AUDIT = "SecurityAudit"
NEVER = (
    "dynamodb:BatchGetItem",
    "dynamodb:BatchWriteItem",
    "dynamodb:DeleteItem",
    "dynamodb:GetItem",
    "dynamodb:GetRecords",
    "dynamodb:PartiQLDelete",
    "dynamodb:PartiQLInsert",
    "dynamodb:PartiQLSelect",
    "dynamodb:PartiQLUpdate",
    "dynamodb:PutItem",
    "dynamodb:Query",
    "dynamodb:Scan",
    "dynamodb:UpdateItem",
    "iam:PassRole",
    "kms:CreateGrant",
    "lambda:InvokeFunction",
    "s3:BypassGovernanceRetention",
    "s3:DeleteObject",
    "s3:DeleteObjectVersion",
    "s3:PutObject",
    "s3:PutObjectLegalHold",
    "s3:PutObjectRetention",
    "secretsmanager:BatchGetSecretValue",
    "secretsmanager:GetSecretValue",
    "sns:Publish",
    "sqs:ReceiveMessage",
    "sqs:SendMessage",
    "ssm:GetParameter",
    "sts:AssumeRole",
)
"""What an auditor is denied, whatever else the role is ever given: secrets, rows, writes, and other roles."""


@dataclass(frozen=True, kw_only=True)
class Ledger:
    """The bucket an auditor may read, and the key of its objects."""

    bucket: s3.IBucket
    key: kms.IKey


class AuditorRole(Construct):
    """A role for one other account: how everything is configured, and the ledger itself.

    Whoever takes it names the agreed external id and has signed in with a second factor, for an hour.
    """

    def __init__(
        self, scope: Construct, construct_id: str, *, auditor: Auditor, ledger: Ledger, prefix: str
    ) -> None:
        super().__init__(scope, construct_id)
        self.role = iam.Role(
            self,
            "Role",
            description=f"{prefix}: an auditor of account {auditor.account} looks, and changes nothing",
            assumed_by=iam.AccountPrincipal(auditor.account).with_conditions(
                {
                    "StringEquals": {"sts:ExternalId": auditor.external_id},
                    "Bool": {"aws:MultiFactorAuthPresent": "true"},
                }
            ),
            max_session_duration=Duration.hours(1),
            managed_policies=[iam.ManagedPolicy.from_aws_managed_policy_name(_SECURITY_AUDIT)],
        )
        accept(
            self.role,
            "AWS maintains what an auditor of an account has to see; secrets, rows and writes are denied.",
            f"AwsSolutions-IAM4[Policy::arn:<AWS::Partition>:iam::aws:policy/{_SECURITY_AUDIT}]",
        )
        region = Stack.of(self).region
        for statement in (
            iam.PolicyStatement(
                actions=["s3:GetObject", "s3:GetObjectRetention", "s3:GetObjectVersion"],
                resources=[ledger.bucket.arn_for_objects("ledger/*")],
            ),
            iam.PolicyStatement(
                actions=["s3:ListBucket", "s3:ListBucketVersions"],
                resources=[ledger.bucket.bucket_arn],
                conditions={"StringLike": {"s3:prefix": ["ledger/*"]}},
            ),
            iam.PolicyStatement(
                actions=["kms:Decrypt"],
                resources=[ledger.key.key_arn],
                conditions={"StringEquals": {"kms:ViaService": f"s3.{region}.amazonaws.com"}},
            ),
            iam.PolicyStatement(effect=iam.Effect.DENY, actions=list(NEVER), resources=["*"]),
        ):
            self.role.add_to_policy(statement)
