"""Reads Hive's types as Athena's reader of JSON does: which values fit them."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any


def fits(value: Any, kind: str) -> bool:
    """Whether a value of JSON can be read as a type. Raises `KeyError` for a type nobody knows."""
    return value is None or _CHECKS[kind.partition("<")[0]](value, kind)


def _number(value: Any, _kind: str) -> bool:
    return isinstance(value, float | int) and not isinstance(value, bool)


def _whole(value: Any, _kind: str) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _array(value: Any, kind: str) -> bool:
    return isinstance(value, list) and all(fits(one, _inside(kind)) for one in value)


def _map(value: Any, kind: str) -> bool:
    inner = _inside(kind).partition(",")[2]
    return isinstance(value, dict) and all(fits(one, inner) for one in value.values())


def _struct(value: Any, kind: str) -> bool:
    known = dict(_fields(_inside(kind)))
    return value.keys() <= known.keys() and all(fits(value[name], known[name]) for name in value)


def _inside(kind: str) -> str:
    return kind.partition("<")[2][:-1]


def _fields(told: str) -> Iterator[tuple[str, str]]:
    """`a:bigint,b:array<struct<c:double>>` as names and types."""
    depth, start = 0, 0
    for position, sign in enumerate(f"{told},"):
        depth += {"<": 1, ">": -1}.get(sign, 0)
        if sign == "," and depth == 0:
            name, _, kind = told[start:position].partition(":")
            yield name, kind
            start = position + 1


_CHECKS: Mapping[str, Callable[[Any, str], bool]] = {
    "string": lambda value, _kind: isinstance(value, str | dict),
    "boolean": lambda value, _kind: isinstance(value, bool),
    "bigint": _whole,
    "double": _number,
    "array": _array,
    "map": _map,
    "struct": _struct,
}
