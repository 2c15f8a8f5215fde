"""Many conditional writes, each atomic, sent in transactions of a hundred."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

from bellwether.adapters.aws.faults import CONTENDED, THROTTLED, calling, code_of
from bellwether.adapters.aws.parallel import each
from bellwether.adapters.aws.patience import Patience
from bellwether.adapters.aws.values import Wire
from bellwether.domain.problems import Unavailable

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

MOST_ACTIONS = 100
_REFUSED = "ConditionalCheckFailed"

Group = Sequence[Wire]
Refusal = frozenset[int]
"""Positions, within its group, of the actions whose conditions did not hold; empty when it was written."""


def write_groups(client: "DynamoDBClient", groups: Sequence[Group], what: str) -> list[Refusal]:
    """Writes each group wholly or not at all, and says for each which conditions refused it.

    Groups are sent together, but one that is refused does not keep the others from being written: a cancelled
    transaction names what each action met, so the refused are set aside and the rest is sent again. Conflicts
    with other transactions and throttling are waited out. No two actions may touch the same row. Raises
    `Unavailable` when the service keeps refusing for other reasons.
    """

    def settle(part: Sequence[Group]) -> list[Refusal]:
        refusals: dict[int, Refusal] = {}
        waiting = list(range(len(part)))
        patience = Patience(what)
        while waiting:
            reasons = _try(client, [action for number in waiting for action in part[number]], what)
            if reasons is None:
                break
            refused = _refused(part, waiting, reasons)
            refusals |= refused
            waiting = [number for number in waiting if number not in refused]
            if not refused:
                patience.wait()
        return [refusals.get(number, frozenset()) for number in range(len(part))]

    return [refusal for part in each(settle, _parts(groups)) for refusal in part]


def _parts(groups: Sequence[Group]) -> list[list[Group]]:
    parts: list[list[Group]] = []
    room = 0
    for group in groups:
        if len(group) > room:
            parts.append([])
            room = MOST_ACTIONS
        parts[-1].append(group)
        room -= len(group)
    return parts


def _try(client: "DynamoDBClient", actions: list[Any], what: str) -> list[str] | None:
    """Each action's reason code after a cancelled transaction, `None` after one that was written.

    The client sends its own request token, so that a retry after a lost answer is not a second write.
    """
    with calling(what):
        try:
            client.transact_write_items(TransactItems=actions)
        except ClientError as fault:
            code = code_of(fault)
            if code in CONTENDED or code in THROTTLED:
                return ["None"] * len(actions)
            if code != "TransactionCanceledException":
                raise
            answer: Any = fault.response
            return [str(reason.get("Code", "None")) for reason in answer["CancellationReasons"]]
    return None


def _refused(part: Sequence[Group], waiting: Sequence[int], reasons: list[str]) -> dict[int, Refusal]:
    refused: dict[int, Refusal] = {}
    start = 0
    for number in waiting:
        mine = reasons[start : start + len(part[number])]
        start += len(part[number])
        _require_passing(mine)
        failed = frozenset(position for position, code in enumerate(mine) if code == _REFUSED)
        if failed:
            refused[number] = failed
    return refused


def _require_passing(codes: Sequence[str]) -> None:
    for code in codes:
        if code not in {"None", _REFUSED} and code not in CONTENDED and code not in THROTTLED:
            raise Unavailable(f"a transaction was cancelled: {code}")
