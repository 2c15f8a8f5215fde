"""Findings of the scanners we looked at and accept, each with its reason, on the smallest construct."""

from typing import NamedTuple, cast

from aws_cdk import Acknowledgment, CfnResource, Validations
from constructs import IConstruct

PACKS = ("AwsSolutions", "Serverless", "NIST.800.53.R5")
"""Rule packs of cdk-nag; their rules are named for them (`Serverless-LambdaDLQ`)."""


def accept(construct: IConstruct, reason: str, /, *rules: str) -> None:
    """Accepts findings on a construct, each by its rule's full name, for one reason.

    Scanners often find the same thing under names of their own: `NIST.800.53.R5-LambdaDLQ`,
    `Serverless-LambdaDLQ`, `CKV_AWS_116` (checkov), `W3005` (cfn-lint). The last two read the
    acknowledgement in the resource's metadata, so the construct must be a resource or have one main resource.
    """
    for rule in rules:
        tell_scanner(construct, rule, reason)


def tell_scanner(construct: IConstruct, rule: str, reason: str) -> None:
    """Writes an acknowledgement where the rule's scanner looks for it."""
    if rule.startswith(PACKS):
        Validations.of(construct).acknowledge(Acknowledgment(id=rule, reason=reason))
        return
    resource = cast("CfnResource", construct.node.default_child or construct)
    if rule.startswith("CKV"):
        skipped = (resource.get_metadata("checkov") or {}).get("skip", [])
        resource.add_metadata("checkov", {"skip": [*skipped, {"id": rule, "comment": reason}]})
    else:
        ignored = (resource.get_metadata("cfn-lint") or {}).get("config", {}).get("ignore_checks", [])
        resource.add_metadata("cfn-lint", {"config": {"ignore_checks": [*ignored, rule]}})


def acknowledge(construct: IConstruct, finding: str = "", /, **rules: str) -> None:
    """Accepts findings of the pack AwsSolutions; a keyword is a rule's name (`SQS3=…`), its value the
    reason.

    `finding` narrows a rule that reports each of its findings by itself, as wildcards and managed policies
    are.
    """
    for rule, reason in rules.items():
        identity = f"AwsSolutions-{rule}[{finding}]" if finding else f"AwsSolutions-{rule}"
        accept(construct, reason, identity)


class Everywhere(NamedTuple):
    """A rule that contradicts a decision taken for every construct; asking it would be noise."""

    rule: str
    reason: str


EVERYWHERE: tuple[Everywhere, ...] = (
    Everywhere(
        "NIST.800.53.R5-IAMNoInlinePolicy",
        "A role's rights are one policy inside it, made from its row of the functions' table: nothing else "
        "can be attached to it, and it goes with the role. A managed policy could outlive or be shared.",
    ),
    Everywhere(
        "W3005",
        "CDK makes what uses a role wait for the role and its policy; that the role itself is named twice "
        "changes nothing.",
    ),
)


class Wildcard(NamedTuple):
    """Findings of rule IAM5 that are accepted, by a regular expression over `Resource::…`.

    These cannot be acknowledged on a construct: the finding's id holds the name of a value that crosses
    stacks, which is made up only at the very end of a synthesis. The test of the rules reads this list
    instead, refuses what matches none of it, and refuses entries that match nothing.
    """

    pattern: str
    reason: str


_OUTPUT = r"\{.*\}"
_TABLE = r"(arn:.*:table/)?" + _OUTPUT

WILDCARDS: tuple[Wildcard, ...] = (
    Wildcard(
        _OUTPUT + r"/(raw-data|backtests|features/(held|providers|scores)|eval(/equity)?"
        r"|curated-data(/(prices|signals|actions|price-checks))?)/\*",
        "one folder of the lake",
    ),
    Wildcard(_OUTPUT + r"/ledger/\*", "the ledger's one folder"),
    Wildcard(
        _OUTPUT + r"/\*|<(Lake|Ledger)Bucket\w+\.Arn>/\*", "every object of a bucket that is copied whole"
    ),
    Wildcard(_TABLE + r"/index/\*", "the indexes of one table"),
    Wildcard(_TABLE + r"/backup/\*", "the backups of one table"),
    Wildcard(r"<Site\w+\.Arn>/\*", "the dashboard's files, in a bucket that holds nothing else"),
    Wildcard(r"arn:.*:table/bellwether-[a-z]+-signals_\*", "the monthly tables of the signals family"),
    Wildcard(r"arn:.*:execute-api:.*/v1/POST/@connections/\*", "the connections of one socket stage"),
    Wildcard(r"<\w+\.Arn>/AWSLogs/<AWS::AccountId>/Config/\*", "the recorder's folder of its bucket"),
    Wildcard(
        r"arn:.*:ec2:.*:\*/\*",
        "the interfaces Lambda makes to join the network; the calls are denied to the function's own code",
    ),
    Wildcard(r"\*", "calls that know no resource, such as ListTables; a test lists them and allows no other"),
)
