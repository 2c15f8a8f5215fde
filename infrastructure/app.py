"""The CDK app: one stage's stacks, synthesized without an account, git or a network.

    cdk synth -c stage=staging

The stage comes from the context, else from BELLWETHER_STAGE, else it is `local`. Other context: `endpoint`
(where the embedded engine answers; local only), `origin` (the dashboard's web origin) and `layer` (a folder
to take as the functions' layer instead of building it).
"""

import os
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import App, Tags
from constructs import Construct

from infrastructure.packaging import BatchPackage, Layer
from infrastructure.settings import PRODUCT, Feature, StageSettings, settings_of
from infrastructure.stacks.api import ApiStack
from infrastructure.stacks.auth import AuthStack
from infrastructure.stacks.batch import BatchStack
from infrastructure.stacks.compute import ComputeStack
from infrastructure.stacks.data import DataStack
from infrastructure.stacks.network import NetworkStack
from infrastructure.stacks.observability import ObservabilityStack
from infrastructure.stacks.security import SecurityStack


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The stacks of a stage. Each uses only those before it."""

    security: SecurityStack
    network: NetworkStack | None
    data: DataStack
    auth: AuthStack
    compute: ComputeStack
    api: ApiStack
    observability: ObservabilityStack
    batch: BatchStack | None


def build(scope: Construct, settings: StageSettings, layer: Layer) -> Desk:
    """Adds the stacks of a stage to an app."""

    def named(name: str) -> str:
        return f"{settings.prefix}-{name}"

    security = SecurityStack(scope, named("security"), settings=settings)
    network = (
        NetworkStack(scope, named("network"), settings=settings, security=security)
        if settings.has(Feature.NETWORK)
        else None
    )
    data = DataStack(scope, named("data"), settings=settings, security=security)
    auth = AuthStack(scope, named("auth"), settings=settings)
    compute = ComputeStack(
        scope,
        named("compute"),
        settings=settings,
        security=security,
        data=data,
        layer=layer,
        network=network.network if network else None,
    )
    api = ApiStack(scope, named("api"), settings=settings, auth=auth, compute=compute, layer=layer)
    observability = ObservabilityStack(
        scope, named("observability"), settings=settings, security=security, compute=compute, api=api
    )
    batch = (
        BatchStack(
            scope,
            named("batch"),
            settings=settings,
            security=security,
            compute=compute,
            network=network.network,
            package=BatchPackage(folder=layer.folder),
        )
        if network and settings.has(Feature.SPOT_BATCH)
        else None
    )
    Tags.of(scope).add("product", PRODUCT)
    Tags.of(scope).add("stage", settings.name)
    return Desk(
        security=security,
        network=network,
        data=data,
        auth=auth,
        compute=compute,
        api=api,
        observability=observability,
        batch=batch,
    )


def main() -> None:
    """Synthesizes the stage named in the context or the environment."""
    app = App(analytics_reporting=False)

    def told(name: str) -> str | None:
        value = app.node.try_get_context(name)
        return str(value) if value else None

    stage = told("stage") or os.environ.get("BELLWETHER_STAGE") or "local"
    settings = settings_of(stage, endpoint=told("endpoint"), dashboard_origin=told("origin"))
    folder = told("layer")
    layer = Layer(cloud=settings.has(Feature.CLOUD_WHEELS), folder=Path(folder) if folder else None)
    build(app, settings, layer)
    app.synth()


if __name__ == "__main__":
    main()
