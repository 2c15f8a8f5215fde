"""A function's settings: read once from its environment, complete or not at all."""

import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import TypeVar


class MissingSetting(RuntimeError):
    """The environment lacks variables the function cannot work without; the message names each of them."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FunctionSettings:
    """What every function has; `stage` is `local`, `staging`, `production`…"""

    stage: str


S = TypeVar("S", bound=FunctionSettings)


def read_settings(kind: type[S], environment: Mapping[str, str] | None = None) -> S:
    """Fills the fields of `kind` from variables of the same name in upper case.

    Raises `MissingSetting` naming every variable that is absent or blank, so that a faulty deployment fails
    at its first call and says why.
    """
    source = os.environ if environment is None else environment
    found = {field.name: source.get(field.name.upper(), "").strip() for field in fields(kind)}
    missing = sorted(name.upper() for name, value in found.items() if not value)
    if missing:
        raise MissingSetting(f"{kind.__module__} needs the environment variable(s) {', '.join(missing)}")
    return kind(**found)
