"""The REST API and the WebSocket API."""

import json
from typing import Any

import pytest

from bellwether.domain import rights
from bellwether.handlers.authorizer import usage_account
from infrastructure.constructs.problem_responses import REFUSALS
from infrastructure.routes import ROUTES
from tests.infrastructure.synthesis import Resource, Synthesis

ELEVEN = {
    "POST /ingest/social",
    "POST /ingest/news",
    "POST /score",
    "POST /propose",
    "POST /risk/check",
    "POST /decision",
    "POST /evaluate",
    "GET /dashboard/summary",
    "GET /dashboard/stream",
    "GET /health",
    "GET /metrics",
}


def methods(synthesis: Synthesis) -> dict[str, Resource]:
    """Methods by `VERB /path`, the path put together from the resources of the API."""
    parts = {r.logical_id: r.properties for r in synthesis.of("AWS::ApiGateway::Resource", "api")}

    def path(reference: dict[str, Any]) -> str:
        if "Ref" not in reference:
            return ""
        own = parts[reference["Ref"]]
        return f"{path(own['ParentId'])}/{own['PathPart']}"

    return {
        f"{m.properties['HttpMethod']} {path(m.properties['ResourceId'])}": m
        for m in synthesis.of("AWS::ApiGateway::Method", "api")
    }


@pytest.mark.req("A1", "A2", "A3", "A4", "A5", "A6", "A7", "A8", "A9", "A10", "A11", "A12")
def test_the_eleven_routes_are_there_and_no_others(production: Synthesis) -> None:
    assert set(methods(production)) == ELEVEN


def test_the_routes_of_the_api_are_those_with_rights(production: Synthesis) -> None:
    assert {f"{verb} {path}" for verb, path in rights.ROUTES} == ELEVEN - {"GET /health"}


@pytest.mark.req("A1", "U3")
def test_every_route_but_health_asks_the_authorizer_and_counts_the_caller(production: Synthesis) -> None:
    (authorizer,) = production.of("AWS::ApiGateway::Authorizer")
    for route, method in methods(production).items():
        properties = method.properties
        if route == "GET /health":
            assert properties["AuthorizationType"] == "NONE"
            continue
        assert properties["AuthorizationType"] == "CUSTOM"
        assert properties["AuthorizerId"] == {"Ref": authorizer.logical_id}
        assert properties["ApiKeyRequired"] is True


@pytest.mark.req("U3")
def test_the_authorizer_is_asked_each_time_whichever_credential_comes(production: Synthesis) -> None:
    (authorizer,) = production.of("AWS::ApiGateway::Authorizer")
    assert authorizer.properties["Type"] == "REQUEST"
    assert authorizer.properties["AuthorizerResultTtlInSeconds"] == 0
    assert authorizer.properties.get("IdentitySource", "") == ""


@pytest.mark.req("A1")
def test_bodies_are_validated_against_the_types_the_handlers_decode(production: Synthesis) -> None:
    models = {m.logical_id: m.properties for m in production.of("AWS::ApiGateway::Model")}
    (validator,) = production.of("AWS::ApiGateway::RequestValidator")
    assert validator.properties["ValidateRequestBody"] is True
    for route, method in methods(production).items():
        if route.startswith("GET"):
            assert "RequestModels" not in method.properties
            continue
        assert method.properties["RequestValidatorId"] == {"Ref": validator.logical_id}
        model = models[method.properties["RequestModels"]["application/json"]["Ref"]]
        assert model["Schema"]["type"] == "object"
        assert model["Schema"]["additionalProperties"] is False
    decision = next(m for m in models.values() if m["Name"] == "DecisionRequest")["Schema"]
    assert set(decision["required"]) == {"proposal_id", "content_hash", "action"}
    assert decision["properties"]["action"]["enum"] == ["approve", "reject", "revoke"]


