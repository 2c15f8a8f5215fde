"""The dashboard's files, put into their bucket at each deployment."""

import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path

from aws_cdk import CustomResource, Duration, RemovalPolicy, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_iam as iam
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure import publishing
from infrastructure.constructs.function import RETENTION
from infrastructure.constructs.function_findings import accept_deployment_findings
from infrastructure.constructs.site_bucket import SITE
from infrastructure.setting_checks import EDGE_REGION
from infrastructure.settings import StageSettings

_SECONDS = 120
_PROGRAM = Path(str(publishing.__file__)).with_name("index.py")


class SiteFiles(Construct):
    """Copies `web/` and the settings a browser may know (`config.json`), and empties the edge's cache.

    The files travel inside the function that writes them: it reads nothing but itself, and writes into one
    bucket. The edge keeps everything until the next deployment; browsers ask about pages each time, and about
    scripts and styles after five minutes.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        bucket: s3.IBucket,
        key: kms.IKey,
        distribution: cloudfront.Distribution,
        config: Mapping[str, str],
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        self._settings = settings
        self.log_group = logs.LogGroup(
            self,
            "Logs",
            log_group_name=f"{settings.prefix}-edge-files",
            encryption_key=key,
            retention=RETENTION[settings.log_days["operations"]],
            removal_policy=RemovalPolicy.DESTROY,
        )
        # The assembly takes its own copy when the function is made.
        with tempfile.TemporaryDirectory(prefix="bellwether-site-") as folder:
            code = _with_files(Path(folder))
            function = self._function(code, self._role(bucket, key, distribution))
        resource = CustomResource(
            self,
            "Published",
            resource_type="Custom::SiteFiles",
            service_token=function.function_arn,
            service_timeout=Duration.seconds(_SECONDS * 2),
            properties={
                "Bucket": bucket.bucket_name,
                "Distribution": distribution.distribution_id,
                "Config": dict(config),
                # another version of the files is another property, or nothing would be asked to run
                "Version": function.current_version.version,
            },
        )
        resource.node.add_dependency(function)

    def _role(self, bucket: s3.IBucket, key: kms.IKey, distribution: cloudfront.Distribution) -> iam.Role:
        role = iam.Role(
            self,
            "Role",
            description=f"{self._settings.prefix}: publishes the dashboard's files",
            assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"),
        )
        self.log_group.grant_write(role)
        through = {"StringEquals": {"kms:ViaService": f"s3.{EDGE_REGION}.amazonaws.com"}}
        address = Stack.of(self).format_arn(
            service="cloudfront",
            region="",
            resource="distribution",
            resource_name=distribution.distribution_id,
        )
        for statement in (
            iam.PolicyStatement(
                actions=["s3:DeleteObject", "s3:PutObject"], resources=[bucket.arn_for_objects("*")]
            ),
            iam.PolicyStatement(actions=["s3:ListBucket"], resources=[bucket.bucket_arn]),
            iam.PolicyStatement(
                actions=["kms:Decrypt", "kms:GenerateDataKey"], resources=[key.key_arn], conditions=through
            ),
            iam.PolicyStatement(actions=["cloudfront:CreateInvalidation"], resources=[address]),
        ):
            role.add_to_policy(statement)
        return role

    def _function(self, code: lambda_.Code, role: iam.Role) -> lambda_.Function:
        function = lambda_.Function(
            self,
            "Function",
            description=f"Publishes the dashboard's files ({self._settings.name})",
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler="index.handler",
            code=code,
            role=role,
            log_group=self.log_group,
            logging_format=lambda_.LoggingFormat.JSON,
            timeout=Duration.seconds(_SECONDS),
            memory_size=256,
            reserved_concurrent_executions=1,
        )
        accept_deployment_findings(function)
        return function


def _with_files(folder: Path) -> lambda_.Code:
    shutil.copy(_PROGRAM, folder / "index.py")
    shutil.copytree(SITE, folder / "site", ignore=shutil.ignore_patterns(".*"))
    return lambda_.Code.from_asset(str(folder))
