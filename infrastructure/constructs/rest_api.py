"""The REST API: routes, who may call them, how often, and what a refusal looks like."""

import json
from collections.abc import Mapping, Sequence
from typing import Any, cast

from aws_cdk import Duration, RemovalPolicy, Size
from aws_cdk import aws_apigateway as apigateway
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from bellwether.handlers.problem_details import CONTENT_TYPE as PROBLEM_TYPE
from infrastructure.constructs.acknowledged import accept, acknowledge
from infrastructure.constructs.function import RETENTION
from infrastructure.constructs.problem_responses import add_problem_responses
from infrastructure.constructs.usage_plans import UsagePlans
from infrastructure.gateway_models import gateway_schema
from infrastructure.routes import JSON, ROUTES, Route
from infrastructure.settings import API_VERSION, Feature, StageSettings

_PROBLEM = "bellwether.handlers.problem_details:ProblemDetails"

SENT_HEADERS = ("Authorization", "Content-Type", "Idempotency-Key", "Last-Event-ID", "X-Correlation-Id")


class RestApi(Construct):
    """The API whose stage is its version: `…/v1/score`."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        settings: StageSettings,
        functions: Mapping[str, lambda_.IFunction],
        authorizer: lambda_.IFunction,
    ) -> None:
        super().__init__(scope, construct_id)
        self._metered = settings.has(Feature.METERED_CALLERS)
        self.access_log = logs.LogGroup(
            self,
            "AccessLog",
            retention=RETENTION[settings.log_days["security"]],
            removal_policy=RemovalPolicy.RETAIN if settings.retain_data else RemovalPolicy.DESTROY,
        )
        self.api = self._api(settings)
        self.domain = _domain(self, self.api, settings)
        gateway = f"{self.api.rest_api_id}.execute-api.{settings.region}.amazonaws.com"
        self.host = settings.api_domain.name if settings.api_domain else gateway
        """Where the API answers."""
        acknowledge(
            self.api,
            "Policy::arn:<AWS::Partition>:iam::aws:policy/service-role/AmazonAPIGatewayPushToCloudWatchLogs",
            IAM4="The account-wide role through which the gateway writes logs; AWS maintains its policy.",
        )
        _accept_findings(self.api.deployment_stage)
        self._authorizer = apigateway.RequestAuthorizer(
            self,
            "Authorizer",
            handler=authorizer,
            # A caller has a token or an API key. Sources would have to be there both, and a cache needs
            # sources; the authorizer itself keeps keys and secret, so that asking it each time costs
            # milliseconds.
            identity_sources=[],
            results_cache_ttl=Duration.seconds(0),
        )
        self._validator = self.api.add_request_validator(
            "Body", validate_request_body=True, validate_request_parameters=True
        )
        self._models: dict[str, apigateway.Model] = {}
        self.methods = {f"{row.method} {row.path}": self._add(row, functions[row.function]) for row in ROUTES}
        add_problem_responses(self.api, settings)
        self.plans = UsagePlans(self, "Plans", api=self.api, methods=self.methods, settings=settings)

    def _api(self, settings: StageSettings) -> apigateway.RestApi:
        origin = settings.dashboard_origin
        logged = settings.has(Feature.ACCESS_LOG_ROLE)
        return apigateway.RestApi(
            self,
            "Api",
            rest_api_name=settings.prefix,
            description="Signals, scores, proposals, decisions and outcomes",
            endpoint_types=[apigateway.EndpointType.REGIONAL],
            disable_execute_api_endpoint=True if settings.api_domain else None,
            min_compression_size=Size.kibibytes(1),
            policy=_policy(settings.allowed_networks) if settings.allowed_networks else None,
            api_key_source_type=(
                apigateway.ApiKeySourceType.AUTHORIZER
                if self._metered
                else apigateway.ApiKeySourceType.HEADER
            ),
            cloud_watch_role=logged,
            cloud_watch_role_removal_policy=RemovalPolicy.RETAIN if logged else None,
            deploy_options=apigateway.StageOptions(
                stage_name=API_VERSION,
                throttling_rate_limit=settings.api_throttle.rate,
                throttling_burst_limit=settings.api_throttle.burst,
                method_options={f"{row.path}/{row.method}": _limits(row, settings) for row in ROUTES},
                metrics_enabled=True,
                logging_level=apigateway.MethodLoggingLevel.ERROR if logged else None,
                data_trace_enabled=False,
                access_log_destination=apigateway.LogGroupLogDestination(self.access_log) if logged else None,
                access_log_format=_access_log() if logged else None,
                variables={"allowedOrigins": origin} if origin else None,
            ),
            default_cors_preflight_options=(
                apigateway.CorsOptions(
                    allow_origins=[origin],
                    allow_methods=["GET", "POST"],
                    allow_headers=list(SENT_HEADERS),
                    max_age=Duration.hours(1),
                )
                if origin
                else None
            ),
        )

    def _add(self, row: Route, function: lambda_.IFunction) -> apigateway.Method:
        integration = apigateway.LambdaIntegration(
            function, allow_test_invoke=False, timeout=Duration.seconds(29)
        )
        resource = self.api.root.resource_for_path(row.path)
        if row.public:
            method = resource.add_method(
                row.method, integration, method_responses=self._method_responses(row)
            )
            acknowledge(
                method,
                APIG4="Public by design: it tells whether the desk works and nothing about its contents.",
                COG4="Public by design.",
            )
            accept(method, "Public by design.", "CKV_AWS_59")
            return method
        method = resource.add_method(
            row.method,
            integration,
            authorizer=self._authorizer,
            authorization_type=apigateway.AuthorizationType.CUSTOM,
            api_key_required=self._metered,
            request_validator=self._validator if row.request else None,
            request_models={JSON: self._model(row.request)} if row.request else None,
            method_responses=self._method_responses(row),
        )
        acknowledge(
            method,
            COG4="The Lambda authorizer verifies the user pool's tokens, and API keys of machines besides.",
        )
        return method

    def _method_responses(self, row: Route) -> list[apigateway.MethodResponse]:
        """What the route can answer, for readers of the API; the gateway does not check a proxied answer."""
        model = self._model(row.response) if row.response else apigateway.Model.EMPTY_MODEL
        problem = self._model(_PROBLEM)
        told = {status: {row.media_type: model} for status in row.answers}
        told |= {status: {PROBLEM_TYPE: problem} for status in row.refusals}
        return [
            apigateway.MethodResponse(status_code=str(status), response_models=models)
            for status, models in sorted(told.items())
        ]

    def _model(self, kind: str) -> apigateway.IModel:
        if kind not in self._models:
            name = kind.rpartition(":")[2]
            self._models[kind] = self.api.add_model(
                name,
                model_name=name,
                content_type=JSON,
                # The L2 schema type knows only part of JSON Schema; the document itself is what the gateway
                # takes.
                schema=apigateway.JsonSchema(type=apigateway.JsonSchemaType.OBJECT),
            )
            resource = cast("apigateway.CfnModel", self._models[kind].node.default_child)
            resource.schema = gateway_schema(kind)
        return self._models[kind]


def _accept_findings(stage: apigateway.Stage) -> None:
    accept(
        stage,
        "Answers differ by caller and by minute: a cache would show one person another's, or an old one.",
        "NIST.800.53.R5-APIGWCacheEnabledAndEncrypted",
        "CKV_AWS_120",
    )
    accept(
        stage,
        "A client certificate is for back ends on the web; these are Lambda functions, invoked by AWS with a "
        "signed call.",
        "NIST.800.53.R5-APIGWSSLEnabled",
    )
    accept(
        stage,
        "A correlation id joins the log lines of a request over all functions and queues.",
        "Serverless-APIGWXrayEnabled",
        "CKV_AWS_73",
    )


def _domain(
    scope: Construct, api: apigateway.RestApi, settings: StageSettings
) -> apigateway.DomainName | None:
    """The API's own name, under which `/v1` is the stage of that name; the gateway's own is switched off."""
    if settings.api_domain is None:
        return None
    domain = apigateway.DomainName(
        scope,
        "Domain",
        domain_name=settings.api_domain.name,
        certificate=acm.Certificate.from_certificate_arn(
            scope, "Certificate", settings.api_domain.certificate
        ),
        endpoint_type=apigateway.EndpointType.REGIONAL,
        security_policy=apigateway.SecurityPolicy.TLS_1_2,
    )
    domain.add_base_path_mapping(api, base_path=API_VERSION, stage=api.deployment_stage)
    return domain


def _policy(networks: Sequence[str]) -> iam.PolicyDocument:
    """Lets in these networks and no others; who the caller is, the authorizer still decides."""

    def statement(effect: iam.Effect, **conditions: Any) -> iam.PolicyStatement:
        return iam.PolicyStatement(
            effect=effect,
            principals=[iam.AnyPrincipal()],
            actions=["execute-api:Invoke"],
            resources=["execute-api:/*"],
            **conditions,
        )

    elsewhere = {"NotIpAddress": {"aws:SourceIp": list(networks)}}
    return iam.PolicyDocument(
        statements=[statement(iam.Effect.ALLOW), statement(iam.Effect.DENY, conditions=elsewhere)]
    )


def _limits(row: Route, settings: StageSettings) -> apigateway.MethodDeploymentOptions:
    """A route's own limits, never above those of the whole API."""
    return apigateway.MethodDeploymentOptions(
        throttling_rate_limit=min(row.throttle.rate, settings.api_throttle.rate),
        throttling_burst_limit=min(row.throttle.burst, settings.api_throttle.burst),
    )


def _access_log() -> apigateway.AccessLogFormat:
    fields = {
        "request_id": "$context.requestId",
        "at": "$context.requestTimeEpoch",
        "ip": "$context.identity.sourceIp",
        "correlation_id": "$context.authorizer.correlation_id",
        "caller": "$context.authorizer.principalId",
        "roles": "$context.authorizer.roles",
        "method": "$context.httpMethod",
        "route": "$context.resourcePath",
        "status": "$context.status",
        "milliseconds": "$context.responseLatency",
        "authorizer_milliseconds": "$context.authorizer.latency",
        "firewall": "$context.waf.status",
        "bytes": "$context.responseLength",
        "refused_because": "$context.error.responseType",
        "function_status": "$context.integration.status",
    }
    return apigateway.AccessLogFormat.custom(json.dumps(fields))