@pytest.mark.req("A1")
def test_models_are_written_in_the_draft_the_gateway_reads(production: Synthesis) -> None:
    def walk(value: Any) -> None:
        if isinstance(value, dict):
            assert not {"$defs", "const", "propertyNames"} & set(value)
            assert value.get("required") != []
            assert not isinstance(value.get("exclusiveMinimum", True), int | float) or isinstance(
                value.get("exclusiveMinimum", True), bool
            )
            if "$ref" in value:
                assert str(value["$ref"]).startswith("#/definitions/")
            for part in value.values():
                walk(part)
        elif isinstance(value, list):
            for part in value:
                walk(part)

    models = production.of("AWS::ApiGateway::Model")
    types = {name for row in ROUTES for name in (row.request, row.response) if name}
    assert len(models) == len(types) + 1, "and the one of problems"
    for model in models:
        assert model.properties["Schema"]["$schema"].endswith("draft-04/schema#")
        walk(model.properties["Schema"])


@pytest.mark.req("A1", "X4")
def test_the_stage_is_the_version_and_throttles_every_route(production: Synthesis) -> None:
    (stage,) = production.of("AWS::ApiGateway::Stage")
    assert stage.properties["StageName"] == "v1"
    settings = {
        f"{s['HttpMethod']} {s['ResourcePath'].replace('~1', '/')}": s
        for s in stage.properties["MethodSettings"]
    }
    assert settings["* /*"]["ThrottlingRateLimit"] == 200
    for row in ROUTES:
        own = (
            settings[f"{row.method} /{row.path}"]
            if f"{row.method} /{row.path}" in settings
            else settings[f"{row.method} {row.path}"]
        )
        assert (own["ThrottlingRateLimit"], own["ThrottlingBurstLimit"]) == (
            row.throttle.rate,
            row.throttle.burst,
        )
    assert "refused_because" in stage.properties["AccessLogSetting"]["Format"]


@pytest.mark.req("A1", "X4")
def test_people_and_machines_have_quotas_counted_by_what_the_authorizer_says(production: Synthesis) -> None:
    (api,) = production.of("AWS::ApiGateway::RestApi")
    assert api.properties["ApiKeySourceType"] == "AUTHORIZER"
    plans = production.of("AWS::ApiGateway::UsagePlan")
    assert {p.properties["Quota"]["Limit"] for p in plans} == {200_000, 500_000}
    assert {p.properties["Quota"]["Period"] for p in plans} == {"DAY"}
    values = {k.properties["Value"] for k in production.of("AWS::ApiGateway::ApiKey")}
    assert values == {"bellwether-production-people", "bellwether-production-machine-collector"}
    assert len(production.of("AWS::ApiGateway::UsagePlanKey")) == 2


@pytest.mark.req("A1")
def test_the_gateways_own_refusals_are_problem_details(production: Synthesis) -> None:
    responses = production.of("AWS::ApiGateway::GatewayResponse")
    assert len(responses) == len(REFUSALS)
    for response in responses:
        headers = response.properties["ResponseParameters"]
        assert headers["gatewayresponse.header.Content-Type"] == "'application/problem+json'"
        problem = json.loads(response.properties["ResponseTemplates"]["application/json"])
        assert problem["type"] == f"urn:bellwether:problem:{problem['code']}"
        assert problem.get("status") == (int(response.properties.get("StatusCode", 0)) or None)
        assert problem["detail"]
    throttled = next(r for r in responses if r.properties["ResponseType"] == "THROTTLED")
    assert throttled.properties["ResponseParameters"]["gatewayresponse.header.Retry-After"] == "'10'"


@pytest.mark.req("A1")
def test_without_a_dashboard_elsewhere_no_origin_is_let_in(production: Synthesis) -> None:
    assert not [route for route in methods(production) if route.startswith("OPTIONS")]
    assert "Access-Control-Allow-Origin" not in json.dumps(production.templates["api"])


@pytest.mark.req("A1")
def test_exactly_the_named_origin_is_let_in(local: Synthesis) -> None:
    preflights = {route: m for route, m in methods(local).items() if route.startswith("OPTIONS")}
    assert {route.removeprefix("OPTIONS ") for route in preflights} >= {r.path for r in ROUTES}
    for method in preflights.values():
        (answer,) = method.properties["Integration"]["IntegrationResponses"]
        origin = answer["ResponseParameters"]["method.response.header.Access-Control-Allow-Origin"]
        assert origin == "'http://127.0.0.1:4566'"
    (stage,) = local.of("AWS::ApiGateway::Stage")
    assert stage.properties["Variables"] == {"allowedOrigins": "http://127.0.0.1:4566"}


