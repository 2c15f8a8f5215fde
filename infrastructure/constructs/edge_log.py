"""The distribution's log of requests."""

from aws_cdk import ArnFormat, RemovalPolicy, Stack
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_kms as kms
from aws_cdk import aws_logs as logs
from constructs import Construct

from infrastructure.constructs.function import RETENTION
from infrastructure.settings import StageSettings

FIELDS = (
    "timestamp",
    "x-edge-request-id",
    "x-edge-location",
    "c-ip",
    "cs-method",
    "cs-uri-stem",
    "sc-status",
    "sc-bytes",
    "time-taken",
    "x-edge-result-type",
    "cs-protocol",
    "cs-protocol-version",
    "ssl-protocol",
    "ssl-cipher",
)
"""No query and no header: a socket's token may stand in the one, every credential in the others."""


class EdgeLog(Construct):
    """JSON lines in an encrypted log group (CloudFront's standard logging, version 2)."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        distribution: cloudfront.Distribution,
        key: kms.IKey,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        stack = Stack.of(self)
        name = f"{settings.prefix}-edge-requests"
        self.log = logs.LogGroup(
            self,
            "Log",
            log_group_name=name,
            encryption_key=key,
            retention=RETENTION[settings.log_days["security"]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        source = logs.CfnDeliverySource(
            self,
            "Source",
            name=name,
            log_type="ACCESS_LOGS",
            resource_arn=stack.format_arn(
                service="cloudfront",
                region="",
                resource="distribution",
                resource_name=distribution.distribution_id,
            ),
        )
        target = logs.CfnDeliveryDestination(
            self,
            "Target",
            name=name,
            output_format="json",
            destination_resource_arn=stack.format_arn(
                service="logs",
                resource="log-group",
                resource_name=name,
                arn_format=ArnFormat.COLON_RESOURCE_NAME,
            ),
        )
        target.node.add_dependency(self.log)
        delivery = logs.CfnDelivery(
            self,
            "Delivery",
            delivery_source_name=source.name,
            delivery_destination_arn=target.attr_arn,
            record_fields=list(FIELDS),
        )
        delivery.node.add_dependency(source)
