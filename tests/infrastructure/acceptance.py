"""What the constructs of a stage accept of the scanners' findings."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from unittest import mock

from constructs import IConstruct

from infrastructure.constructs import acknowledged


class Accepted(NamedTuple):
    """An acknowledgement: the construct's path, the rule's full name, the reason."""

    path: str
    rule: str
    reason: str


@contextmanager
def listening(*, heed: bool) -> Iterator[list[Accepted]]:
    """Collects what constructs accept while they are built; unless heeded, no scanner hears of it."""
    heard: list[Accepted] = []
    tell = acknowledged.tell_scanner

    def hear(construct: IConstruct, rule: str, reason: str) -> None:
        heard.append(Accepted(construct.node.path, rule, reason))
        if heed:
            tell(construct, rule, reason)

    with mock.patch.object(acknowledged, "tell_scanner", hear):
        yield heard
