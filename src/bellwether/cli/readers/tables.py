"""Rows of CSV, TSV and Parquet files, as mappings from column to cell, without holding the file."""

import csv
import io
from collections.abc import Callable, Iterator, Mapping
from typing import IO, TYPE_CHECKING, Any

from bellwether.cli.readers.formats import FileRefused
from bellwether.domain.items import RejectedItem

if TYPE_CHECKING:
    import pyarrow as pa
    import pyarrow.parquet as pq

Row = tuple[int, Mapping[str, Any] | RejectedItem]
_LARGEST_CELL = 1_000_000
_ROWS_AT_ONCE = 2_000
_DELIMITERS = ",\t;|"


def delimiter_of(header: str) -> str:
    """The separator of a header line: the candidate that splits it into most columns."""
    return max(_DELIMITERS, key=lambda sign: len(next(csv.reader([header], delimiter=sign), [])))


def table_rows(stream: IO[bytes], encoding: str, check: Callable[[list[str]], None]) -> Iterator[Row]:
    """Rows of a CSV or TSV file with a header line; the first row after it is number 1.

    `check` gets the header before any row is read and may raise `FileRefused`. Bytes that are not text come
    as lone surrogates, so that the one row they are in can be refused.
    """
    csv.field_size_limit(_LARGEST_CELL)
    text = io.TextIOWrapper(stream, encoding=encoding, errors="surrogateescape", newline="")
    try:
        header_line = _first_line(text)
        delimiter = delimiter_of(header_line)
        header = [name.strip() for name in next(csv.reader([header_line], delimiter=delimiter))]
        check(header)
        yield from _numbered(csv.reader(text, delimiter=delimiter), header)
    except csv.Error as fault:
        raise FileRefused(f"it is not a table that can be read: {fault}") from None
    except UnicodeDecodeError:
        raise FileRefused(f"it is not {encoding.upper()} text") from None
    finally:
        text.detach()


def _first_line(text: IO[str]) -> str:
    for line in text:
        if line.strip():
            return line.strip("\r\n")
    raise FileRefused("it holds nothing but blanks")


def _numbered(rows: Iterator[list[str]], header: list[str]) -> Iterator[Row]:
    number = 0
    for cells in rows:
        if not any(cells):
            continue
        number += 1
        if any(cells[len(header) :]):
            yield number, RejectedItem("too_many_cells", f"{len(cells)} cells under {len(header)} columns")
        else:
            yield number, dict(zip(header, cells, strict=False))


def parquet_rows(stream: IO[bytes], check: Callable[[list[str]], None]) -> Iterator[Row]:
    """Rows of a Parquet file, a few thousand at a time; the first is number 1.

    `check` as for `table_rows`. Columns of bytes that are no text are read as such.
    """
    for first, batch in parquet_batches(stream, check):
        yield from batch_rows(first, batch)


def batch_rows(first: int, batch: "pa.RecordBatch") -> Iterator[Row]:
    """The rows of a batch whose first row is number `first`."""
    yield from enumerate(batch.to_pylist(), start=first)


def parquet_batches(
    stream: IO[bytes], check: Callable[[list[str]], None]
) -> Iterator[tuple[int, "pa.RecordBatch"]]:
    """The same as record batches, each with the number of its first row."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        file = pq.ParquetFile(stream)
        check(list(file.schema_arrow.names))
        number = 1
        for batch in _batches(file):
            yield number, batch
            number += batch.num_rows
    except (pa.ArrowException, OSError) as fault:
        reason = str(fault).splitlines()[0][:200] if str(fault) else type(fault).__name__
        raise FileRefused(f"it is not a Parquet file that can be read: {reason}") from None


def _batches(file: "pq.ParquetFile") -> Iterator["pa.RecordBatch"]:
    """Record batches with every time in microseconds, the finest Python keeps."""
    import pyarrow as pa

    schema = pa.schema(
        [
            field.with_type(pa.timestamp("us", field.type.tz)) if pa.types.is_timestamp(field.type) else field
            for field in file.schema_arrow
        ]
    )
    changed = schema != file.schema_arrow
    for batch in file.iter_batches(batch_size=_ROWS_AT_ONCE):
        yield batch.cast(schema, safe=False) if changed else batch
