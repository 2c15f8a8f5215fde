"""What a service's errors mean to the desk."""

from collections.abc import Iterator
from contextlib import contextmanager

from botocore.exceptions import BotoCoreError, ClientError

from bellwether.domain.problems import Conflict, NotFound, Unavailable

MISSING = frozenset({"NoSuchKey", "NotFound", "404"})
CONDITION = frozenset({"ConditionalCheckFailedException", "PreconditionFailed", "412"})
THROTTLED = frozenset(
    {
        "ProvisionedThroughputExceededException",
        "ThrottlingException",
        "ThrottlingError",
        "ProvisionedThroughputExceeded",
        "RequestLimitExceeded",
        "SlowDown",
        "InternalServerError",
        "ServiceUnavailable",
    }
)
# Another writer is in the middle of it: the same call will do a moment later.
CONTENDED = frozenset(
    {
        "TransactionConflict",
        "TransactionConflictException",
        "TransactionInProgressException",
        "ConditionalRequestConflict",
        "OperationAborted",
        "409",
    }
)


def code_of(fault: ClientError) -> str:
    """The service's own code of the error."""
    return str(fault.response.get("Error", {}).get("Code", ""))


@contextmanager
def calling(what: str) -> Iterator[None]:
    """Turns what botocore raises into the desk's problems; `what` names the part that was called.

    The text of a service's error is left out: it may hold names and values that are nobody's business.
    """
    try:
        yield
    except ClientError as fault:
        code = code_of(fault)
        if code in MISSING:
            raise NotFound(f"{what}: not found") from fault
        if code in CONDITION:
            raise Conflict(f"{what}: the condition did not hold") from fault
        raise Unavailable(f"{what}: {code or 'no code'}") from fault
    except BotoCoreError as fault:
        raise Unavailable(f"{what}: {type(fault).__name__}") from fault
