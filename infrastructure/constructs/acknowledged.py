"""Rule findings we looked at and accept, each with its reason, on the smallest construct."""

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, **rules: str) -> None:
    """Accepts findings of cdk-nag on a construct; a keyword is a rule's name (`IAM5=…`), its value the reason."""
    for rule, reason in rules.items():
        Validations.of(construct).acknowledge(Acknowledgment(id=f"AwsSolutions-{rule}", reason=reason))
