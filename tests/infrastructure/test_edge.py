"""The edge: dashboard and API under one name, and names of one's own."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from aws_cdk import App

from infrastructure.app import build
from infrastructure.packaging import Layer
from infrastructure.settings import STAGES, Domain, Feature, StageSettings, settings_of
from tests.infrastructure.synthesis import Resource, Synthesis, listed, new_app

OWN_API = Domain(
    name="api.example.com",
    certificate="arn:aws:acm:eu-central-2:123456789012:certificate/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
)
OWN_DASHBOARD = Domain(
    name="desk.example.com",
    certificate="arn:aws:acm:us-east-1:123456789012:certificate/0a1b2c3d-0a1b-0a1b-0a1b-0a1b2c3d4e5f",
)


@pytest.fixture(scope="module")
def named(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """Production with names of its own."""
    folder = tmp_path_factory.mktemp("named")
    (folder / "layer").mkdir()
    (folder / "layer" / "dependency.py").write_text("")
    app: App = new_app(folder / "out")
    settings = replace(STAGES["production"], api_domain=OWN_API, dashboard_domain=OWN_DASHBOARD)
    build(app, settings, Layer(cloud=True, folder=folder / "layer"))
    app.synth()
    return templates(folder / "out", settings)


@pytest.fixture(scope="module")
def walled(tmp_path_factory: pytest.TempPathFactory) -> Synthesis:
    """Staging without an edge, for the networks of one office."""
    folder = tmp_path_factory.mktemp("walled")
    (folder / "layer").mkdir()
    (folder / "layer" / "dependency.py").write_text("")
    app: App = new_app(folder / "out")
    staging = STAGES["staging"]
    lacks = {**staging.lacks, Feature.EDGE: "only one office calls"}
    settings = replace(staging, lacks=lacks, allowed_networks=("203.0.113.0/24", "2001:db8::/32"))
    build(app, settings, Layer(cloud=True, folder=folder / "layer"))
    app.synth()
    return templates(folder / "out", settings)


def templates(folder: Path, settings: StageSettings) -> Synthesis:
    prefix, ending = f"{settings.prefix}-", ".template.json"
    return Synthesis(
        settings,
        {
            path.name.removesuffix(ending).removeprefix(prefix): json.loads(path.read_text())
            for path in folder.glob(f"*{ending}")
        },
        folder,
    )


def distribution(synthesis: Synthesis) -> dict[str, Any]:
    (found,) = synthesis.of("AWS::CloudFront::Distribution")
    config: dict[str, Any] = found.properties["DistributionConfig"]
    return config


def only(synthesis: Synthesis, kind: str) -> Resource:
    (found,) = synthesis.of(kind, "edge")
    return found


@pytest.mark.req("X1")
def test_the_api_is_passed_on_and_kept_nowhere_but_health_for_five_seconds(production: Synthesis) -> None:
    health, api = distribution(production)["CacheBehaviors"]
    assert (health["PathPattern"], api["PathPattern"]) == ("/v1/health", "/v1/*")
    disabled = "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"
    all_but_host = "b689b0a8-53d0-40ab-baf2-68738e2966ac"
    assert (api["CachePolicyId"], api["OriginRequestPolicyId"]) == (disabled, all_but_host)
    assert "POST" in api["AllowedMethods"]
    assert health["AllowedMethods"] == ["GET", "HEAD"]
    policy = only(production, "AWS::CloudFront::CachePolicy")
    assert health["CachePolicyId"] == {"Ref": policy.logical_id}
    config = policy.properties["CachePolicyConfig"]
    assert (config["MinTTL"], config["DefaultTTL"], config["MaxTTL"]) == (5, 5, 5)
    keyed = config["ParametersInCacheKeyAndForwardedToOrigin"]
    assert keyed["CookiesConfig"]["CookieBehavior"] == keyed["HeadersConfig"]["HeaderBehavior"] == "none"
    assert keyed["QueryStringsConfig"]["QueryStringBehavior"] == "none"


@pytest.mark.req("X1", "S4")
def test_the_files_are_private_and_reach_the_edge_alone(production: Synthesis) -> None:
    bucket = only(production, "AWS::S3::Bucket")
    block = bucket.properties["PublicAccessBlockConfiguration"]
    assert all(block.values())
    assert len(block) == 4
    (rule,) = bucket.properties["BucketEncryption"]["ServerSideEncryptionConfiguration"]
    assert rule["ServerSideEncryptionByDefault"]["SSEAlgorithm"] == "aws:kms"
    access = only(production, "AWS::CloudFront::OriginAccessControl")
    config = access.properties["OriginAccessControlConfig"]
    assert (config["SigningBehavior"], config["SigningProtocol"]) == ("always", "sigv4")
    site = next(o for o in distribution(production)["Origins"] if "S3OriginConfig" in o)
    assert site["OriginAccessControlId"] == {"Fn::GetAtt": [access.logical_id, "Id"]}
    policy = only(production, "AWS::S3::BucketPolicy").properties["PolicyDocument"]["Statement"]
    readers = [s for s in policy if s["Effect"] == "Allow" and "s3:GetObject" in s["Action"]]
    (reader,) = [s for s in readers if s["Principal"] == {"Service": "cloudfront.amazonaws.com"}]
    front = only(production, "AWS::CloudFront::Distribution").logical_id
    assert {"Ref": front} in reader["Condition"]["StringEquals"]["AWS:SourceArn"]["Fn::Join"][1]


@pytest.mark.req("X1", "S4")
def test_browsers_are_told_to_be_strict(production: Synthesis) -> None:
    policy = only(production, "AWS::CloudFront::ResponseHeadersPolicy")
    security = policy.properties["ResponseHeadersPolicyConfig"]["SecurityHeadersConfig"]
    assert security["StrictTransportSecurity"]["AccessControlMaxAgeSec"] >= 31_536_000
    assert security["FrameOptions"]["FrameOption"] == "DENY"
    content = json.dumps(security["ContentSecurityPolicy"]["ContentSecurityPolicy"])
    for promise in ("default-src 'none'", "script-src 'self';", "frame-ancestors 'none'", "base-uri 'none'"):
        assert promise in content
    assert "unsafe" not in content
    assert "*" not in content
    config = distribution(production)
    for behavior in (config["DefaultCacheBehavior"], *config["CacheBehaviors"]):
        assert behavior["ResponseHeadersPolicyId"] == {"Ref": policy.logical_id}
        assert behavior["ViewerProtocolPolicy"] in {"https-only", "redirect-to-https"}


@pytest.mark.req("X1")
def test_a_view_of_the_dashboard_is_its_page_and_an_errors_body_is_left_alone(production: Synthesis) -> None:
    config = distribution(production)
    (function,) = config["DefaultCacheBehavior"]["FunctionAssociations"]
    assert function["EventType"] == "viewer-request"
    # error pages are the whole distribution's: they would replace the API's problem details
    assert "CustomErrorResponses" not in config
    assert (config["DefaultRootObject"], config["HttpVersion"]) == ("index.html", "http2and3")


@pytest.mark.req("S4")
def test_the_edge_has_a_firewall_of_its_own_and_logs_without_credentials(production: Synthesis) -> None:
    acl = only(production, "AWS::WAFv2::WebACL")
    assert acl.properties["Scope"] == "CLOUDFRONT"
    assert distribution(production)["WebACLId"] == {"Fn::GetAtt": [acl.logical_id, "Arn"]}
    logging = only(production, "AWS::WAFv2::LoggingConfiguration")
    assert {f["SingleHeader"]["Name"] for f in logging.properties["RedactedFields"]} == {
        "authorization",
        "x-api-key",
        "cookie",
    }
    key = {"Fn::GetAtt": [only(production, "AWS::KMS::Key").logical_id, "Arn"]}
    groups = production.of("AWS::Logs::LogGroup", "edge")
    assert {group.properties["LogGroupName"] for group in groups} == {
        "aws-waf-logs-bellwether-production-edge",
        "bellwether-production-edge-files",
        "bellwether-production-edge-requests",
    }
    assert all(group.properties["KmsKeyId"] == key for group in groups)
    fields = only(production, "AWS::Logs::Delivery").properties["RecordFields"]
    assert not {"cs-uri-query", "cs(Cookie)", "cs(Authorization)"} & set(fields)


@pytest.mark.req("S1")
def test_the_key_of_the_edge_is_for_its_logs_and_its_files(production: Synthesis) -> None:
    key = only(production, "AWS::KMS::Key")
    assert (key.properties["EnableKeyRotation"], key.properties["RotationPeriodInDays"]) == (True, 365)
    services = {
        statement["Principal"]["Service"]: statement["Condition"]
        for statement in key.properties["KeyPolicy"]["Statement"]
        if "Service" in statement["Principal"]
    }
    assert set(services) == {"logs.us-east-1.amazonaws.com", "cloudfront.amazonaws.com"}
    assert "kms:EncryptionContext:aws:logs:arn" in services["logs.us-east-1.amazonaws.com"]["ArnLike"]
    assert "AWS:SourceArn" in json.dumps(services["cloudfront.amazonaws.com"])


@pytest.mark.req("X1", "S3")
def test_the_files_are_published_by_a_function_that_may_do_nothing_else(production: Synthesis) -> None:
    resource = only(production, "Custom::SiteFiles")
    config = resource.properties["Config"]
    assert set(config) == {
        "stage",
        "region",
        "user_pool_id",
        "user_pool_client_id",
        "api_url",
        "ws_url",
        "auth_url",
    }
    assert config["api_url"] == "/v1"
    (policy,) = production.of("AWS::IAM::Policy", "edge")
    allowed = {a for s in policy.properties["PolicyDocument"]["Statement"] for a in listed(s["Action"])}
    assert allowed == {
        "cloudfront:CreateInvalidation",
        "kms:Decrypt",
        "kms:GenerateDataKey",
        "logs:CreateLogStream",
        "logs:PutLogEvents",
        "s3:DeleteObject",
        "s3:ListBucket",
        "s3:PutObject",
    }


@pytest.mark.req("S4", "S2")
def test_the_api_knows_the_edge_by_a_secret_that_is_in_no_template(production: Synthesis) -> None:
    told = "{{resolve:secretsmanager:bellwether-production-edge:SecretString}}"
    api = next(o for o in distribution(production)["Origins"] if "CustomOriginConfig" in o)
    assert api["OriginCustomHeaders"] == [{"HeaderName": "x-bellwether-edge", "HeaderValue": told}]
    assert api["CustomOriginConfig"]["OriginSSLProtocols"] == ["TLSv1.2"]
    (acl,) = production.of("AWS::WAFv2::WebACL", "api")
    overall = next(r for r in acl.properties["Rules"] if r["Name"] == "requests-per-address")
    spared = overall["Statement"]["RateBasedStatement"]["ScopeDownStatement"]["NotStatement"]["Statement"]
    assert spared["ByteMatchStatement"]["SearchString"] == told
    (secret,) = production.of("AWS::SecretsManager::Secret", "api")
    assert secret.properties["Name"] == "bellwether-production-edge"
    assert [replica["Region"] for replica in secret.properties["ReplicaRegions"]] == ["us-east-1"]


@pytest.mark.req("O1", "X1")
def test_the_edges_stack_reads_addresses_of_the_stages_region_weakly(production: Synthesis) -> None:
    text = json.dumps(production.templates["edge"])
    assert '"Region": "eu-central-2"' in text
    assert "Custom::CrossRegionExport" not in json.dumps(dict(production.templates))
    assert "ImportValue" not in text


@pytest.mark.req("X1")
def test_the_local_desk_has_no_edge(local: Synthesis) -> None:
    assert "edge" not in local.templates
    assert not local.settings.has(Feature.EDGE)


@pytest.mark.req("A1")
def test_under_a_name_of_ones_own_the_gateways_is_closed(named: Synthesis, production: Synthesis) -> None:
    (api,) = named.of("AWS::ApiGateway::RestApi")
    assert api.properties["DisableExecuteApiEndpoint"] is True
    (domain,) = named.of("AWS::ApiGateway::DomainName")
    assert (domain.properties["SecurityPolicy"], domain.properties["RegionalCertificateArn"]) == (
        "TLS_1_2",
        OWN_API.certificate,
    )
    (mapping,) = named.of("AWS::ApiGateway::BasePathMapping")
    assert mapping.properties["BasePath"] == "v1"
    assert named.outputs()["ApiUrl"] == "https://api.example.com/v1"
    assert not production.of("AWS::ApiGateway::DomainName")


@pytest.mark.req("A1")
def test_a_stage_without_an_edge_can_be_for_some_networks_alone(walled: Synthesis) -> None:
    (api,) = walled.of("AWS::ApiGateway::RestApi")
    allow, deny = api.properties["Policy"]["Statement"]
    assert (allow["Effect"], deny["Effect"]) == ("Allow", "Deny")
    assert deny["Condition"] == {"NotIpAddress": {"aws:SourceIp": ["203.0.113.0/24", "2001:db8::/32"]}}
    assert "edge" not in walled.templates


@pytest.mark.req("X1")
def test_under_a_name_of_ones_own_the_dashboard_speaks_only_new_tls(named: Synthesis) -> None:
    config = distribution(named)
    assert config["Aliases"] == ["desk.example.com"]
    certificate = config["ViewerCertificate"]
    assert (certificate["AcmCertificateArn"], certificate["MinimumProtocolVersion"]) == (
        OWN_DASHBOARD.certificate,
        "TLSv1.2_2021",
    )
    assert named.outputs()["DashboardUrl"] == "https://desk.example.com"
    origin = next(o for o in config["Origins"] if "CustomOriginConfig" in o)
    assert origin["DomainName"] == "api.example.com"


@pytest.mark.req("A1")
@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "https://*",
        "https://desk.example.com/",
        "https://desk.example.com/app",
        "http://desk.example.com",
        "desk.example.com",
        "https://Desk.example.com",
        "https://desk.example.com,https://other.example.com",
        "https://user@desk.example.com",
        "null",
    ],
)
def test_a_wrong_origin_fails_before_anything_is_made(origin: str) -> None:
    with pytest.raises(ValueError, match="no origin a browser may call the API from"):
        settings_of("production", dashboard_origin=origin)


@pytest.mark.req("A1")
@pytest.mark.parametrize(
    "origin", ["https://desk.example.com", "https://desk.example.com:8443", "http://127.0.0.1:4566"]
)
def test_an_exact_origin_is_taken(origin: str) -> None:
    assert settings_of("production", dashboard_origin=origin).dashboard_origin == origin


@pytest.mark.req("X1")
@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"dashboard_domain": OWN_API}, "is in eu-central-2, not in us-east-1"),
        ({"api_domain": OWN_DASHBOARD}, "is in us-east-1, not in eu-central-2"),
        ({"api_domain": Domain(name="https://api.example.com", certificate="x")}, "no host name"),
        ({"api_domain": Domain(name="api.example.com", certificate="x")}, "no certificate's ARN"),
        ({"allowed_networks": ("203.0.113.0/24",)}, "sees the edge's addresses"),
        ({"allowed_networks": ("203.0.113.1/24",)}, "is no network such as"),
    ],
)
def test_a_wrong_name_or_certificate_fails_before_anything_is_made(
    change: dict[str, Any], fault: str
) -> None:
    with pytest.raises(ValueError, match=fault):
        replace(STAGES["production"], **change)


def test_the_pages_script_maps_views_and_leaves_files(tmp_path: Path) -> None:
    """Run by Node, as CloudFront runs it."""
    import subprocess

    from bellwether.desk.tools import node_folder
    from infrastructure.constructs import distribution as module

    source = Path(module.__file__).with_name("page_paths.js").read_text(encoding="utf-8")
    asked = ["/", "/proposals", "/proposals/01ARZ", "/style.css", "/config.json", "/a.b/view"]
    script = tmp_path / "run.js"
    script.write_text(
        f"{source}\nconsole.log(JSON.stringify({json.dumps(asked)}"
        ".map(uri => handler({request: {uri}}).uri)))"
    )
    done = subprocess.run(
        [str(node_folder() / "node"), str(script)], capture_output=True, text=True, check=True
    )
    page = "/index.html"
    assert json.loads(done.stdout) == [page, page, page, "/style.css", "/config.json", page]
