"""What a browser is told about every answer of the edge."""

from collections.abc import Sequence

from aws_cdk import Duration
from aws_cdk import aws_cloudfront as cloudfront
from constructs import Construct

_NOTHING = ("camera", "geolocation", "microphone", "payment", "usb")


class SiteHeaders(cloudfront.ResponseHeadersPolicy):
    """Own scripts and styles alone; connections to the page's own origin and to `connect`; no frames.

    The same promises the desk on one machine makes, and HTTPS for two years.
    """

    def __init__(self, scope: Construct, construct_id: str, *, connect: Sequence[str]) -> None:
        content = {
            "default-src": "'none'",
            "script-src": "'self'",
            "style-src": "'self'",
            "img-src": "'self' data:",
            "font-src": "'self'",
            "manifest-src": "'self'",
            "connect-src": " ".join(["'self'", *connect]),
            "frame-ancestors": "'none'",
            "base-uri": "'none'",
            "form-action": "'none'",
        }
        kind = cloudfront.ResponseHeadersContentSecurityPolicy
        super().__init__(
            scope,
            construct_id,
            comment="Dashboard and API",
            security_headers_behavior=cloudfront.ResponseSecurityHeadersBehavior(
                content_security_policy=kind(
                    content_security_policy="; ".join(f"{name} {value}" for name, value in content.items()),
                    override=True,
                ),
                content_type_options=cloudfront.ResponseHeadersContentTypeOptions(override=True),
                frame_options=cloudfront.ResponseHeadersFrameOptions(
                    frame_option=cloudfront.HeadersFrameOption.DENY, override=True
                ),
                referrer_policy=cloudfront.ResponseHeadersReferrerPolicy(
                    referrer_policy=cloudfront.HeadersReferrerPolicy.NO_REFERRER, override=True
                ),
                strict_transport_security=cloudfront.ResponseHeadersStrictTransportSecurity(
                    access_control_max_age=Duration.days(730),
                    include_subdomains=True,
                    preload=True,
                    override=True,
                ),
            ),
            custom_headers_behavior=cloudfront.ResponseCustomHeadersBehavior(
                custom_headers=[
                    cloudfront.ResponseCustomHeader(
                        header="Permissions-Policy",
                        value=", ".join(f"{name}=()" for name in _NOTHING),
                        override=True,
                    ),
                    cloudfront.ResponseCustomHeader(
                        header="Cross-Origin-Resource-Policy", value="same-origin", override=True
                    ),
                ]
            ),
        )
