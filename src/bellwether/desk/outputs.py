"""What was deployed, in the words other parts of the command line need; read from HOME."""

from dataclasses import asdict, dataclass, field
from typing import Any

from .aws import ACCOUNT
from .cdk import STAGE
from .engine import REGION
from .errors import NotRunningError
from .home import Home, read_json, write_private
from .stacks import Deployed, Resource

API_STAGE = "v1"


@dataclass(frozen=True)
class Outputs:
    """The curated outputs of the local stage (`infrastructure-outputs.json` in HOME)."""

    api_url: str
    """Ends with `/v1`."""
    ws_url: str
    dashboard_url: str
    engine_url: str
    """The AWS endpoint (`AWS_ENDPOINT_URL`) of this desk."""
    region: str
    account: str
    user_pool_id: str | None = None
    user_pool_client_id: str | None = None
    tables: dict[str, str] = field(default_factory=dict)
    """construct name -> table name"""
    buckets: dict[str, str] = field(default_factory=dict)
    queues: dict[str, str] = field(default_factory=dict)
    functions: dict[str, str] = field(default_factory=dict)
    stacks: dict[str, dict[str, str]] = field(default_factory=dict)
    """Every stack's own outputs, as in `cdk-outputs.json`."""

    def document(self) -> dict[str, Any]:
        """The file's shape: per stage, as for stages in the cloud."""
        values = asdict(self)
        endpoints = {key: values.pop(key) for key in ("api_url", "ws_url", "dashboard_url", "engine_url")}
        return {STAGE: {"endpoints": endpoints, **values}}


def read_outputs(home: Home) -> Outputs:
    """The outputs of the last deployment; raises NotRunningError when there was none."""
    document = read_json(home.outputs)
    if document is None:
        raise NotRunningError("nothing is deployed yet; start the desk with `bellwether up`")
    values = dict(document[STAGE])
    return Outputs(**values.pop("endpoints"), **values)


def write_outputs(home: Home, deployed: Deployed, url: str) -> Outputs:
    """Curate, and write both the outputs and the routes the front door follows."""
    outputs = curate(deployed, url)
    write_private(home.outputs, outputs.document())
    write_private(home.routes, routes(deployed, outputs))
    return outputs


def curate(deployed: Deployed, url: str) -> Outputs:
    """Find the endpoints, names and ids by resource type; the templates' logical names do not matter."""
    client = _output(deployed, "userpoolclientid") or _first(deployed, "AWS::Cognito::UserPoolClient")
    return Outputs(
        api_url=f"{url}/{API_STAGE}",
        ws_url=f"{url.replace('http', 'ws', 1)}/ws",
        dashboard_url=f"{url}/",
        engine_url=url,
        region=REGION,
        account=ACCOUNT,
        user_pool_id=_first(deployed, "AWS::Cognito::UserPool"),
        user_pool_client_id=client,
        tables=_named(deployed, "AWS::DynamoDB::Table", "AWS::DynamoDB::GlobalTable"),
        buckets=_named(deployed, "AWS::S3::Bucket"),
        queues=_named(deployed, "AWS::SQS::Queue"),
        functions=_named(deployed, "AWS::Lambda::Function"),
        stacks=deployed.outputs,
    )


def routes(deployed: Deployed, outputs: Outputs) -> dict[str, Any]:
    """The routes file: which API is behind `/v1`, which behind `/ws`, and what the dashboard may know."""
    rest = _first(deployed, "AWS::ApiGateway::RestApi")
    socket = next(
        (r for r in deployed.of("AWS::ApiGatewayV2::Api") if r.properties.get("ProtocolType") == "WEBSOCKET"),
        None,
    )
    return {
        "rest": {"api_id": rest, "stage": API_STAGE} if rest else None,
        "socket": {"api_id": socket.physical, "stage": _stage_of(deployed, socket)} if socket else None,
        "public": {
            "stage": STAGE,
            "region": outputs.region,
            "user_pool_id": outputs.user_pool_id,
            "user_pool_client_id": outputs.user_pool_client_id,
            "api_url": f"/{API_STAGE}",
            "ws_url": "/ws",
            "auth_url": "/auth",
        },
    }


def _stage_of(deployed: Deployed, api: Resource) -> str:
    for stage in deployed.of("AWS::ApiGatewayV2::Stage"):
        if stage.stack == api.stack and stage.properties.get("ApiId") == {"Ref": api.logical}:
            return str(stage.properties.get("StageName", "$default"))
    return "$default"


def _first(deployed: Deployed, kind: str) -> str | None:
    return next((resource.physical for resource in deployed.of(kind)), None)


def _named(deployed: Deployed, *kinds: str) -> dict[str, str]:
    return {resource.name: resource.physical for resource in deployed.of(*kinds)}


def _output(deployed: Deployed, name: str) -> str | None:
    for outputs in deployed.outputs.values():
        for key, value in outputs.items():
            if key.casefold() == name:
                return value
    return None
