"""Rows of tables on disk, written without touching the memory they lie in.

A snapshot is taken by a forked process. Whatever Python code looks at gets its reference count written, so
that the page it lies on is copied, and a snapshot written that way needs the tables' memory a second time.
`marshal` (its version 2, which keeps no references) reads nested dicts and texts without counting, so that
only the keys and the outermost dict of each partition are copied.

A rows file is records of four bytes of length and the marshalled (partition key, its rows).
"""

import marshal
import struct
from collections.abc import Mapping
from pathlib import Path
from typing import Any

ROWS_SUFFIX = ".rows"
_VERSION = 2
_LENGTH = struct.Struct(">I")


class Rows:
    """A table's partitions: `{partition key: {sort key: row}}`, rows being plain JSON values."""

    def __init__(self, partitions: Mapping[str, Any]) -> None:
        self._partitions = partitions

    def write(self, path: Path) -> tuple[int, int]:
        """Appends the partitions to the file; returns where they begin and how many they are.

        Raises ValueError for a row that is not made of plain values.
        """
        with path.open("ab") as file:
            begin = file.tell()
            for partition, rows in self._partitions.items():
                record = marshal.dumps((partition, rows), _VERSION)
                file.write(_LENGTH.pack(len(record)))
                file.write(record)
        return begin, len(self._partitions)


def read_rows(path: Path, begin: int, count: int) -> dict[str, Any]:
    """Partitions from a file this desk wrote itself (marshal must never read anybody else's)."""
    partitions: dict[str, Any] = {}
    with path.open("rb") as file:
        file.seek(begin)
        for _ in range(count):
            (length,) = _LENGTH.unpack(file.read(_LENGTH.size))
            partition, rows = marshal.loads(file.read(length))  # noqa: S302 - our own file, mode 0600
            partitions[partition] = rows
    return partitions
