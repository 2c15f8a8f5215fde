"""Lists of assets to track: CSV, TSV, JSON or NDJSON, whatever their columns are called."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import IO, Any

import msgspec

from bellwether.cli.readers import open_document
from bellwether.cli.readers.fields import plain_name
from bellwether.cli.readers.formats import FileRefused, format_of, opened
from bellwether.cli.readers.objects import as_object, json_document, json_lines, records_of
from bellwether.cli.readers.tables import Row, parquet_rows, table_rows
from bellwether.domain.entities import Asset
from bellwether.domain.items import RejectedItem

_NAMES = {
    "symbol": ("symbol", "ticker", "code"),
    "name": ("name", "company", "company_name", "title", "security"),
    "aliases": ("aliases", "alias", "also_known_as"),
    "sector": ("sector", "gics_sector", "industry"),
    "restricted": ("restricted",),
}
_YES = {"1", "true", "yes", "y", "x"}
_NO = {"", "0", "false", "no", "n"}


@dataclass
class AssetList:
    """The assets of a file, and the rows that are none: row number, what stands there, why."""

    assets: list[Asset] = field(default_factory=list)
    refused: list[dict[str, Any]] = field(default_factory=list)


def clean_symbol(text: str) -> str:
    """A symbol as it is kept: without the cashtag's `$`, in capitals."""
    return text.strip().removeprefix("$").upper()


def asset_of(cells: Mapping[str, Any]) -> Asset:
    """An asset from cells named `symbol`, `name` and so on. Raises `RejectedItem`."""
    symbol = clean_symbol(_words(cells.get("symbol")))
    if not symbol:
        raise RejectedItem("no_symbol", "there is no symbol")
    values = {
        "symbol": symbol,
        "name": _words(cells.get("name")) or symbol,
        "aliases": _aliases(cells.get("aliases")),
        "sector": _words(cells.get("sector")) or None,
        "restricted": _flag(cells.get("restricted")),
    }
    try:
        return msgspec.convert(values, Asset)
    except msgspec.ValidationError as fault:
        raise RejectedItem("invalid_asset", f"{symbol}: {fault}") from None


def read_assets(name: str) -> AssetList:
    """Reads a file. Rows that are no asset are listed, the others taken. Raises `FileRefused`."""
    found = AssetList()
    seen: set[str] = set()
    with open_document(name) as document:
        for position, row in _rows(opened(document.stream)):
            try:
                asset = asset_of(_named(row))
                if asset.symbol in seen:
                    raise RejectedItem("repeated", f"{asset.symbol} stands above already")
            except RejectedItem as fault:
                found.refused.append({"row": position, "code": fault.code, "detail": fault.detail})
            else:
                seen.add(asset.symbol)
                found.assets.append(asset)
    return found


def _rows(stream: IO[bytes]) -> Iterator[Row]:
    kind, encoding = format_of(stream)
    if kind == "table":
        return table_rows(stream, encoding, _require_symbol)
    if kind == "parquet":
        return parquet_rows(stream, _require_symbol)
    if kind == "ndjson":
        return _unfolded(json_lines(stream, encoding))
    if kind == "json":
        return enumerate(map(as_object, _listed(json_document(stream, encoding))), start=1)
    raise FileRefused("it is a feed; `bellwether track feed add URL` tracks a feed")


def _unfolded(rows: Iterator[Row]) -> Iterator[Row]:
    """Lines as they are; a line that is an object of objects is a whole list by itself."""
    for position, row in rows:
        if isinstance(row, RejectedItem) or not _is_list_of_objects(row):
            yield position, row
        else:
            yield from enumerate(row.values(), start=1)


def _is_list_of_objects(document: Any) -> bool:
    return (
        isinstance(document, dict) and bool(document) and all(isinstance(v, dict) for v in document.values())
    )


def _listed(document: Any) -> list[Any]:
    """Records of a list, of `{"items": […]}`, or of an object of objects (the SEC's list of tickers)."""
    if _is_list_of_objects(document):
        return list(document.values())
    return records_of(document)


def _require_symbol(names: list[str]) -> None:
    if not {plain_name(name) for name in names} & set(_NAMES["symbol"]):
        raise FileRefused(f"no column is called symbol or ticker; its columns are: {', '.join(names)[:300]}")


def _named(row: Mapping[str, Any] | RejectedItem) -> dict[str, Any]:
    if isinstance(row, RejectedItem):
        raise row
    cells = {plain_name(str(name)): cell for name, cell in row.items()}
    named: dict[str, Any] = {}
    for target, names in _NAMES.items():
        named[target] = next((cells[name] for name in names if cells.get(name) is not None), None)
    return named


def _words(cell: Any) -> str:
    if cell is None or (isinstance(cell, float) and cell != cell):
        return ""
    text = str(cell).strip()
    if not text.isascii() and any("\ud800" <= sign <= "\udfff" for sign in text):
        raise RejectedItem("not_utf8", "the row is not UTF-8 text")
    return text


def _aliases(cell: Any) -> tuple[str, ...]:
    """Aliases of a list, or of text separated by `;` or `|`, each once."""
    parts = cell if isinstance(cell, list | tuple) else _words(cell).replace("|", ";").split(";")
    return tuple(dict.fromkeys(alias for part in parts if (alias := _words(part))))


def _flag(cell: Any) -> bool:
    text = _words(cell).lower()
    if text in _YES | _NO:
        return text in _YES
    raise RejectedItem("invalid_asset", f"restricted is yes or no, not {text!r}")
