"""The gateway's models of requests and answers, made of the very types the handlers decode and encode."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec

_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
# Unknown to draft 4, of no use to the gateway (CDK drops empty defaults anyway), or better answered by the
# handler: too many items are 413 and not 400.
_LEFT_OUT = frozenset(
    {"discriminator", "examples", "contentEncoding", "propertyNames", "maxItems", "default"}
)
# Draft 4 wants at least one required name; no items after those of a tuple is `additionalItems`.
_EMPTY: tuple[tuple[str, object], ...] = (("required", []), ("items", False))


def named_type(name: str) -> Any:
    """The type given as `module:Type`. Raises `ImportError` or `AttributeError` when there is none."""
    module, _, kind = name.partition(":")
    return getattr(import_module(module), kind)


def gateway_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 4, as API Gateway reads it) of a type given as `module:Type`.

    Raises `ImportError` or `AttributeError` when there is no such type.
    """
    schema = msgspec.json.schema(named_type(name))
    definitions = {key: _draft_4(value) for key, value in schema.pop("$defs", {}).items()}
    root = _draft_4(schema)
    reference = str(root.pop("$ref", ""))
    # The type itself at the top: the gateway looks for `type: object` there.
    top = definitions.pop(reference.rpartition("/")[2]) if reference else root
    used = {"definitions": definitions} if definitions else {}
    return {"$schema": _DRAFT_4, **top, **used}


def _draft_4(value: Any) -> Any:
    if isinstance(value, Mapping):
        return _mapping(value)
    if isinstance(value, list | tuple):
        return [_draft_4(entry) for entry in value]
    return value


def _mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, entry in value.items():
        if key == "properties":
            changed[key] = {name: _draft_4(part) for name, part in entry.items()}
        elif key == "prefixItems":
            # a tuple: draft 4 lists its parts under `items` and forbids more under another name
            changed["items"], changed["additionalItems"] = _draft_4(entry), False
        elif key in _BOUNDS:
            changed[_BOUNDS[key]], changed[key] = entry, True
        elif key not in _LEFT_OUT and (key, entry) not in _EMPTY:
            changed |= _keyword(key, entry)
    return changed


def _keyword(key: str, entry: Any) -> dict[str, Any]:
    if key == "$ref":
        return {key: str(entry).replace("#/$defs/", "#/definitions/")}
    if key == "description":
        # a docstring: how it is indented differs between versions of Python
        return {key: "\n".join(line.strip() for line in str(entry).splitlines())}
    return {"enum": [entry]} if key == "const" else {key: _draft_4(entry)}
