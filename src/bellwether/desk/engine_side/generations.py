"""State on disk: whole generations, of which exactly one is current.

    <folder>/000042/<service>.json   one file per service that holds anything
    <folder>/000042/<service>.rows   the rows of its tables, if it has tables (see rows.py)
    <folder>/blobs/<sha256>          large byte strings (function code, layers), shared between generations
    <folder>/current -> 000042       replaced by one rename, so a reader sees all of a generation or none
    <folder>/lock                    held while a generation is written

The engine's own persistence replaces some sixty files one after the other, so a kill in between leaves
services of different moments; here they change together.
"""

import fcntl
import filecmp
import hashlib
import json
import os
import shutil
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from .rows import ROWS_SUFFIX, Rows, read_rows

_BLOB_BYTES = 32 * 1024
_BLOB_KEY = "__bellwether_blob__"
_ROWS_KEY = "__bellwether_rows__"
_OPENED = 8
"""Levels of nesting between a service's state and a table's rows, with one to spare."""

Encode = Callable[[Any], Any]
Decode = Callable[[dict[str, Any]], Any]


class Generations:
    """Writes and reads generations; `encode` and `decode` are the engine's own JSON fallback hooks."""

    def __init__(self, folder: Path, encode: Encode, decode: Decode) -> None:
        self._folder = folder
        self._blobs = folder / "blobs"
        self._encode = encode
        self._decode = decode
        self._seen: dict[int, str] = {}
        self._read: dict[str, bytes] = {}
        self._rows = folder
        self._blobs.mkdir(parents=True, exist_ok=True, mode=0o700)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Exclude other writers: a snapshot child that outlived a killed engine finishes first."""
        with (self._folder / "lock").open("w") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield

    def load(self, service: str) -> Any:
        """A service's state in the current generation, or None."""
        path = self._folder / "current" / f"{service}.json"
        try:
            text = path.read_text()
        except OSError:
            return None
        self._rows = path.with_suffix(ROWS_SUFFIX)
        return json.loads(text, object_hook=self._hook)

    def forget_loaded(self) -> None:
        """Drop the blobs kept while loading (equal byte strings are shared between services by then)."""
        self._read.clear()

    def write(self, states: Mapping[str, Callable[[], Any]]) -> int:
        """Write a generation from each service's state function and make it current; returns its bytes.

        A service that cannot be written keeps what the generation before says of it: one broken service must
        not take the others' durability with it.
        """
        previous = self._current()
        number = int(previous.name) + 1 if previous else 1
        building = self._folder / f".{number:06d}"
        shutil.rmtree(building, ignore_errors=True)
        building.mkdir(mode=0o700)
        self._seen.clear()
        total = 0
        for service, state in states.items():
            total += self._write_service(building, previous, service, state)
        self._publish(building, number)
        return total

    def sweep(self) -> None:
        """Remove what a kill left half-written, and generations and blobs nothing refers to."""
        current = self._current()
        for entry in self._folder.iterdir():
            if entry.name.lstrip(".").isdigit() and entry != current:
                shutil.rmtree(entry, ignore_errors=True)
        used = self._referenced(current) if current else set()
        for blob in self._blobs.iterdir():
            if blob.name not in used:
                blob.unlink(missing_ok=True)

    def _write_service(
        self, building: Path, previous: Path | None, service: str, state: Callable[[], Any]
    ) -> int:
        name = f"{service}.json"
        old = previous / name if previous else None
        try:
            content = state()
            if _is_empty(content):
                return 0
            self._rows = (building / name).with_suffix(ROWS_SUFFIX)
            with (building / name).open("w", encoding="utf-8") as file:
                for piece in pieces(content, self._default):
                    file.write(piece)
        except Exception as error:  # noqa: BLE001 - any service's fault is contained to that service
            os.write(2, f"checkpoint: {service} not written: {error!r}\n".encode())
            self._rows.unlink(missing_ok=True)
            (building / name).unlink(missing_ok=True)
            if old is not None and old.exists():
                os.link(old, building / name)
                if old.with_suffix(ROWS_SUFFIX).exists():
                    os.link(old.with_suffix(ROWS_SUFFIX), self._rows)
            return 0
        if old is not None and old.exists() and filecmp.cmp(old, building / name, shallow=False):
            (building / name).unlink()
            os.link(old, building / name)
        return (building / name).stat().st_size

    def _publish(self, building: Path, number: int) -> None:
        final = self._folder / f"{number:06d}"
        shutil.rmtree(final, ignore_errors=True)
        building.rename(final)
        link = self._folder / ".current"
        link.unlink(missing_ok=True)
        link.symlink_to(final.name)
        previous = self._current()
        link.replace(self._folder / "current")
        if previous is not None and previous != final:
            shutil.rmtree(previous, ignore_errors=True)

    def _current(self) -> Path | None:
        link = self._folder / "current"
        return self._folder / link.readlink() if link.is_symlink() else None

    def _default(self, value: Any) -> Any:
        if isinstance(value, Rows):
            return {_ROWS_KEY: value.write(self._rows)}
        if isinstance(value, bytes | bytearray) and len(value) >= _BLOB_BYTES:
            return {_BLOB_KEY: self._store(bytes(value), id(value))}
        return self._encode(value)

    def _store(self, data: bytes, identity: int) -> str:
        name = self._seen.get(identity)
        if name is None:
            name = self._seen[identity] = hashlib.sha256(data).hexdigest()
            path = self._blobs / name
            if not path.exists():
                part = path.with_suffix(".part")
                part.write_bytes(data)
                part.replace(path)
        return name

    def _hook(self, value: dict[str, Any]) -> Any:
        if _ROWS_KEY in value:
            return read_rows(self._rows, *value[_ROWS_KEY])
        name = value.get(_BLOB_KEY)
        if name is None:
            return self._decode(value)
        if name not in self._read:
            self._read[name] = (self._blobs / name).read_bytes()
        return self._read[name]

    def _referenced(self, generation: Path) -> set[str]:
        names: set[str] = set()

        def collect(value: dict[str, Any]) -> Any:
            if _BLOB_KEY in value:
                names.add(value[_BLOB_KEY])
            return None

        for file in generation.glob("*.json"):
            if f'"{_BLOB_KEY}"' in (text := file.read_text()):
                json.loads(text, object_hook=collect)
        return names


