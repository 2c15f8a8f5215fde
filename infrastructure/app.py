"""The CDK app: one stage's stacks, synthesized without an account, git or a network.

    cdk synth -c stage=staging

The stage comes from the context, else from BELLWETHER_STAGE, else it is `local`. Other context: `endpoint`
(where the embedded engine answers; local only), `origin` (the dashboard's web origin), `layer` (a folder
to take as the functions' layer instead of building it) and `region=recovery` (adds the stacks that stand by
in the second region).
"""

import os
from dataclasses import dataclass
from pathlib import Path

from aws_cdk import App, Tags
from constructs import Construct

from infrastructure.packaging import Layer
from infrastructure.settings import PRODUCT, Feature, StageSettings, settings_of
from infrastructure.stacks.api import ApiStack
from infrastructure.stacks.auth import AuthStack
from infrastructure.stacks.compute import ComputeStack
from infrastructure.stacks.data import DataStack
from infrastructure.stacks.observability import ObservabilityStack
from infrastructure.stacks.recovery import RecoveryStack
from infrastructure.stacks.security import SecurityStack
from infrastructure.stacks.standby import StandbyStack, standby_settings


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The stacks of a stage. Each uses only those before it."""

    security: SecurityStack
    data: DataStack
    auth: AuthStack
    compute: ComputeStack
    api: ApiStack
    observability: ObservabilityStack
    recovery: RecoveryStack | None = None
    """In the second region; it comes before all the others."""


def build(scope: Construct, settings: StageSettings, layer: Layer) -> Desk:
    """Adds the stacks of a stage to an app."""

    def named(name: str) -> str:
        return f"{settings.prefix}-{name}"

    copied = settings.has(Feature.RECOVERY_REGION)
    if settings.time_series and not copied:
        raise ValueError(f"a time series of stage {settings.name} needs the second region, where it lies")
    recovery = RecoveryStack(scope, named("recovery"), settings=settings) if copied else None
    security = SecurityStack(scope, named("security"), settings=settings, recovery=recovery)
    data = DataStack(scope, named("data"), settings=settings, security=security, recovery=recovery)
    auth = AuthStack(scope, named("auth"), settings=settings)
    compute = ComputeStack(
        scope, named("compute"), settings=settings, security=security, data=data, layer=layer
    )
    api = ApiStack(scope, named("api"), settings=settings, auth=auth, compute=compute, layer=layer)
    observability = ObservabilityStack(
        scope, named("observability"), settings=settings, security=security, compute=compute, api=api
    )
    Tags.of(scope).add("product", PRODUCT)
    Tags.of(scope).add("stage", settings.name)
    return Desk(
        security=security,
        data=data,
        auth=auth,
        compute=compute,
        api=api,
        observability=observability,
        recovery=recovery,
    )


def build_standby(scope: Construct, desk: Desk, settings: StageSettings, layer: Layer) -> None:
    """Adds the pilot light: the stateless stacks in the second region, on what is copied there.

    Raises `ValueError` for a stage without a second region.
    """
    if desk.recovery is None:
        raise ValueError(
            f"stage {settings.name} has no second region: {settings.lacks[Feature.RECOVERY_REGION]}"
        )
    there = standby_settings(settings)

    def named(name: str) -> str:
        return f"{settings.prefix}-standby{name}"

    holdings = StandbyStack(
        scope, named(""), settings=there, security=desk.security, data=desk.data, recovery=desk.recovery
    )
    auth = AuthStack(scope, named("-auth"), settings=there)
    compute = ComputeStack(
        scope, named("-compute"), settings=there, security=holdings, data=holdings, layer=layer
    )
    api = ApiStack(scope, named("-api"), settings=there, auth=auth, compute=compute, layer=layer)
    ObservabilityStack(
        scope, named("-observability"), settings=there, security=holdings, compute=compute, api=api
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
    desk = build(app, settings, layer)
    if told("region") == "recovery":
        build_standby(app, desk, settings, layer)
    app.synth()


if __name__ == "__main__":
    main()
