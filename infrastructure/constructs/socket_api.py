"""The WebSocket API behind the dashboard's live view."""

import json
from typing import cast

from aws_cdk import RemovalPolicy, Stack
from aws_cdk import aws_apigatewayv2 as apigatewayv2
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk.aws_apigatewayv2_authorizers import WebSocketLambdaAuthorizer
from aws_cdk.aws_apigatewayv2_integrations import WebSocketLambdaIntegration
from constructs import Construct

from infrastructure.constructs.acknowledged import acknowledge
from infrastructure.constructs.function import RETENTION
from infrastructure.settings import API_VERSION, Feature, StageSettings

_ACCESS_LOG = json.dumps(
    {
        "request_id": "$context.requestId",
        "at": "$context.requestTimeEpoch",
        "ip": "$context.identity.sourceIp",
        "caller": "$context.authorizer.principalId",
        "event": "$context.eventType",
        "route": "$context.routeKey",
        "status": "$context.status",
        "connection": "$context.connectionId",
    }
)


class SocketApi(Construct):
    """The API and its stage. `endpoint` is where a function posts to connections, `url` where clients
    connect.

    Built before the functions that need its address; `connect` adds the routes.
    """

    def __init__(self, scope: Construct, construct_id: str, *, settings: StageSettings) -> None:
        super().__init__(scope, construct_id)
        self.api = apigatewayv2.WebSocketApi(
            self,
            "Api",
            api_name=f"{settings.prefix}-socket",
            description="Pushes what changed",
            route_selection_expression="$request.body.action",
        )
        self._log = logs.LogGroup(
            self,
            "AccessLog",
            retention=RETENTION[settings.log_days["security"]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        self.stage = apigatewayv2.WebSocketStage(
            self,
            "Stage",
            web_socket_api=self.api,
            stage_name=API_VERSION,
            auto_deploy=True,
            throttle=apigatewayv2.ThrottleSettings(
                rate_limit=settings.api_throttle.rate, burst_limit=settings.api_throttle.burst
            ),
        )
        if settings.has(Feature.ACCESS_LOG_ROLE):
            resource = cast("apigatewayv2.CfnStage", self.stage.node.default_child)
            resource.access_log_settings = apigatewayv2.CfnStage.AccessLogSettingsProperty(
                destination_arn=self._log.log_group_arn, format=_ACCESS_LOG
            )
        address = f"{self.api.api_id}.execute-api.{Stack.of(self).region}.amazonaws.com/{API_VERSION}"
        if settings.endpoint:
            self.endpoint = f"{settings.endpoint}/_aws/execute-api/{self.api.api_id}/{API_VERSION}"
            self.url = f"ws{settings.endpoint.removeprefix('http')}/ws"
        else:
            self.endpoint = f"https://{address}"
            self.url = f"wss://{address}"

    def connect(self, *, function: lambda_.IFunction, authorizer: lambda_.IFunction) -> None:
        """Adds the routes; only `$connect` asks who calls, the connection carries the answer from then on."""
        # No identity source: the token comes as a subprotocol or in the query, and a listed source must be
        # there.
        who = WebSocketLambdaAuthorizer("Authorizer", authorizer, identity_source=[])
        for route in ("$connect", "$disconnect", "$default"):
            opened = route == "$connect"
            added = self.api.add_route(
                route,
                integration=WebSocketLambdaIntegration("Function", function),
                authorizer=who if opened else None,
            )
            if not opened:
                acknowledge(added, APIG4="API Gateway takes an authorizer on $connect alone.")

    def let_send(self, role: iam.Role) -> None:
        """Lets a role post to the stage's connections and close them."""
        connections = Stack.of(self).format_arn(
            service="execute-api",
            resource=self.api.api_id,
            resource_name=f"{API_VERSION}/POST/@connections/*",
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["execute-api:ManageConnections"], resources=[connections])
        )
