"""The distribution: dashboard and API under one name."""

from pathlib import Path

from aws_cdk import Duration
from aws_cdk import aws_certificatemanager as acm
from aws_cdk import aws_cloudfront as cloudfront
from aws_cdk import aws_cloudfront_origins as origins
from aws_cdk import aws_s3 as s3
from constructs import Construct

from infrastructure.constructs.acknowledged import accept
from infrastructure.constructs.firewall_rules import EDGE_HEADER
from infrastructure.settings import API_VERSION, StageSettings

_HTTPS = cloudfront.ViewerProtocolPolicy
_POLICIES = cloudfront.CachePolicy
HEALTH_SECONDS = 5
"""`/health` is public: however many ask, the API is asked once in this time at each edge."""


class EdgeDistribution(Construct):
    """`/v1/*` goes to the API and is never kept (health for five seconds); all else is the dashboard's files.

    `edge` is what names the edge to the API's firewall, `api_host` where the API answers.
    """

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        site: s3.IBucket,
        api_host: str,
        edge: str,
        headers: cloudfront.ResponseHeadersPolicy,
        acl_arn: str,
        settings: StageSettings,
    ) -> None:
        super().__init__(scope, construct_id)
        domain = settings.dashboard_domain
        api = origins.HttpOrigin(
            api_host,
            protocol_policy=cloudfront.OriginProtocolPolicy.HTTPS_ONLY,
            origin_ssl_protocols=[cloudfront.OriginSslPolicy.TLS_V1_2],
            read_timeout=Duration.seconds(30),
            keepalive_timeout=Duration.seconds(60),
            custom_headers={EDGE_HEADER: edge},
        )
        self.distribution = cloudfront.Distribution(
            self,
            "Distribution",
            comment=f"Dashboard and API of {settings.prefix}",
            default_root_object="index.html",
            default_behavior=self._pages(site, headers),
            additional_behaviors={
                f"/{API_VERSION}/health": self._health(api, headers),
                f"/{API_VERSION}/*": self._api(api, headers),
            },
            http_version=cloudfront.HttpVersion.HTTP2_AND_3,
            price_class=cloudfront.PriceClass.PRICE_CLASS_100,
            web_acl_id=acl_arn,
            minimum_protocol_version=cloudfront.SecurityPolicyProtocol.TLS_V1_2_2021,
            domain_names=[domain.name] if domain else None,
            certificate=(
                acm.Certificate.from_certificate_arn(self, "Certificate", domain.certificate)
                if domain
                else None
            ),
        )
        accept(
            self.distribution,
            "A desk's people travel; who may do what is decided by their login.",
            "AwsSolutions-CFR1",
        )
        accept(
            self.distribution,
            "Logged by the newer delivery of logs, which the rule does not know.",
            "AwsSolutions-CFR3",
            "CKV_AWS_86",
        )
        if not domain:
            accept(
                self.distribution,
                "CloudFront's own certificate takes no lowest TLS version; set `dashboard_domain`.",
                "AwsSolutions-CFR4",
                "CKV_AWS_174",
            )

    def _pages(
        self, site: s3.IBucket, headers: cloudfront.ResponseHeadersPolicy
    ) -> cloudfront.BehaviorOptions:
        paths = cloudfront.Function(
            self,
            "Paths",
            comment="Views of the dashboard are all answered by its one page",
            runtime=cloudfront.FunctionRuntime.JS_2_0,
            code=cloudfront.FunctionCode.from_inline(
                Path(__file__).with_name("page_paths.js").read_text(encoding="utf-8")
            ),
        )
        asked = cloudfront.FunctionEventType.VIEWER_REQUEST
        return cloudfront.BehaviorOptions(
            origin=origins.S3BucketOrigin.with_origin_access_control(site),
            viewer_protocol_policy=_HTTPS.REDIRECT_TO_HTTPS,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            cache_policy=_POLICIES.CACHING_OPTIMIZED,
            response_headers_policy=headers,
            compress=True,
            function_associations=[cloudfront.FunctionAssociation(function=paths, event_type=asked)],
        )

    def _api(
        self, api: cloudfront.IOrigin, headers: cloudfront.ResponseHeadersPolicy
    ) -> cloudfront.BehaviorOptions:
        return cloudfront.BehaviorOptions(
            origin=api,
            viewer_protocol_policy=_HTTPS.HTTPS_ONLY,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_ALL,
            cache_policy=_POLICIES.CACHING_DISABLED,
            origin_request_policy=cloudfront.OriginRequestPolicy.ALL_VIEWER_EXCEPT_HOST_HEADER,
            response_headers_policy=headers,
        )

    def _health(
        self, api: cloudfront.IOrigin, headers: cloudfront.ResponseHeadersPolicy
    ) -> cloudfront.BehaviorOptions:
        # The answer says `no-store`, for caches that are not ours; the least time to live goes before it.
        kept = Duration.seconds(HEALTH_SECONDS)
        policy = cloudfront.CachePolicy(
            self,
            "Health",
            comment="Health, asked by anybody as often as they like",
            min_ttl=kept,
            default_ttl=kept,
            max_ttl=kept,
        )
        return cloudfront.BehaviorOptions(
            origin=api,
            viewer_protocol_policy=_HTTPS.HTTPS_ONLY,
            allowed_methods=cloudfront.AllowedMethods.ALLOW_GET_HEAD,
            cache_policy=policy,
            response_headers_policy=headers,
        )
