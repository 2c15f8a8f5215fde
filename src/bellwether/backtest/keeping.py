"""Where a lake keeps the reports of backtests."""

import hashlib
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from bellwether.usecases.ports import Lake

BACKTESTS = "backtests/"
_TYPES = {".json": "application/json", ".html": "text/html", ".parquet": "application/vnd.apache.parquet"}


def keep(lake: Lake, paths: Sequence[Path], at: datetime) -> list[str]:
    """Puts a report's files under `backtests/yyyy/mm/dd/{time}-{what}/`, named as they are; gives their keys.

    `what` follows from the content of all: two runs of one second do not overwrite each other.
    """
    contents = [path.read_bytes() for path in paths]
    what = hashlib.sha256(b"".join(hashlib.sha256(one).digest() for one in contents)).hexdigest()[:12]
    folder = f"{BACKTESTS}{at:%Y/%m/%d}/{at:%H%M%S}-{what}/"
    keys = [f"{folder}{path.name}" for path in paths]
    for key, path, content in zip(keys, paths, contents, strict=True):
        lake.put(key, content, _TYPES.get(path.suffix, "application/octet-stream"))
    return keys
