"""The id that ties together what one request, or one scheduled run, sets off in other functions.

A function's process works on one event at a time, so the id is the process's own: threads started for the
event see it too. It travels as an attribute of queue messages and of rows in the feed of changes.
"""

import re

ATTRIBUTE = "correlation_id"

_FIT = re.compile(r"[\w.:=;+/@-]{1,128}", re.ASCII)
_carried: list[str] = [""]


def carry(correlation_id: str) -> None:
    """From now on everything sent says that it was set off by this; blank for nothing."""
    _carried[0] = correlation_id


def carried() -> str:
    """The id being carried, blank when there is none."""
    return _carried[0]


def fit(value: object) -> str | None:
    """The value if it can stand in a log and in a message attribute, else `None`."""
    return value if isinstance(value, str) and _FIT.fullmatch(value) else None