def pieces(value: Any, encode: Encode, depth: int = _OPENED) -> Iterator[str]:
    """`json.dumps(value, default=encode)` in pieces: the text of a large state is never whole in memory.

    Containers down to `depth` are opened; what lies deeper (a row, say) is one piece.
    """
    if depth and isinstance(value, dict) and value:
        opening = "{"
        for key, inner in value.items():
            # The key alone, as json.dumps writes it: it turns numbers and None into text.
            yield opening + _dumps({key: 0}, encode)[1:-2]
            yield from pieces(inner, encode, depth - 1)
            opening = ","
        yield "}"
    elif depth and isinstance(value, list | tuple) and value:
        opening = "["
        for inner in value:
            yield opening
            yield from pieces(inner, encode, depth - 1)
            opening = ","
        yield "]"
    elif depth and not isinstance(value, dict | list | tuple | str | int | float | bool | type(None)):
        yield from pieces(encode(value), encode, depth)
    else:
        yield _dumps(value, encode)


def _dumps(value: Any, encode: Encode) -> str:
    return json.dumps(value, default=encode, separators=(",", ":"))


def _is_empty(content: Any) -> bool:
    """Whether a service holds nothing. Its module is then not even imported at the next start."""
    if content is None:
        return True
    return isinstance(content, dict) and all(_is_hollow(value) for value in content.values())


def _is_hollow(value: Any) -> bool:
    return value is None or value in ({}, [], "", 0) or (hasattr(value, "_data") and not value._data)
