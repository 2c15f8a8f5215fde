"""Where a stage's stacks live."""

from aws_cdk import Environment

from infrastructure.settings import StageSettings


def environment(settings: StageSettings) -> Environment:
    """The stage's region, in whatever account the caller's credentials are of."""
    return Environment(region=settings.region)
