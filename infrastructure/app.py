"""The CDK app: one stage's stacks, synthesized without an account, git or a network.

    cdk synth -c stage=staging

The stage comes from the context, else from BELLWETHER_STAGE, else it is `local`. Other context: `endpoint`
(where the embedded engine answers; local only), `origin` (the dashboard's web origin), `layer` (a folder to
take as the functions' layer instead of building it), `region=recovery` (adds the stacks that stand by in the
second region), `baseline` (`organisation` when the account has one already; else from BELLWETHER_BASELINE)
and `auditor` (`ACCOUNT:EXTERNAL-ID` of who may look; else from BELLWETHER_AUDITOR).
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from aws_cdk import App
from constructs import Construct

from infrastructure.constructs.belonging import mark_stacks
from infrastructure.constructs.log_encryption import encrypt_logs
from infrastructure.packaging import BatchPackage, Layer
from infrastructure.settings import Auditor, Feature, StageSettings, settings_of
from infrastructure.stacks.account import AccountStack
from infrastructure.stacks.api import ApiStack
from infrastructure.stacks.auditors import AuditorsStack
from infrastructure.stacks.auth import AuthStack
from infrastructure.stacks.batch import BatchStack
from infrastructure.stacks.billing import BillingStack
from infrastructure.stacks.compute import ComputeStack
from infrastructure.stacks.data import DataStack
from infrastructure.stacks.edge import EdgeStack
from infrastructure.stacks.network import NetworkStack
from infrastructure.stacks.observability import ObservabilityStack
from infrastructure.stacks.recovery import RecoveryStack
from infrastructure.stacks.security import SecurityStack
from infrastructure.stacks.standby import StandbyStack, standby_settings


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
    batch: BatchStack | None = None
    edge: EdgeStack | None = None
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
    network = (
        NetworkStack(scope, named("network"), settings=settings, security=security)
        if settings.has(Feature.NETWORK)
        else None
    )
    data = DataStack(scope, named("data"), settings=settings, security=security, recovery=recovery)
    auth = AuthStack(scope, named("auth"), settings=settings, security=security, layer=layer)
    compute = ComputeStack(
        scope,
        named("compute"),
        settings=settings,
        security=security,
        data=data,
        layer=layer,
        network=network.network if network else None,
        recovery=recovery,
    )
    api = ApiStack(
        scope, named("api"), settings=settings, security=security, auth=auth, compute=compute, layer=layer
    )
    observability = ObservabilityStack(
        scope,
        named("observability"),
        settings=settings,
        security=security,
        auth=auth,
        compute=compute,
        api=api,
    )
    batch = None
    if network and settings.has(Feature.SPOT_BATCH):
        batch = BatchStack(
            scope,
            named("batch"),
            settings=settings,
            security=security,
            compute=compute,
            network=network.network,
            package=BatchPackage(folder=layer.folder),
        )
    edge = None
    if settings.has(Feature.EDGE):
        edge = EdgeStack(scope, named("edge"), settings=settings, auth=auth, api=api)
    if settings.has(Feature.BILLING):
        BillingStack(scope, named("billing"), settings=settings)
    if settings.has(Feature.ACCOUNT_BASELINE):
        AccountStack(scope, named("account"), settings=settings)
    if settings.auditor:
        AuditorsStack(
            scope,
            named("auditors"),
            settings=settings,
            auditor=settings.auditor,
            security=security,
            data=data,
        )
    encrypt_logs(scope, security.log_key, region=settings.region)
    mark_stacks(scope, settings)
    return Desk(
        security=security,
        network=network,
        data=data,
        auth=auth,
        compute=compute,
        api=api,
        observability=observability,
        batch=batch,
        edge=edge,
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
    auth = AuthStack(scope, named("-auth"), settings=there, security=holdings, layer=layer)
    compute = ComputeStack(
        scope, named("-compute"), settings=there, security=holdings, data=holdings, layer=layer
    )
    api = ApiStack(
        scope, named("-api"), settings=there, security=holdings, auth=auth, compute=compute, layer=layer
    )
    ObservabilityStack(
        scope,
        named("-observability"),
        settings=there,
        security=holdings,
        auth=auth,
        compute=compute,
        api=api,
    )
    encrypt_logs(scope, holdings.log_key, region=there.region)

    mark_stacks(scope, settings)


def main() -> None:
    """Synthesizes the stage named in the context or the environment."""
    app = App(analytics_reporting=False)

    def told(name: str) -> str | None:
        value = app.node.try_get_context(name)
        return str(value) if value else None

    stage = told("stage") or os.environ.get("BELLWETHER_STAGE") or "local"
    settings = settings_of(stage, endpoint=told("endpoint"), dashboard_origin=told("origin"))
    if (told("baseline") or os.environ.get("BELLWETHER_BASELINE")) == "organisation":
        settings = settings.without(Feature.ACCOUNT_BASELINE, "the account's organisation has its own")
    if named := told("auditor") or os.environ.get("BELLWETHER_AUDITOR"):
        settings = replace(settings, auditor=Auditor.told(named))
    folder = told("layer")
    layer = Layer(cloud=settings.has(Feature.CLOUD_WHEELS), folder=Path(folder) if folder else None)
    desk = build(app, settings, layer)
    if told("region") == "recovery":
        build_standby(app, desk, settings, layer)
    app.synth()


if __name__ == "__main__":
    main()