@pytest.mark.req("A13")
def test_the_socket_asks_who_connects(production: Synthesis) -> None:
    routes = {r.properties["RouteKey"]: r.properties for r in production.of("AWS::ApiGatewayV2::Route")}
    assert set(routes) == {"$connect", "$disconnect", "$default"}
    assert routes["$connect"]["AuthorizationType"] == "CUSTOM"
    (authorizer,) = production.of("AWS::ApiGatewayV2::Authorizer")
    assert routes["$connect"]["AuthorizerId"] == {"Ref": authorizer.logical_id}
    assert authorizer.properties.get("IdentitySource", []) == []
    (stage,) = production.of("AWS::ApiGatewayV2::Stage")
    assert stage.properties["StageName"] == "v1"
    assert "AccessLogSettings" in stage.properties


@pytest.mark.req("A13", "S3")
def test_only_the_socket_functions_may_post_to_connections(production: Synthesis) -> None:
    may = {
        function.properties["Handler"].split(".")[2]
        for function in production.of("AWS::Lambda::Function", "api")
        if "execute-api:ManageConnections"
        in json.dumps(production.statements(function.properties["Handler"].split(".")[2]))
    }
    assert may == {"socket", "broadcast"}


def test_outputs_tell_where_everything_is(local: Synthesis) -> None:
    outputs = local.outputs()
    assert outputs["ApiUrl"] == "http://127.0.0.1:4566/v1"
    assert outputs["SocketUrl"] == "ws://127.0.0.1:4566/ws"
    assert outputs.keys() >= {
        "RestApiId",
        "SocketApiId",
        "UserPoolId",
        "UserPoolClientId",
        "LakeBucket",
        "LedgerBucket",
        "ProposalsTable",
        "SignalsTablePrefix",
        "IngestQueueUrl",
        "IngestDlqUrl",
        "DecisionsQueueUrl",
        "DecisionsDlqUrl",
        "AlarmTopicArn",
        "SignalWorkerFunction",
        "SignalWorkerLogGroup",
    }


def rules_of(synthesis: Synthesis, stack: str) -> dict[str, dict[str, Any]]:
    (acl,) = synthesis.of("AWS::WAFv2::WebACL", stack)
    rules = {rule["Name"]: rule for rule in acl.properties["Rules"]}
    assert [rule["Priority"] for rule in acl.properties["Rules"]] == list(range(len(rules)))
    return rules


@pytest.mark.req("S4")
def test_a_firewall_stands_before_the_stage_and_lets_posts_through(production: Synthesis) -> None:
    rules = rules_of(production, "api")
    assert rules["requests-per-address"]["Statement"]["RateBasedStatement"]["Limit"] == 3_000
    assert rules["requests-per-address"]["Action"] == {"Block": {}}
    common = rules["AWSManagedRulesCommonRuleSet"]["Statement"]["ManagedRuleGroupStatement"]
    counted = {override["Name"] for override in common["RuleActionOverrides"]}
    # posts are large and quote markup and addresses
    assert counted >= {"SizeRestrictions_BODY", "CrossSiteScripting_BODY"}
    assert {"AWSManagedRulesAmazonIpReputationList", "AWSManagedRulesKnownBadInputsRuleSet"} <= set(rules)
    anonymous = rules["AWSManagedRulesAnonymousIpList"]["Statement"]["ManagedRuleGroupStatement"]
    assert [o["Name"] for o in anonymous["RuleActionOverrides"]] == ["HostingProviderIPList"]
    (acl,) = production.of("AWS::WAFv2::WebACL", "api")
    (association,) = production.of("AWS::WAFv2::WebACLAssociation", "api")
    assert association.properties["WebACLArn"] == {"Fn::GetAtt": [acl.logical_id, "Arn"]}
    assert "/stages/v1" in json.dumps(association.properties["ResourceArn"])


