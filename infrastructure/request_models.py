"""The gateway's request models, made of the very types the handlers decode."""

from collections.abc import Mapping
from importlib import import_module
from typing import Any

import msgspec

_DRAFT_4 = "http://json-schema.org/draft-04/schema#"
_BOUNDS = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
# Unknown to draft 4, or better answered by the handler: too many items are 413 and not 400.
_LEFT_OUT = frozenset({"discriminator", "examples", "contentEncoding", "propertyNames", "maxItems"})


def request_schema(name: str) -> dict[str, Any]:
    """The JSON Schema (draft 4, as API Gateway reads it) of a type given as `module:Type`.

    Raises `ImportError` or `AttributeError` when there is no such type.
    """
    module, _, kind = name.partition(":")
    schema = msgspec.json.schema(getattr(import_module(module), kind))
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
    if isinstance(value, list):
        return [_draft_4(entry) for entry in value]
    return value


def _mapping(value: Mapping[str, Any]) -> dict[str, Any]:
    changed: dict[str, Any] = {}
    for key, entry in value.items():
        if key == "$ref":
            changed[key] = str(entry).replace("#/$defs/", "#/definitions/")
        elif key == "const":
            changed["enum"] = [entry]
        elif key in _BOUNDS and not isinstance(entry, Mapping):
            changed[_BOUNDS[key]], changed[key] = entry, True
        elif key not in _LEFT_OUT and not (key == "required" and entry == []):
            changed[key] = _draft_4(entry)
    return changed
