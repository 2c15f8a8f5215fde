"""Structured logs (JSON, one object a line) and what may stand in them: ids, counts, codes; no item text."""

import os
import traceback
from typing import Any

from aws_lambda_powertools.logging import Logger

from bellwether.adapters.correlation import carried, carry, fit

logger = Logger(
    service=os.environ.get("POWERTOOLS_SERVICE_NAME", "bellwether"), log_uncaught_exceptions=False, utc=True
)


def begin(function: str, correlation_id: object) -> None:
    """From here on every line tells the function and the id, and whatever the function sends carries the id.

    An id that cannot stand in a log becomes `unknown`.
    """
    usable = fit(correlation_id) or "unknown"
    carry(usable)
    logger.append_keys(function=function, correlation_id=usable)


def correlation() -> str:
    """The id of what is being worked on."""
    return carried() or "unknown"


def describe_fault(fault: BaseException) -> dict[str, Any]:
    """What can be logged of an exception: its type and where it was raised.

    Its message stays out: it may quote a post, a secret or a token. Errors of the AWS client are the
    exception, their code and operation are fixed words.
    """
    frames = traceback.extract_tb(fault.__traceback__)[-8:]
    told: dict[str, Any] = {
        "fault": type(fault).__name__,
        "where": [f"{frame.filename.rsplit('/', 1)[-1]}:{frame.lineno} {frame.name}" for frame in frames],
    }
    response = getattr(fault, "response", None)
    if isinstance(response, dict):
        told["aws_code"] = response.get("Error", {}).get("Code")
        told["aws_operation"] = getattr(fault, "operation_name", None)
    if fault.__cause__ is not None:
        told["cause"] = type(fault.__cause__).__name__
    return told
