"""The catalogue's columns, made of the very types that are written."""

from typing import Any

from msgspec import inspect as types

_SIMPLE: dict[type, str] = {
    types.StrType: "string",
    types.IntType: "bigint",
    types.FloatType: "double",
    types.BoolType: "boolean",
    # ISO 8601 with an offset is no timestamp to the reader of JSON; `from_iso8601_timestamp` makes it one.
    types.DateTimeType: "string",
    types.DateType: "string",
    # base64 in JSON
    types.BytesType: "string",
    types.LiteralType: "string",
    # Any JSON: the reader gives it as text, for `json_extract`.
    types.AnyType: "string",
}


def columns_of(record: type) -> list[tuple[str, str]]:
    """Name and type (as Hive writes types) of each field of a record, in order.

    Raises `TypeError` for a field whose type JSON lines cannot be read as.
    """
    info = types.type_info(record)
    if not isinstance(info, types.StructType):
        raise TypeError(f"{record.__name__} is no record")
    return [(field.encode_name, hive_type(field.type)) for field in info.fields]


def hive_type(kind: Any) -> str:
    """One type as Hive writes it: `array<struct<n:bigint>>`."""
    if type(kind) in _SIMPLE:
        return _SIMPLE[type(kind)]
    match kind:
        case types.Metadata():
            return hive_type(kind.type)
        case types.UnionType():
            return _optional(kind)
        case types.DictType():
            return _map(kind)
        case types.StructType():
            return _struct(kind)
        case _:
            return _array(kind)


def _array(kind: Any) -> str:
    match kind:
        case types.ListType() | types.VarTupleType():
            return f"array<{hive_type(kind.item_type)}>"
        case types.TupleType():
            return f"array<{_same(kind.item_types)}>"
        case _:
            raise TypeError(f"no column holds {kind}")


def _map(kind: types.DictType) -> str:
    """A map of one type of values; of any values it is any JSON."""
    if isinstance(kind.value_type, types.AnyType):
        return _SIMPLE[types.AnyType]
    return f"map<{hive_type(kind.key_type)},{hive_type(kind.value_type)}>"


def _optional(kind: types.UnionType) -> str:
    return _same(tuple(one for one in kind.types if not isinstance(one, types.NoneType)))


def _same(kinds: tuple[Any, ...]) -> str:
    found = {hive_type(one) for one in kinds}
    if len(found) != 1:
        raise TypeError(f"one column cannot hold {', '.join(sorted(found))}")
    return found.pop()


def _struct(kind: types.StructType) -> str:
    if kind.cls.__struct_config__.array_like or kind.tag is not None:
        raise TypeError(f"{kind.cls.__name__} is not written as a plain object")
    parts = ",".join(f"{field.encode_name}:{hive_type(field.type)}" for field in kind.fields)
    return f"struct<{parts}>"