@pytest.mark.req("S4", "X4")
def test_each_route_has_its_own_limit_per_address(production: Synthesis) -> None:
    rules = rules_of(production, "api")
    found = {}
    for name, rule in rules.items():
        if not name.endswith("-per-address-and-route"):
            continue
        rated = rule["Statement"]["RateBasedStatement"]
        assert (rule["Action"], rated["EvaluationWindowSec"]) == ({"Block": {}}, 300)
        assert [next(iter(key)) for key in rated["CustomKeys"]] == ["IP", "UriPath"]
        where, not_edge = rated["ScopeDownStatement"]["AndStatement"]["Statements"]
        assert "SingleHeader" in not_edge["NotStatement"]["Statement"]["ByteMatchStatement"]["FieldToMatch"]
        for path in where["OrStatement"]["Statements"] if "OrStatement" in where else [where]:
            assert path["ByteMatchStatement"]["PositionalConstraint"] == "EXACTLY"
            found[path["ByteMatchStatement"]["SearchString"]] = rated["Limit"]
    assert found == {f"/v1{row.path}": row.per_address for row in ROUTES}


@pytest.mark.req("S4")
def test_no_firewall_has_more_rules_that_count_than_a_list_may(production: Synthesis) -> None:
    """Ten, and no more can be asked for (docs.aws.amazon.com/waf/latest/developerguide/limits.html)."""
    for acl in production.of("AWS::WAFv2::WebACL"):
        counting = [r for r in acl.properties["Rules"] if "RateBasedStatement" in r["Statement"]]
        assert 1 <= len(counting) <= 10


@pytest.mark.req("S4")
def test_a_large_body_is_refused_where_a_few_words_are_expected(production: Synthesis) -> None:
    where, large = rules_of(production, "api")["bodies-of-few-words"]["Statement"]["AndStatement"][
        "Statements"
    ]
    paths = {s["ByteMatchStatement"]["SearchString"] for s in where["OrStatement"]["Statements"]}
    assert paths == {"/v1/decision", "/v1/evaluate"}
    assert large["SizeConstraintStatement"]["Size"] == 16_384
    assert large["SizeConstraintStatement"]["FieldToMatch"] == {"Body": {"OversizeHandling": "MATCH"}}


@pytest.mark.req("S4", "B1")
def test_every_firewall_logs_what_it_refused_and_no_credential(production: Synthesis) -> None:
    logged = production.of("AWS::WAFv2::LoggingConfiguration")
    assert {logging.stack for logging in logged} == {"api", "auth", "edge"}
    assert len(logged) == len(production.of("AWS::WAFv2::WebACL"))
    for logging in logged:
        redacted = {field["SingleHeader"]["Name"] for field in logging.properties["RedactedFields"]}
        assert redacted == {"authorization", "x-api-key", "cookie"}
        filters = logging.properties["LoggingFilter"]
        assert filters["DefaultBehavior"] == "DROP"
        kept = {c["ActionCondition"]["Action"] for f in filters["Filters"] for c in f["Conditions"]}
        assert kept == {"BLOCK", "COUNT"}


@pytest.mark.req("X1")
def test_answers_are_compressed(production: Synthesis, local: Synthesis) -> None:
    for synthesis in (production, local):
        (api,) = synthesis.of("AWS::ApiGateway::RestApi")
        assert api.properties["MinimumCompressionSize"] == 1_024


@pytest.mark.req("A1", "B1")
def test_the_access_log_names_caller_and_correlation_and_no_credential(production: Synthesis) -> None:
    (stage,) = production.of("AWS::ApiGateway::Stage")
    fields = json.loads(stage.properties["AccessLogSetting"]["Format"])
    assert fields["correlation_id"] == "$context.authorizer.correlation_id"
    assert fields["caller"] == "$context.authorizer.principalId"
    assert not any("header" in value.lower() or "apiKey" in value for value in fields.values())
    defaults = next(s for s in stage.properties["MethodSettings"] if s["ResourcePath"] == "/*")
    assert (defaults["LoggingLevel"], defaults["DataTraceEnabled"]) == ("ERROR", False)


@pytest.mark.req("A1")
def test_the_authorizer_names_keys_that_are_in_the_plans(production: Synthesis) -> None:
    values = {k.properties["Value"] for k in production.of("AWS::ApiGateway::ApiKey")}
    stage = production.function("authorizer").properties["Environment"]["Variables"]["STAGE"]
    person = rights.User(username="5e6f", roles=("analyst",))
    machine = rights.User(username="machine:collector", roles=("machine",))
    assert {usage_account(user, f"bellwether-{stage}") for user in (person, machine)} == values
