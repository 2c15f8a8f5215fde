"""The network: who reaches what, by which way, and who has none."""

import ast
import json
from pathlib import Path

import pytest

from infrastructure.constructs.schedules import TIMETABLE
from infrastructure.endpoints import GATEWAYS, WAYS_OUT, services_of, ways_out
from infrastructure.functions import FUNCTIONS
from infrastructure.settings import settings_of
from tests.infrastructure.synthesis import ROOT, Resource, Synthesis, listed

OUTSIDE = {
    "fetch_social": {"providers"},
    "fetch_news": {"providers"},
    "fetch_prices": {"providers"},
    "comply": {"providers"},
    "signal_worker": {"language_model"},
    "authorizer": {"key_set"},
    "socket": {"sockets"},
    "broadcast": {"sockets"},
}
"""The reviewed list of functions with a way out, and what for."""
INSIDE = [name for name, row in FUNCTIONS.items() if not row.of_the_pool]


def subnet_ids(synthesis: Synthesis, name: str) -> set[str]:
    """Logical ids of the subnets a function runs in."""
    function = synthesis.function(name)
    return {synthesis.target(function.stack, s) for s in function.properties["VpcConfig"]["SubnetIds"]}


def routed_to_nat(synthesis: Synthesis) -> set[str]:
    """Logical ids of the subnets whose route table leads to a NAT gateway."""
    tables = {
        route.properties["RouteTableId"]["Ref"]
        for route in synthesis.of("AWS::EC2::Route")
        if "NatGatewayId" in route.properties
    }
    return {
        link.properties["SubnetId"]["Ref"]
        for link in synthesis.of("AWS::EC2::SubnetRouteTableAssociation")
        if link.properties["RouteTableId"]["Ref"] in tables
    }


@pytest.mark.req("C3")
def test_only_what_the_pool_calls_runs_outside_the_network() -> None:
    assert set(FUNCTIONS) - set(INSIDE) == {"sign_in"}


@pytest.mark.req("C3")
@pytest.mark.parametrize("name", INSIDE)
def test_only_who_needs_it_has_a_route_out(production: Synthesis, name: str) -> None:
    subnets = subnet_ids(production, name)
    assert len(subnets) == 2
    assert subnets & routed_to_nat(production) == (subnets if name in OUTSIDE else set())


@pytest.mark.req("C3")
def test_ways_out_are_the_reviewed_ones_and_each_has_a_reason() -> None:
    found = {name: set(ways_out(row)) for name, row in FUNCTIONS.items() if ways_out(row)}
    assert found == OUTSIDE
    assert all(len(reason) > 30 for _, reason in WAYS_OUT.values())


@pytest.mark.req("C3")
@pytest.mark.parametrize("name", FUNCTIONS)
def test_a_handler_that_loads_a_web_client_has_a_way_out(name: str) -> None:
    """The table says who goes out; this reads it from the code, so that neither can drift."""
    modules = imports(f"bellwether.handlers.{name}")
    webs = {"bellwether.adapters.providers.guarded_http", "urllib.request", "bellwether.adapters.aws.sockets"}
    if name not in {"socket", "broadcast"}:
        webs.remove("bellwether.adapters.aws.sockets")
    goes_out = bool(modules & webs) or "SOCKET_ENDPOINT" in FUNCTIONS[name].environment
    assert goes_out == bool(ways_out(FUNCTIONS[name]))


def imports(module: str) -> set[str]:
    """The modules a module imports, directly or through modules of the product, as its source says."""
    seen: set[str] = set()
    waiting = [module]
    while waiting:
        name = waiting.pop()
        if name in seen:
            continue
        seen.add(name)
        path = ROOT / "src" / Path(*name.split("."))
        source = path.with_suffix(".py") if path.with_suffix(".py").is_file() else path / "__init__.py"
        # The composition root knows every adapter; what a handler asks of it is in its environment.
        if not source.is_file() or name == "bellwether.adapters.composition":
            continue
        for node in ast.walk(ast.parse(source.read_text())):
            if isinstance(node, ast.Import):
                waiting += [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom) and node.module:
                waiting.append(node.module)
    return seen


