"""Plain values to DynamoDB's wire form and back."""

import math
from collections.abc import Mapping
from typing import Any

Wire = dict[str, Any]


def to_wire(value: Any) -> Wire:
    """One value as DynamoDB's typed attribute.

    A float is written with the shortest decimal that reads back as the same float. Raises `ValueError` for
    NaN and infinities, and outside 1e-130..1e125, which DynamoDB's numbers cannot hold; `TypeError` for
    other types.
    """
    match value:
        case str():
            return {"S": value}
        case bool():
            return {"BOOL": value}
        case int():
            return {"N": str(value)}
        case float():
            return {"N": _decimal(value)}
        case bytes():
            return {"B": value}
        case None:
            return {"NULL": True}
        case _:
            return _nested(value)


def _nested(value: Any) -> Wire:
    if isinstance(value, Mapping):
        return {"M": item_to_wire(value)}
    if isinstance(value, list | tuple):
        return {"L": [to_wire(part) for part in value]}
    raise TypeError(f"a {type(value).__name__} has no form in a table")


def _decimal(value: float) -> str:
    if not math.isfinite(value) or (value and not 1e-130 <= abs(value) < 1e126):
        raise ValueError(f"{value!r} does not fit a table's number")
    return repr(value)


def from_wire(wire: Mapping[str, Any]) -> Any:
    """One typed attribute as a plain value. A number without fraction or exponent is an `int`."""
    ((kind, value),) = wire.items()
    match kind:
        case "S" | "BOOL":
            return value
        case "N":
            return int(value) if value.lstrip("-").isdigit() else float(value)
        case "B":
            return bytes(value)
        case "NULL":
            return None
        case "L":
            return [from_wire(part) for part in value]
        case "M":
            return item_from_wire(value)
        case _:
            raise TypeError(f"no plain form for the attribute type {kind}")


def item_to_wire(item: Mapping[str, Any]) -> Wire:
    """A row, attribute by attribute."""
    return {name: to_wire(value) for name, value in item.items()}


def item_from_wire(item: Mapping[str, Any]) -> dict[str, Any]:
    """A row as plain values."""
    return {name: from_wire(value) for name, value in item.items()}
