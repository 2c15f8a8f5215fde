"""What every stack of a stage gets: its tags, and protection against being deleted."""

from typing import cast

from aws_cdk import CfnResource, Stack, Tags
from constructs import IConstruct

from infrastructure.settings import PRODUCT, StageSettings

DATA_CLASSES = {"security": "secret", "data": "confidential", "recovery": "confidential", "auth": "personal"}
"""What the resources of a stack hold, by the stack's name; `internal` where nothing else is said."""


TAGS_OF_THEIR_OWN = ("AWS::Budgets::Budget", "AWS::CE::AnomalyMonitor", "AWS::CE::AnomalySubscription")
"""Types whose tags are a property the library's tagging does not know."""


def mark_stacks(scope: IConstruct, settings: StageSettings) -> None:
    """Tags whatever can be tagged, and protects the stacks of a stage that keeps its data.

    Done once at the end of the app, so that a new stack cannot be forgotten.
    """
    belonging = {
        "product": PRODUCT,
        "stage": settings.name,
        "owner": settings.owner,
        "cost-center": settings.cost_center,
    }
    for name, value in belonging.items():
        Tags.of(scope).add(name, value)
    for construct in scope.node.find_all():
        if Stack.is_stack(construct):
            stack = cast("Stack", construct)
            kind = stack.stack_name.removeprefix(f"{settings.prefix}-")
            Tags.of(stack).add("data-classification", DATA_CLASSES.get(kind, "internal"))
            stack.termination_protection = settings.retain_data
        elif isinstance(construct, CfnResource) and construct.cfn_resource_type in TAGS_OF_THEIR_OWN:
            told = {**belonging, "data-classification": "internal"}
            tags = [{"Key": name, "Value": value} for name, value in sorted(told.items())]
            construct.add_property_override("ResourceTags", tags)
