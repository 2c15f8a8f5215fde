"""Rule findings we looked at and accept, each with its reason, on the smallest construct."""

from typing import NamedTuple

from aws_cdk import Acknowledgment, Validations
from constructs import IConstruct


def acknowledge(construct: IConstruct, finding: str = "", /, **rules: str) -> None:
    """Accepts findings of cdk-nag on a construct; a keyword is a rule's name (`SQS3=…`), its value the
    reason.

    `finding` narrows a rule that reports each of its findings by itself, as wildcards and managed policies
    are.
    """
    for rule, reason in rules.items():
        identity = f"AwsSolutions-{rule}[{finding}]" if finding else f"AwsSolutions-{rule}"
        Validations.of(construct).acknowledge(Acknowledgment(id=identity, reason=reason))


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
        _OUTPUT + r"/(raw-data|features(/providers)?|eval(/equity)?|curated-data/(prices|signals))/\*",
        "one folder of the lake",
    ),
    Wildcard(_OUTPUT + r"/ledger/\*", "the ledger's one folder"),
    Wildcard(
        _OUTPUT + r"/\*|<(Lake|Ledger)Bucket\w+\.Arn>/\*", "every object of a bucket that is copied whole"
    ),
    Wildcard(_TABLE + r"/index/\*", "the indexes of one table"),
    Wildcard(_TABLE + r"/backup/\*", "the backups of one table"),
    Wildcard(r"arn:.*:table/bellwether-[a-z]+-signals_\*", "the monthly tables of the signals family"),
    Wildcard(r"arn:.*:execute-api:.*/v1/POST/@connections/\*", "the connections of one socket stage"),
    Wildcard(
        r"\*", "ListTables, ListBackups and ListStreams name no resource; a test allows no other action"
    ),
)