def endpoints(synthesis: Synthesis) -> dict[str, Resource]:
    """Endpoints by the service they lead to."""
    found = {}
    for endpoint in synthesis.of("AWS::EC2::VPCEndpoint"):
        told = json.dumps(endpoint.properties["ServiceName"])
        (service,) = [s for s in ("dynamodb", "s3", "sqs", "secretsmanager") if f".{s}" in told]
        found[service] = endpoint
    return found


@pytest.mark.req("C3")
def test_there_is_an_endpoint_for_each_service_a_function_may_call_and_no_other(
    production: Synthesis,
) -> None:
    """Read from the policies of the template, not from the table the endpoints are made of."""
    called = {
        action.partition(":")[0]
        for name in INSIDE
        for statement in production.statements(name)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    }
    # Lambda itself uses these in the role's name, and keys are used by the service that holds the data.
    of_lambda = {"logs", "xray", "ec2", "kms"}
    of_sockets = {"execute-api"}
    assert called - of_lambda - of_sockets == set(endpoints(production))


@pytest.mark.req("C3")
@pytest.mark.parametrize("name", INSIDE)
def test_the_table_knows_every_service_a_role_may_call(production: Synthesis, name: str) -> None:
    called = {
        action.partition(":")[0]
        for statement in production.statements(name)
        if statement["Effect"] == "Allow"
        for action in listed(statement["Action"])
    }
    # A stream is read, and a failed run is put in its queue, by the service that calls the function.
    by_the_service = {"sqs", "dynamodb"} if name == "broadcast" else {"sqs"} if name in TIMETABLE else set()
    own = services_of(FUNCTIONS[name])
    assert own <= called
    assert called - own <= {"logs", "xray", "ec2", "kms", "execute-api"} | by_the_service


@pytest.mark.req("C3")
def test_endpoints_let_the_accounts_own_principals_reach_the_stages_own_resources(
    production: Synthesis,
) -> None:
    checked = 0
    for service, endpoint in endpoints(production).items():
        assert endpoint.properties["VpcEndpointType"] == ("Gateway" if service in GATEWAYS else "Interface")
        for statement in endpoint.properties["PolicyDocument"]["Statement"]:
            own = {"Ref": "AWS::AccountId"}
            assert statement["Condition"]["StringEquals"]["aws:PrincipalAccount"] == own
            if statement["Resource"] == "*":
                names = {"dynamodb:ListTables", "dynamodb:ListBackups"}
                assert set(listed(statement["Action"])) <= names
            elif service == "s3" and "assets" in json.dumps(statement["Resource"]):
                assert statement["Action"] == "s3:GetObject"
                assert own in statement["Resource"]["Fn::Join"][1]
            elif service == "secretsmanager":
                assert {production.target("network", arn) for arn in listed(statement["Resource"])} == {
                    secret.logical_id for secret in production.of("AWS::SecretsManager::Secret", "security")
                }
            else:
                assert all("bellwether-production-" in json.dumps(r) for r in listed(statement["Resource"]))
            checked += 1
    assert checked == 6


@pytest.mark.req("C3")
def test_interface_endpoints_answer_the_functions_groups_alone_and_by_tls(production: Synthesis) -> None:
    for service, endpoint in endpoints(production).items():
        if service in GATEWAYS:
            continue
        assert endpoint.properties["PrivateDnsEnabled"] is True
        (group,) = endpoint.properties["SecurityGroupIds"]
        assert production.target("network", group).startswith("NetworkEndpointGroup")
    rules = production.of("AWS::EC2::SecurityGroupIngress")
    assert len(rules) == 3
    for rule in rules:
        assert (rule.properties["FromPort"], rule.properties["ToPort"]) == (443, 443)
        assert "CidrIp" not in rule.properties
        assert production.target("network", rule.properties["GroupId"]).startswith("NetworkEndpointGroup")


