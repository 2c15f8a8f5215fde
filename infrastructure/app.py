"""The CDK app: one stage's stacks, synthesized without an account, git or a network.

    cdk synth -c stage=staging

The stage comes from the context, else from BELLWETHER_STAGE, else it is `local`. Other context: `endpoint`
(where the embedded engine answers; local only), `origin` (the dashboard's web origin), `layer` (a folder to
take as the functions' layer instead of building it), `baseline` (`organisation` when the account has one
already; else from BELLWETHER_BASELINE) and `auditor` (`ACCOUNT:EXTERNAL-ID` of who may look; else from
BELLWETHER_AUDITOR).
"""

import os
from dataclasses import dataclass, replace
from pathlib import Path

from aws_cdk import App
from constructs import Construct

from infrastructure.constructs.belonging import mark_stacks
from infrastructure.constructs.log_encryption import encrypt_logs
from infrastructure.packaging import Layer
from infrastructure.settings import Auditor, Feature, StageSettings, settings_of
from infrastructure.stacks.account import AccountStack
from infrastructure.stacks.api import ApiStack
from infrastructure.stacks.auditors import AuditorsStack
from infrastructure.stacks.auth import AuthStack
from infrastructure.stacks.compute import ComputeStack
from infrastructure.stacks.data import DataStack
from infrastructure.stacks.observability import ObservabilityStack
from infrastructure.stacks.security import SecurityStack


@dataclass(frozen=True, kw_only=True)
class Desk:
    """The stacks of a stage. Each uses only those before it."""

    security: SecurityStack
    data: DataStack
    auth: AuthStack
    compute: ComputeStack
    api: ApiStack
    observability: ObservabilityStack


def build(scope: Construct, settings: StageSettings, layer: Layer) -> Desk:
    """Adds the stacks of a stage to an app."""

    def named(name: str) -> str:
        return f"{settings.prefix}-{name}"

    security = SecurityStack(scope, named("security"), settings=settings)
    data = DataStack(scope, named("data"), settings=settings, security=security)
    auth = AuthStack(scope, named("auth"), settings=settings)
    compute = ComputeStack(
        scope, named("compute"), settings=settings, security=security, data=data, layer=layer
    )
    api = ApiStack(scope, named("api"), settings=settings, auth=auth, compute=compute, layer=layer)
    observability = ObservabilityStack(
        scope, named("observability"), settings=settings, security=security, compute=compute, api=api
    )
    if settings.has(Feature.ACCOUNT_BASELINE):
        AccountStack(scope, named("account"), settings=settings, data=data)
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
        security=security, data=data, auth=auth, compute=compute, api=api, observability=observability
    )


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
    build(app, settings, layer)
    app.synth()


if __name__ == "__main__":
    main()
