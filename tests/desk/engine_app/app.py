"""Two small stacks with everything the desk repairs, routes and curates."""

from typing import Any

import aws_cdk as cdk
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_cognito as cognito
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_kms as kms
from aws_cdk import aws_lambda as functions
from aws_cdk import aws_s3 as s3
from constructs import Construct

CODE = "def handler(event, context):\n    return {'statusCode': 200, 'body': '{\"status\": \"ok\"}'}\n"
ROLES = ("viewer", "analyst", "approver", "admin")


class Data(cdk.Stack):
    """A table and a bucket with the settings the engine drops."""

    def __init__(self, scope: Construct, name: str, **options: Any) -> None:
        super().__init__(scope, name, **options)
        key = kms.Key(self, "Key")
        self.rows = dynamodb.Table(
            self,
            "Rows",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            time_to_live_attribute="expires",
            encryption=dynamodb.TableEncryption.CUSTOMER_MANAGED,
            encryption_key=key,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
        )
        lake = s3.Bucket(
            self,
            "Lake",
            encryption=s3.BucketEncryption.KMS,
            encryption_key=key,
            versioned=True,
            lifecycle_rules=[
                s3.LifecycleRule(
                    prefix="raw-data/",
                    expiration=cdk.Duration.days(400),
                    noncurrent_version_expiration=cdk.Duration.days(30),
                    abort_incomplete_multipart_upload_after=cdk.Duration.days(2),
                    transitions=[
                        s3.Transition(
                            storage_class=s3.StorageClass.GLACIER, transition_after=cdk.Duration.days(90)
                        )
                    ],
                )
            ],
        )
        cdk.CfnOutput(self, "LakeName", value=lake.bucket_name)


class Api(cdk.Stack):
    """A health route and a user pool."""

    def __init__(self, scope: Construct, name: str, *, rows: dynamodb.Table, **options: Any) -> None:
        super().__init__(scope, name, **options)
        health = functions.Function(
            self,
            "Health",
            runtime=functions.Runtime.PYTHON_3_13,
            handler="index.handler",
            code=functions.Code.from_inline(CODE),
            reserved_concurrent_executions=3,
            environment={"ROWS": rows.table_name},
        )
        api = apigateway.RestApi(
            self, "Rest", cloud_watch_role=False, deploy_options=apigateway.StageOptions(stage_name="v1")
        )
        api.root.add_resource("health").add_method("GET", apigateway.LambdaIntegration(health))
        pool = cognito.UserPool(self, "People")
        client = pool.add_client("App", auth_flows=cognito.AuthFlow(user_password=True))
        for role in ROLES:
            cognito.CfnUserPoolGroup(self, role, user_pool_id=pool.user_pool_id, group_name=role)
        cdk.CfnOutput(self, "UserPoolClientId", value=client.user_pool_client_id)


def main() -> None:
    """Synthesise both stacks."""
    app = cdk.App()
    environment = cdk.Environment(account="000000000000", region="eu-central-2")
    data = Data(app, "Tiny-DataStack", env=environment)
    Api(app, "Tiny-ApiStack", rows=data.rows, env=environment)
    app.synth()


if __name__ == "__main__":
    main()