@pytest.mark.req("C3")
def test_groups_open_nothing_inward_and_tls_outward(production: Synthesis) -> None:
    for group in production.of("AWS::EC2::SecurityGroup"):
        assert "SecurityGroupIngress" not in group.properties
        ports = {
            (rule["FromPort"], rule["ToPort"])
            for rule in group.properties["SecurityGroupEgress"]
            if rule["CidrIp"] != "255.255.255.255/32"
        }
        expected: set[tuple[int, int]] = {(443, 443)}
        if group.logical_id.startswith("NetworkProviderGroup"):
            expected |= {(80, 80)}
        if group.logical_id.startswith("NetworkEndpointGroup"):
            expected = set()
        assert ports == expected


def crossings(synthesis: Synthesis, name: str, egress: bool) -> set[tuple[int, int, str]]:
    return {
        (r.properties["PortRange"]["From"], r.properties["PortRange"]["To"], r.properties["CidrBlock"])
        for r in synthesis.of("AWS::EC2::NetworkAclEntry")
        if r.properties["NetworkAclId"]["Ref"].startswith(f"Network{name}List")
        and r.properties["Egress"] is egress
    }


@pytest.mark.req("C3")
def test_access_lists_let_in_answers_and_nothing_else_from_outside(production: Synthesis) -> None:
    answers = {(1024, 3388, "0.0.0.0/0"), (3390, 65535, "0.0.0.0/0")}
    for name in ("Isolated", "Egress", "Public"):
        outside = {c for c in crossings(production, name, egress=False) if c[2] == "0.0.0.0/0"}
        assert outside == answers
    assert {c[:2] for c in crossings(production, "Isolated", egress=True) if c[2] == "0.0.0.0/0"} == {
        (443, 443)
    }
    assert {c[:2] for c in crossings(production, "Egress", egress=True)} == {(443, 443), (80, 80)}
    entries = production.of("AWS::EC2::NetworkAclEntry")
    assert {entry.properties["Protocol"] for entry in entries} == {6}
    assert {
        link.properties["SubnetId"]["Ref"] for link in production.of("AWS::EC2::SubnetNetworkAclAssociation")
    } == {subnet.logical_id for subnet in production.of("AWS::EC2::Subnet")}


@pytest.mark.req("C3")
def test_all_traffic_is_recorded_in_an_encrypted_log(production: Synthesis) -> None:
    (flow,) = production.of("AWS::EC2::FlowLog")
    assert flow.properties["TrafficType"] == "ALL"
    (group,) = [
        g
        for g in production.of("AWS::Logs::LogGroup", "network")
        if g.logical_id == production.target("network", flow.properties["LogGroupName"])
    ]
    assert production.target("network", group.properties["KmsKeyId"]).startswith("Logs")
    assert group.properties["RetentionInDays"] == 90


@pytest.mark.req("C3")
def test_lambda_may_connect_a_function_and_its_code_may_not(production: Synthesis) -> None:
    for name in INSIDE:
        calls = [s for s in production.statements(name) if "ec2:" in json.dumps(s["Action"])]
        allowed = {a for s in calls if s["Effect"] == "Allow" for a in listed(s["Action"])}
        (denied,) = [s for s in calls if s["Effect"] == "Deny"]
        assert set(listed(denied["Action"])) == allowed
        assert denied["Condition"] == {"Null": {"lambda:SourceFunctionArn": "false"}}
        assert "ec2:CreateNetworkInterface" in allowed


@pytest.mark.req("C3", "X2")
def test_each_zone_of_production_has_its_own_way_out_and_staging_shares_one(
    production: Synthesis, staging: Synthesis
) -> None:
    assert len(production.of("AWS::EC2::NatGateway")) == len(settings_of("production").zones) == 2
    assert len(staging.of("AWS::EC2::NatGateway")) == 1


def test_the_local_stage_has_no_network(local: Synthesis) -> None:
    assert [r for r in local.all() if r.kind.startswith("AWS::EC2::")] == []
    assert "VpcConfig" not in local.function("score").properties


@pytest.mark.req("C3")
def test_the_default_group_is_closed_while_the_stack_is_deployed(production: Synthesis) -> None:
    (closed,) = production.of("Custom::ClosedDefaultGroup")
    assert closed.properties["Group"]["Fn::GetAtt"][1] == "DefaultSecurityGroup"
